//! The functions that the compiler calls on its own account: `core` requires them
//! of a program without a libc. Those that nothing calls are not linked.
//!
//! The crate is `no_builtins`, or the compiler would recognise these loops and make
//! each a call to itself.

//!
//! The caller of each owes it what its man page asks.

use core::ffi::{c_int, c_void};

/// memcpy(3)
#[unsafe(no_mangle)]
unsafe extern "C" fn memcpy(to: *mut u8, from: *const u8, len: usize) -> *mut u8 {
    for at in 0..len {
        // SAFETY: the caller vouches for `len` bytes at both.
        unsafe { *to.add(at) = *from.add(at) };
    }
    to
}

/// memmove(3)
#[unsafe(no_mangle)]
unsafe extern "C" fn memmove(to: *mut u8, from: *const u8, len: usize) -> *mut u8 {
    let forward = to.cast_const() <= from;
    for step in 0..len {
        let at = if forward { step } else { len - 1 - step };
        // SAFETY: the caller vouches for `len` bytes at both; the copy begins at
        // the end that lies apart, so that no byte is overwritten before it is read.
        unsafe { *to.add(at) = *from.add(at) };
    }
    to
}

/// memset(3)
#[unsafe(no_mangle)]
unsafe extern "C" fn memset(to: *mut u8, byte: c_int, len: usize) -> *mut u8 {
    for at in 0..len {
        // SAFETY: the caller vouches for `len` bytes.
        unsafe { *to.add(at) = byte as u8 };
    }
    to
}

/// memcmp(3)
#[unsafe(no_mangle)]
unsafe extern "C" fn memcmp(left: *const u8, right: *const u8, len: usize) -> c_int {
    for at in 0..len {
        // SAFETY: the caller vouches for `len` bytes at both.
        let (left, right) = unsafe { (*left.add(at), *right.add(at)) };
        if left != right {
            return c_int::from(left) - c_int::from(right);
        }
    }
    0
}

/// bcmp(3)
#[unsafe(no_mangle)]
unsafe extern "C" fn bcmp(left: *const u8, right: *const u8, len: usize) -> c_int {
    // SAFETY: the caller vouches for the same.
    unsafe { memcmp(left, right, len) }
}

/// strlen(3)
#[unsafe(no_mangle)]
unsafe extern "C" fn strlen(text: *const u8) -> usize {
    let mut len = 0;
    // SAFETY: the caller vouches for every byte up to a NUL.
    while unsafe { *text.add(len) } != 0 {
        len += 1;
    }
    len
}

/// The unwinder, by the name that precompiled parts of `core` refer to. Nothing
/// calls it: with `panic = "abort"` nothing unwinds.
#[unsafe(no_mangle)]
extern "C" fn rust_eh_personality(_: *const c_void) {}
