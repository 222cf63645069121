//! The arguments and the environment that the kernel hands to a program.

use core::ffi::c_char;

use super::{Errno, ThinCStr, syscall};

/// The arguments and the environment, where the kernel laid them: argc, argv and
/// its null pointer, envp and its null pointer; then the strings, argv's one after
/// another (`create_elf_tables`, fs/binfmt_elf.c). Nothing of it is copied.
pub struct InitialStack {
    argc: usize,
    argv: *mut *mut c_char,
    /// The environment, which the command gets as it came.
    pub environment: Environment,
}

/// The environment's array, as the kernel laid it.
#[derive(Clone, Copy)]
pub struct Environment(*mut *mut c_char);

/// A command to become: its name, and the arrays that it gets.
pub struct Command {
    /// The name to look up.
    pub name: ThinCStr<'static>,
    /// Its environment.
    pub environment: Environment,
    /// Its argv. The slot in front of it is free: it holds an argument of oomexec's,
    /// or argc, which [`InitialStack`] has copied.
    argv: *mut *mut c_char,
}

impl InitialStack {
    /// Returns what is at the stack pointer that the program starts with.
    ///
    /// # Safety
    ///
    /// `stack` is that stack pointer, nothing has changed what is there, and this is
    /// called once.
    pub unsafe fn new(stack: *mut usize) -> Self {
        // SAFETY: the caller vouches for the layout: argc, argc pointers and a
        // null pointer, then the environment's.
        unsafe {
            let argc = *stack;
            let argv = stack.add(1).cast::<*mut c_char>();
            let environment = Environment(argv.add(argc + 1));
            Self {
                argc,
                argv,
                environment,
            }
        }
    }

    /// Returns one of argv, if there are as many.
    #[inline(always)]
    pub fn arg(&self, index: usize) -> Option<ThinCStr<'static>> {
        // SAFETY: each of the first argc pointers is that of a C string, which stays.
        (index < self.argc).then(|| unsafe { ThinCStr::new(*self.argv.add(index)) })
    }

    /// Returns the arguments after argv\[0\].
    pub fn args(&self) -> impl Iterator<Item = ThinCStr<'static>> {
        (1..).map_while(|index| self.arg(index))
    }

    /// Returns argv\[0\] with its NUL; no byte if there is none. Its length is the
    /// distance to argv\[1\]: a long path costs no more than a short one.
    #[inline(always)]
    pub fn argv0(&self) -> &'static [u8] {
        let Some(first) = self.arg(0) else {
            return b"";
        };
        let len = match self.arg(1) {
            Some(second) => second.as_ptr().addr() - first.as_ptr().addr(),
            None => first.to_bytes().len() + 1,
        };
        // SAFETY: the strings lie one after another, so that these are the bytes of the
        // first, with its NUL.
        unsafe { core::slice::from_raw_parts(first.as_ptr().cast(), len) }
    }

    /// Returns the same bytes, to change them.
    ///
    /// # Safety
    ///
    /// Nothing else refers to argv\[0\] any more, and there is one.
    pub unsafe fn argv0_mut(&self) -> &'static mut [u8] {
        // SAFETY: the string is on this process's own, writable stack, and the caller
        // vouches for the rest.
        unsafe { core::slice::from_raw_parts_mut((*self.argv).cast(), self.argv0().len()) }
    }

    /// Replaces argv\[0\].
    pub fn set_argv0(&self, argv0: ThinCStr<'static>) {
        if self.argc > 0 {
            // SAFETY: the slot is this process's own, on its writable stack.
            unsafe { *self.argv = argv0.as_ptr().cast_mut() };
        }
    }

    /// Returns the command at `index` of argv, which must have one there; the command
    /// sees `argv0` in the place of its name, if that is given.
    #[inline(always)]
    pub fn command(&self, index: usize, argv0: Option<ThinCStr<'static>>) -> Command {
        debug_assert!(index < self.argc);
        // SAFETY: argv has an argument there. The array is this process's own, on its
        // writable stack.
        unsafe {
            let argv = self.argv.add(index);
            let name = ThinCStr::new(*argv);
            if let Some(argv0) = argv0 {
                *argv = argv0.as_ptr().cast_mut();
            }
            Command {
                name,
                environment: self.environment,
                argv,
            }
        }
    }
}

impl Command {
    /// Becomes the program at `file`; returns only if that fails (execve(2)).
    #[inline(always)]
    pub fn execve(&self, file: ThinCStr<'_>) -> Errno {
        // SAFETY: both arrays are the kernel's own, as `InitialStack` found them.
        unsafe { execve(file, self.argv, self.environment) }
    }

    /// Becomes the shell at `shell` with `script` for its first operand; returns only
    /// if that fails. The command has its own argv no more then.
    pub fn execve_shell(&self, shell: ThinCStr<'static>, script: ThinCStr<'_>) -> Errno {
        // SAFETY: the slot in front of the command's argv is free, and both strings
        // outlive the call.
        unsafe {
            let argv = self.argv.sub(1);
            *argv = shell.as_ptr().cast_mut();
            *self.argv = script.as_ptr().cast_mut();
            execve(shell, argv, self.environment)
        }
    }
}

/// Becomes the program at `file`; returns only if that fails (execve(2)).
///
/// # Safety
///
/// `argv` is an array of pointers to C strings that ends with a null pointer.
#[inline(always)]
unsafe fn execve(file: ThinCStr<'_>, argv: *mut *mut c_char, environment: Environment) -> Errno {
    let args = [
        file.as_ptr() as usize,
        argv as usize,
        environment.0 as usize,
        0,
        0,
    ];
    // SAFETY: the path is a C string, the caller vouches for argv, and the kernel
    // only reads them.
    match unsafe { syscall(libc::SYS_execve, args) } {
        Err(errno) => errno,
        // It does not return where it succeeds.
        Ok(_) => Errno(0),
    }
}

impl Environment {
    /// Returns the rest of the first entry that begins with `prefix`, a variable's
    /// name and its equals sign: the value that getenv(3) finds.
    ///
    /// It reads no byte of an entry past the first that differs: an environment may
    /// have megabytes.
    // Inlined, so that the first byte is a constant where it is compared.
    #[inline(always)]
    pub fn get(self, prefix: &[u8]) -> Option<ThinCStr<'static>> {
        let first = prefix.first().copied();
        let mut entry = self.0;
        loop {
            // SAFETY: the loop ends at the array's null pointer, in front of which
            // each pointer is that of a C string.
            let text = unsafe { ThinCStr::from_nullable(*entry) }?;
            // Most differ in the first byte, and need no call.
            if text.bytes().next() == first {
                if let Some(value) = text.strip_prefix(prefix) {
                    return Some(value);
                }
            }
            // SAFETY: this is not yet the null pointer.
            entry = unsafe { entry.add(1) };
        }
    }

    /// Replaces each entry for which `change` returns another.
    pub fn change(self, change: impl Fn(ThinCStr<'static>) -> Option<ThinCStr<'static>>) {
        let mut entry = self.0;
        // SAFETY: as in `get`.
        while let Some(text) = unsafe { ThinCStr::from_nullable(*entry) } {
            if let Some(text) = change(text) {
                // SAFETY: the array is this process's own, on its writable stack.
                unsafe { *entry = text.as_ptr().cast_mut() };
            }
            // SAFETY: this is not yet the null pointer.
            entry = unsafe { entry.add(1) };
        }
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::InitialStack;
    use crate::sys::ThinCStr;
    use core::ptr;
    use std::vec::Vec;

    /// Shows the stack of a program that is started with these arguments and this
    /// environment.
    fn with_stack(args: &[&str], environment: &[&str], look: impl FnOnce(&InitialStack)) {
        let mut strings = Vec::new();
        let mut offsets = Vec::new();
        for text in args.iter().chain(environment) {
            offsets.push(strings.len());
            strings.extend(text.bytes().chain([0]));
        }
        let base: *mut u8 = strings.as_mut_ptr();
        let mut stack = Vec::from([ptr::without_provenance_mut(args.len())]);
        for (index, offset) in offsets.into_iter().enumerate() {
            if index == args.len() {
                stack.push(ptr::null_mut());
            }
            stack.push(base.wrapping_add(offset));
        }
        stack.resize(args.len() + environment.len() + 3, ptr::null_mut());
        // SAFETY: this is the layout that the kernel makes.
        look(&unsafe { InitialStack::new(stack.as_mut_ptr().cast()) });
    }

    #[test]
    fn argv0_ends_with_its_nul_whatever_comes_behind_it() {
        for name in ["oomexec", "/usr/bin/oomexec", "", "x"] {
            for args in [&[name][..], &[name, ""], &[name, "command"]] {
                with_stack(args, &["A=b"], |stack| {
                    let expected = [name.as_bytes(), b"\0"].concat();
                    assert_eq!(stack.argv0(), expected, "{args:?}");
                });
            }
        }
        with_stack(&[], &["A=b"], |stack| assert_eq!(stack.argv0(), b""));
    }

    #[test]
    fn the_arguments_end_at_argc() {
        with_stack(&["a", "b", ""], &["C=d"], |stack| {
            let args: Vec<_> = stack.args().map(ThinCStr::to_bytes).collect();
            assert_eq!(args, [&b"b"[..], b""]);
            assert_eq!(stack.arg(0), Some(c"a".into()));
            assert_eq!(stack.arg(3), None);
        });
        with_stack(&[], &["C=d"], |stack| assert_eq!(stack.arg(0), None));
    }

    #[test]
    fn a_variable_is_the_first_entry_with_its_name() {
        with_stack(&["a"], &["AB=1", "A", "A=2", "A=3", ""], |stack| {
            let get = |prefix: &[u8]| stack.environment.get(prefix).map(ThinCStr::to_bytes);
            assert_eq!(get(b"A="), Some(&b"2"[..]));
            assert_eq!(get(b"B="), None);
        });
        with_stack(&["a"], &[], |stack| {
            assert_eq!(stack.environment.get(b"A="), None);
        });
    }

    #[test]
    fn entries_are_replaced_in_place() {
        with_stack(&["a"], &["A=1", "X_B=2", "C=3"], |stack| {
            stack.environment.change(|entry| entry.strip_prefix(b"X_"));
            let get = |prefix: &[u8]| stack.environment.get(prefix).map(ThinCStr::to_bytes);
            assert_eq!(get(b"B="), Some(&b"2"[..]));
            assert_eq!(get(b"X_"), None);
            assert_eq!(get(b"C="), Some(&b"3"[..]));
        });
    }
}
