//! What the kernel gives a program at its start: the arguments and the
//! environment.

use core::ffi::c_char;

use oomexec::c_text::CText;

/// The arguments and the environment, where the kernel laid them: argc, argv and
/// its null pointer, envp and its null pointer, each string elsewhere
/// (`create_elf_tables`, fs/binfmt_elf.c). Nothing of it is copied.
pub struct Start {
    argc: usize,
    argv: *mut *const c_char,
    /// What the command is to get as it came.
    pub environment: Environment,
}

/// The environment's array, as the kernel laid it.
#[derive(Clone, Copy)]
pub struct Environment(*const *const c_char);

/// A command to become: its name and the arrays that it is to get.
pub struct Command {
    /// What to look up.
    pub name: CText<'static>,
    /// Its argv. The slot in front of it is free: oomexec's own argv\[0\] at
    /// least has been there.
    pub argv: *mut *const c_char,
    /// Its environment.
    pub environment: Environment,
}

impl Start {
    /// # Safety
    ///
    /// `stack` is the stack pointer as it was at the program's entry, and
    /// nothing has changed what is there.
    pub unsafe fn new(stack: *mut usize) -> Self {
        // SAFETY: the caller vouches for the layout: argc, argc pointers and a
        // null pointer, then the environment's.
        unsafe {
            let argc = *stack;
            let argv = stack.add(1).cast::<*const c_char>();
            let environment = Environment(argv.add(argc + 1).cast_const());
            Self {
                argc,
                argv,
                environment,
            }
        }
    }

    /// One of argv, if there are so many.
    #[inline(always)]
    pub fn arg(&self, index: usize) -> Option<CText<'static>> {
        // SAFETY: below argc each pointer is a C string's, which stays.
        (index < self.argc).then(|| unsafe { CText::new(*self.argv.add(index)) })
    }

    /// The arguments after argv\[0\].
    pub fn args(&self) -> impl Iterator<Item = CText<'static>> {
        (1..).map_while(|index| self.arg(index))
    }

    /// What the command at `index` of argv is to get; with `argv0` in place of its
    /// name if there is one.
    pub fn command(&self, index: usize, argv0: Option<CText<'static>>) -> Command {
        // SAFETY: `index` is that of one of `args`. The array is this process's
        // own, on its writable stack.
        let (name, argv) = unsafe {
            let argv = self.argv.add(index);
            (CText::new(*argv), argv)
        };
        if let Some(argv0) = argv0 {
            // SAFETY: the same.
            unsafe { *argv = argv0.as_ptr() };
        }
        Command {
            name,
            argv,
            environment: self.environment,
        }
    }
}

impl Environment {
    /// The rest of the first entry that begins with `prefix`, a variable's name
    /// and its equals sign: its value, as getenv(3) finds it.
    ///
    /// Looks at no byte of an entry behind the first that differs: an environment
    /// may be megabytes.
    // Inlined, so that the first byte is known where it is compared.
    #[inline(always)]
    pub fn get(self, prefix: &[u8]) -> Option<&'static [u8]> {
        let first = prefix.first().copied();
        let mut entry = self.0;
        loop {
            // SAFETY: the array ends with a null pointer, and the loop there.
            let text = unsafe { *entry };
            if text.is_null() {
                return None;
            }
            // SAFETY: in front of the null pointer each is a C string's.
            let text = unsafe { CText::new(text) };
            // Most differ in the first byte, and need no call.
            if text.bytes().next() == first {
                if let Some(value) = text.strip_prefix(prefix) {
                    return Some(value.to_bytes());
                }
            }
            // SAFETY: the null pointer is not yet behind.
            entry = unsafe { entry.add(1) };
        }
    }

    /// Puts another entry in the place of each of which `change` gives one.
    pub fn change(self, change: fn(CText<'static>) -> Option<CText<'static>>) {
        let mut entry = self.0.cast_mut();
        // SAFETY: the array ends with a null pointer, and the loop there; it is this
        // process's own, on its writable stack.
        while let Some(text) = unsafe { CText::if_any(*entry) } {
            if let Some(text) = change(text) {
                // SAFETY: the same.
                unsafe { *entry = text.as_ptr() };
            }
            // SAFETY: the null pointer is not yet behind.
            entry = unsafe { entry.add(1) };
        }
    }

    /// The array, for execve(2).
    pub const fn as_ptr(self) -> *const *const c_char {
        self.0
    }
}
