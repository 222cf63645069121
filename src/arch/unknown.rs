//! In place of a file for this architecture, so that its lack is the one error.

compile_error!(
    "oomexec does not know this architecture yet: add src/arch/<arch>.rs with the names that the \
     others have, and list it in src/arch/mod.rs"
);

/// What every other file has.
///
/// # Safety
///
/// None: it is not there.
pub unsafe fn syscall3(_: super::Number, _: usize, _: usize, _: usize) -> isize {
    0
}

/// The same.
///
/// # Safety
///
/// The same.
pub unsafe fn syscall4(_: super::Number, _: usize, _: usize, _: usize, _: usize) -> isize {
    0
}
