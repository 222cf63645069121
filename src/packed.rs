//! The messages as the program has them: packed by build.rs, for the program is to
//! be small, and messages would be half of it.
//!
//! The packing is byte-pair encoding: a byte from [`crate::words::PAIR`] on stands
//! for two others, which may be such bytes themselves.

include!(concat!(env!("OUT_DIR"), "/packed.rs"));
