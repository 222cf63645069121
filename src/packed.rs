//! The messages as the program has them: packed by build.rs, for the program is to
//! be small and half of it would be its messages.
//!
//! The packing is byte-pair encoding: a byte from [`PAIR`] on stands for two others,
//! which may be such bytes themselves.

include!(concat!(env!("OUT_DIR"), "/packed.rs"));

/// The first byte that stands for a pair.
pub const PAIR: u8 = 128;

/// What stands for `%n`, `%t`, `%a`, `%b` and `%e`.
pub const NAME: u8 = 1;
/// See [`NAME`].
pub const TEXT: u8 = 2;
/// See [`NAME`].
pub const FIRST: u8 = 3;
/// See [`NAME`].
pub const SECOND: u8 = 4;
/// See [`NAME`].
pub const ERRNO: u8 = 5;
