//! One launch, timed: from before the spawn to waitpid's return.

use std::ffi::{CString, c_char, c_int};
use std::io;
use std::mem::MaybeUninit;
use std::ptr;
use std::time::Instant;

/// A launch with its arrays built in advance, so that their time does not count.
///
/// `std::process::Command` builds them at each spawn, and for some options forks.
pub struct Spawn {
    function: PosixSpawn,
    path: CString,
    argv: Strings,
    envp: Strings,
}

/// `posix_spawn` or `posix_spawnp`. Both are a clone(CLONE_VM | CLONE_VFORK): the
/// child borrows this process's memory until its exec, whatever its size.
type PosixSpawn = unsafe extern "C" fn(
    *mut libc::pid_t,
    *const c_char,
    *const libc::posix_spawn_file_actions_t,
    *const libc::posix_spawnattr_t,
    *const *mut c_char,
    *const *mut c_char,
) -> c_int;

/// The cost of a launch.
pub struct Cost {
    /// In microseconds.
    pub time: f64,
    /// The minor page faults of the child: the launcher's and the program's together.
    pub faults: f64,
}

impl Spawn {
    /// A launch of these words in this environment; the first is a path.
    pub fn by_path(words: &[String], environment: &[(String, String)]) -> Self {
        Self::new(libc::posix_spawn, words, environment)
    }

    /// The same, but posix_spawnp searches the first word in *this* process's PATH.
    pub fn by_name(words: &[String], environment: &[(String, String)]) -> Self {
        Self::new(libc::posix_spawnp, words, environment)
    }

    fn new(function: PosixSpawn, words: &[String], environment: &[(String, String)]) -> Self {
        let variables = environment
            .iter()
            .map(|(name, value)| format!("{name}={value}"));
        Self {
            function,
            path: c_string(words[0].clone()),
            argv: Strings::new(words.iter().cloned()),
            envp: Strings::new(variables),
        }
    }

    /// Launches and waits; panics unless the program succeeds.
    pub fn run(&self) -> Cost {
        let mut pid = 0;
        let mut status = 0;
        let mut usage = MaybeUninit::<libc::rusage>::uninit();

        let start = Instant::now();
        // SAFETY: the path is a C string, the arrays end with null pointers, and
        // the two null pointers mean "none".
        let error = unsafe {
            (self.function)(
                &mut pid,
                self.path.as_ptr(),
                ptr::null(),
                ptr::null(),
                self.argv.as_ptr(),
                self.envp.as_ptr(),
            )
        };
        // SAFETY: both results are written to variables of the right types.
        let waited = unsafe { libc::wait4(pid, &mut status, 0, usage.as_mut_ptr()) };
        let time = start.elapsed();

        if error != 0 {
            let error = io::Error::from_raw_os_error(error);
            panic!(
                "cannot launch {:?}: {error} (the tables need `ulimit -s 8192`)",
                self.path
            );
        }
        assert_eq!(waited, pid, "wait4 failed: {}", io::Error::last_os_error());
        assert_eq!(
            status, 0,
            "{:?} ended with wait status {status:#x}",
            self.path
        );
        // SAFETY: wait4 succeeded, so it has written the usage.
        let usage = unsafe { usage.assume_init() };
        Cost {
            time: time.as_secs_f64() * 1e6,
            faults: usage.ru_minflt as f64,
        }
    }
}

/// C strings, and the array of pointers to them for execve(2).
struct Strings {
    /// What the pointers point into.
    _strings: Vec<CString>,
    pointers: Vec<*mut c_char>,
}

impl Strings {
    fn new(strings: impl Iterator<Item = String>) -> Self {
        let strings: Vec<_> = strings.map(c_string).collect();
        let pointers = strings.iter().map(|string| string.as_ptr().cast_mut());
        Self {
            pointers: pointers.chain([ptr::null_mut()]).collect(),
            _strings: strings,
        }
    }

    fn as_ptr(&self) -> *const *mut c_char {
        self.pointers.as_ptr()
    }
}

fn c_string(text: String) -> CString {
    CString::new(text).expect("no argument and no variable here has a NUL")
}
