//! Helpers for the tests: launches of the real binary from a prepared state, small C
//! programs to launch, temporary directories.

#![allow(dead_code)] // each test target uses only a part

use std::ffi::{CString, OsStr, OsString};
use std::fs;
use std::io::{self, Write};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::{env, process, ptr, thread};

/// Returns the path of the program under test: the one that OOMEXEC_TEST_BINARY names, an
/// absolute path, or else Cargo's build.
pub fn oomexec() -> &'static str {
    static FILE: OnceLock<String> = OnceLock::new();
    FILE.get_or_init(|| {
        let chosen = env::var("OOMEXEC_TEST_BINARY");
        chosen.unwrap_or_else(|_| env!("CARGO_BIN_EXE_oomexec").to_owned())
    })
}

/// `nobody`, an unprivileged user.
pub const NOBODY: libc::uid_t = 65534;

/// A temporary directory that every user may read, removed on drop.
pub struct TempDir(PathBuf);

impl TempDir {
    pub fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("oomexec-test-{}-{count}", process::id());
        let path = env::temp_dir().join(name);
        fs::create_dir(&path).expect("a new directory");
        set_mode(&path, 0o755);
        Self(path)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Returns the path of `name` in this directory.
    pub fn join(&self, name: impl AsRef<Path>) -> PathBuf {
        self.0.join(name)
    }

    /// Creates a directory below.
    pub fn dir(&self, name: &str) -> PathBuf {
        let path = self.join(name);
        fs::create_dir_all(&path).expect("a new directory");
        path
    }

    /// Creates a file with this content and this mode.
    pub fn file(&self, name: &str, content: impl AsRef<[u8]>, mode: u32) -> PathBuf {
        let path = self.join(name);
        fs::create_dir_all(path.parent().expect("a directory")).expect("directories");
        write(&path, content, mode);
        path
    }

    /// Creates a FIFO that nobody reads or writes.
    pub fn fifo(&self, name: &str) -> PathBuf {
        let path = self.join(name);
        fs::create_dir_all(path.parent().expect("a directory")).expect("directories");
        // SAFETY: the path is a C string.
        check(unsafe { libc::mkfifo(c_string(&path).as_ptr(), 0o666) }).expect("a FIFO");
        path
    }

    /// Copies an executable file so that every user may run it.
    pub fn copy(&self, file: impl AsRef<Path>, name: &str) -> PathBuf {
        self.file(name, fs::read(file).expect("the original"), 0o755)
    }
}

impl Drop for TempDir {
    fn drop(&mut self) {
        // This fails if a test has made a directory unreadable.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Writes a file that can be run at once.
///
/// A child process writes it: a file that this process has open for writing stays
/// open in a child that another thread forks, and execve(2) fails with ETXTBSY.
pub fn write(path: &Path, content: impl AsRef<[u8]>, mode: u32) {
    let mut cat = Command::new("/bin/sh")
        .args(["-c", "cat > \"$0\""])
        .arg(path)
        .stdin(Stdio::piped())
        .spawn()
        .expect("sh");
    let mut stdin = cat.stdin.take().expect("a pipe");
    stdin.write_all(content.as_ref()).expect("written");
    drop(stdin);
    assert!(cat.wait().expect("sh").success());
    set_mode(path, mode);
}

pub fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("the mode");
}

/// Compiles `tests/programs/NAME.c` if needed; returns the static program.
pub fn program(name: &str) -> PathBuf {
    static LOCK: Mutex<()> = Mutex::new(());
    let _guard = LOCK.lock().unwrap_or_else(PoisonError::into_inner);
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/programs/{name}.c"));
    let made = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let modified = |path: &Path| path.metadata().and_then(|meta| meta.modified()).ok();
    if modified(&made) < modified(&source) {
        // Renamed into place, so that no other test binary sees half of it.
        let new = made.with_extension(process::id().to_string());
        let mut cc = Command::new("cc");
        cc.args([
            "-std=gnu11",
            "-O1",
            "-Wall",
            "-Wextra",
            "-Werror",
            "-static",
            "-o",
        ]);
        run(cc.arg(&new).arg(&source));
        fs::rename(&new, &made).expect("renamed");
    }
    made
}

/// Runs a tool that must succeed; returns its stdout.
pub fn run(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| {
        panic!("{command:?}: {error}; scripts/test installs what is needed")
    });
    assert!(
        output.status.success(),
        "{command:?}: {}",
        text(&output.stderr)
    );
    text(&output.stdout)
}

/// Returns the path of a tool that a test needs.
///
/// # Panics
///
/// If it is missing: a test that cannot run does not pass.
pub fn tool(name: &str) -> PathBuf {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path)
        .chain(["/usr/sbin".into(), "/sbin".into()])
        .map(|dir| dir.join(name))
        .find(|file| file.exists())
        .unwrap_or_else(|| panic!("this test needs {name}; scripts/test installs it"))
}

/// Returns whether this machine lacks a privilege or a kernel that a test needs.
///
/// If so, it prints the name of the test, which then does nothing. With CI set the
/// test fails instead.
#[must_use]
pub fn lacks(need: &str, there: bool) -> bool {
    if !there {
        let test = this_test();
        assert!(env::var_os("CI").is_none(), "{test} needs {need}");
        print(&format!("NOT TESTED HERE: {test}: it needs {need}"));
    }
    !there
}

/// Returns whether qemu's user emulation runs the program under test, as
/// scripts/test-emulated has it, so that this test is left out. scripts/test runs it on
/// this machine, and `scripts/test-vm --suites` on others.
#[must_use]
pub fn emulated(why: &str) -> bool {
    left_out(is_emulated(), why)
}

/// [`emulated`], for a 32-bit program only.
#[must_use]
pub fn emulated_32(why: &str) -> bool {
    left_out(is_emulated() && is_32_bit(), why)
}

/// Returns whether the program under test is a 32-bit one that makes other system calls
/// than this test, which is then left out.
#[must_use]
pub fn foreign_calls(why: &str) -> bool {
    left_out(!is_emulated() && is_32_bit() && usize::BITS == 64, why)
}

fn left_out(left_out: bool, why: &str) -> bool {
    if left_out {
        print(&format!("LEFT OUT: {}: {why}", this_test()));
    }
    left_out
}

fn is_emulated() -> bool {
    env::var_os("OOMEXEC_TEST_EMULATED").is_some()
}

/// Whether the program under test has an ELF header of the class ELFCLASS32.
fn is_32_bit() -> bool {
    fs::read(oomexec()).expect("the program").get(4) == Some(&1)
}

/// Returns the name of the test that runs on this thread.
fn this_test() -> String {
    thread::current().name().unwrap_or("a test").to_owned()
}

/// Prints a line on stderr, also if the test passes: the test harness hides what
/// eprintln! prints.
fn print(line: &str) {
    let line = format!("\n{line}\n");
    io::stderr().write_all(line.as_bytes()).expect("stderr");
}

/// Returns whether [`Launch::own_mounts`] fails here.
#[must_use]
pub fn lacks_own_mounts() -> bool {
    let mut launch = Launch::new("/bin/true", ["true"]).own_mounts();
    let run = launch.command().status();
    lacks("a mount namespace of its own (unshare(2))", run.is_ok())
}

/// Returns whether an unprivileged user cannot create a user namespace.
#[must_use]
pub fn lacks_user_namespaces() -> bool {
    let run = Launch::new(tool("unshare"), ["unshare", "-Ur", "/bin/true"]);
    lacks(
        "user namespaces for an unprivileged user (user_namespaces(7))",
        run.unprivileged().output().status.success(),
    )
}

pub fn is_root() -> bool {
    // SAFETY: the call cannot fail and touches no memory.
    unsafe { libc::geteuid() == 0 }
}

pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

pub fn c_string(text: impl AsRef<OsStr>) -> CString {
    CString::new(text.as_ref().as_bytes()).expect("no NUL inside")
}

/// Returns this process's own score, which no launch may change.
pub fn own_score() -> String {
    fs::read_to_string("/proc/self/oom_score_adj").expect("/proc")
}

/// A program to launch, its exact argv and environment, and the steps that prepare
/// the new process.
pub struct Launch {
    file: CString,
    argv: Vec<CString>,
    envp: Vec<CString>,
    prepare: Vec<Box<dyn FnMut() -> io::Result<()> + Send + Sync>>,
    command: Command,
}

impl Launch {
    /// Returns a launch of `file` with exactly this argv.
    pub fn new<A: AsRef<OsStr>>(file: impl AsRef<Path>, argv: impl IntoIterator<Item = A>) -> Self {
        let mut command = Command::new("/nonexistent");
        command.stdin(Stdio::null());
        Self {
            file: c_string(file.as_ref()),
            argv: argv.into_iter().map(c_string).collect(),
            envp: Vec::new(),
            prepare: Vec::new(),
            command,
        }
    }

    /// Returns a launch of oomexec with these arguments and no environment.
    pub fn oomexec<A: AsRef<OsStr>>(args: impl IntoIterator<Item = A>) -> Self {
        Self::through(oomexec(), args)
    }

    /// Returns a launch of `launcher` with its file name as argv\[0\].
    pub fn through<A: AsRef<OsStr>>(
        launcher: impl AsRef<Path>,
        args: impl IntoIterator<Item = A>,
    ) -> Self {
        let launcher = launcher.as_ref();
        let name = launcher.file_name().expect("a file").to_owned();
        let args = args.into_iter().map(|arg| arg.as_ref().to_owned());
        Self::new(launcher, std::iter::once(name).chain(args))
    }

    /// Adds an entry to the environment: any bytes, also repeated.
    pub fn env(mut self, entry: impl AsRef<OsStr>) -> Self {
        self.envp.push(c_string(entry));
        self
    }

    /// Adds a PATH of these elements.
    pub fn path(self, elements: &[&[u8]]) -> Self {
        let mut entry = b"PATH=".to_vec();
        entry.extend(elements.join(&b':'));
        self.env(OsString::from_vec(entry))
    }

    pub fn dir(mut self, dir: impl AsRef<Path>) -> Self {
        self.command.current_dir(dir);
        self
    }

    pub fn stdin(mut self, stdin: impl Into<Stdio>) -> Self {
        self.command.stdin(stdin);
        self
    }

    pub fn stdout(mut self, stdout: impl Into<Stdio>) -> Self {
        self.command.stdout(stdout);
        self
    }

    pub fn stderr(mut self, stderr: impl Into<Stdio>) -> Self {
        self.command.stderr(stderr);
        self
    }

    /// Adds a step that the new process runs before the exec. It must not allocate
    /// or take a lock: the process is the fork of one with threads.
    pub fn prepare(mut self, step: impl FnMut() -> io::Result<()> + Send + Sync + 'static) -> Self {
        self.prepare.push(Box::new(step));
        self
    }

    /// Ends the process with SIGALRM if it hangs.
    pub fn or_alarm(self) -> Self {
        self.prepare(|| {
            // SAFETY: the call takes a number; the exec keeps the alarm.
            unsafe { libc::alarm(30) };
            Ok(())
        })
    }

    /// Launches as an unprivileged user: `nobody` if this process is root.
    pub fn unprivileged(self) -> Self {
        if !is_root() {
            return self;
        }
        self.prepare(|| {
            // SAFETY: the calls take numbers and a null list of groups.
            unsafe {
                check(libc::setgroups(0, ptr::null()))?;
                check(libc::setgid(NOBODY))?;
                check(libc::setuid(NOBODY))
            }
        })
    }

    /// Launches in a new mount namespace, with the privilege to mount in it. For a
    /// user who is not root, it also creates a user namespace.
    pub fn own_mounts(self) -> Self {
        // SAFETY: the calls take no memory.
        let (uid, gid) = unsafe { (libc::getuid(), libc::getgid()) };
        let maps = [
            (c"/proc/self/setgroups", "deny".to_owned()),
            (c"/proc/self/uid_map", format!("0 {uid} 1")),
            (c"/proc/self/gid_map", format!("0 {gid} 1")),
        ];
        let root = is_root();
        self.prepare(move || {
            // SAFETY: the calls take numbers and C strings that outlive them.
            unsafe {
                if root {
                    check(libc::unshare(libc::CLONE_NEWNS))?;
                } else {
                    check(libc::unshare(libc::CLONE_NEWNS | libc::CLONE_NEWUSER))?;
                    for (file, map) in &maps {
                        let fd = libc::open(file.as_ptr(), libc::O_WRONLY | libc::O_CLOEXEC);
                        check(fd)?;
                        let len = libc::write(fd, map.as_ptr().cast(), map.len());
                        check(len as libc::c_int)?;
                        libc::close(fd);
                    }
                }
                let private = libc::MS_REC | libc::MS_PRIVATE;
                check(libc::mount(
                    ptr::null(),
                    c"/".as_ptr(),
                    ptr::null(),
                    private,
                    ptr::null(),
                ))
            }
        })
    }

    /// Launches with `dir` as the root; nothing is mounted in it, not even /proc.
    pub fn in_root(self, dir: &TempDir) -> Self {
        let root = c_string(dir.path());
        self.own_mounts().prepare(move || {
            // SAFETY: the paths are C strings.
            unsafe {
                check(libc::chroot(root.as_ptr()))?;
                check(libc::chdir(c"/".as_ptr()))
            }
        })
    }

    /// Launches, waits, and asserts that this process keeps its own score.
    pub fn output(mut self) -> Output {
        let before = own_score();
        let output = self.command().output();
        assert_eq!(own_score(), before, "the caller's own score changed");
        output.unwrap_or_else(|error| panic!("cannot launch: {error}"))
    }

    /// Launches without waiting; returns the child.
    pub fn spawn(mut self) -> process::Child {
        let child = self.command().spawn();
        child.unwrap_or_else(|error| panic!("cannot launch: {error}"))
    }

    fn command(&mut self) -> &mut Command {
        let file = self.file.clone();
        let argv = Array::new(&self.argv);
        let envp = Array::new(&self.envp);
        let mut prepare = std::mem::take(&mut self.prepare);
        let exec = move || {
            for step in &mut prepare {
                step()?;
            }
            // SAFETY: the file is a C string, both arrays hold C strings up to a
            // null pointer, and the closure owns all of them.
            unsafe { libc::execve(file.as_ptr(), argv.as_ptr(), envp.as_ptr()) };
            Err(io::Error::last_os_error())
        };
        // SAFETY: the steps do what `prepare` allows, execve is
        // async-signal-safe, and an error is made from a number.
        unsafe { self.command.pre_exec(exec) }
    }
}

/// A null-terminated array of C strings, for execve(2).
struct Array {
    pointers: Vec<*const libc::c_char>,
    _strings: Vec<CString>,
}

impl Array {
    fn new(strings: &[CString]) -> Self {
        let _strings = strings.to_vec();
        let pointers = _strings.iter().map(|string| string.as_ptr());
        let pointers = pointers.chain([ptr::null()]).collect();
        Self { pointers, _strings }
    }

    fn as_ptr(&self) -> *const *const libc::c_char {
        self.pointers.as_ptr()
    }
}

// SAFETY: the pointers point into the heap memory of the strings beside them and
// are only read.
unsafe impl Send for Array {}
// SAFETY: the same.
unsafe impl Sync for Array {}

/// Returns the error of a libc call that returned -1.
pub fn check(result: libc::c_int) -> io::Result<()> {
    if result == -1 {
        Err(io::Error::last_os_error())
    } else {
        Ok(())
    }
}

/// Sets the score of the new process before it becomes oomexec.
pub fn inherited(launch: Launch, score: &'static str) -> Launch {
    launch.prepare(move || {
        // SAFETY: the path is a C string, and the bytes are there.
        unsafe {
            let fd = libc::open(
                c"/proc/self/oom_score_adj".as_ptr(),
                libc::O_WRONLY | libc::O_CLOEXEC,
            );
            check(fd)?;
            check(libc::write(fd, score.as_ptr().cast(), score.len()) as libc::c_int)?;
            check(libc::close(fd))
        }
    })
}

/// Launches with a read-only /proc in a new mount namespace.
pub fn read_only_proc(launch: Launch) -> Launch {
    // This remounts a bind mount: a remount of /proc itself would make it
    // read-only for the whole machine.
    launch.own_mounts().prepare(|| {
        let restricted = libc::MS_NOSUID | libc::MS_NODEV | libc::MS_NOEXEC;
        let read_only = libc::MS_BIND | libc::MS_REMOUNT | libc::MS_RDONLY | restricted;
        let bind = libc::MS_BIND | libc::MS_REC;
        let proc = c"/proc".as_ptr();
        // SAFETY: the path is a C string.
        unsafe {
            check(libc::mount(proc, proc, ptr::null(), bind, ptr::null()))?;
            check(libc::mount(
                ptr::null(),
                proc,
                ptr::null(),
                read_only,
                ptr::null(),
            ))
        }
    })
}

/// The Landlock system calls, which libc does not name on every machine.
pub const CREATE_RULESET: libc::c_long = 444;
pub const ADD_RULE: libc::c_long = 445;
pub const RESTRICT_SELF: libc::c_long = 446;
pub const LANDLOCK_ACCESS_FS_WRITE_FILE: u64 = 1 << 1;
pub const LANDLOCK_ACCESS_FS_TRUNCATE: u64 = 1 << 14;

/// Returns whether the kernel's Landlock is older than `abi` or missing.
#[must_use]
pub fn lacks_landlock(abi: libc::c_long) -> bool {
    const VERSION: libc::c_uint = 1;
    // SAFETY: with this flag, the call takes no pointer.
    let here = unsafe { libc::syscall(CREATE_RULESET, ptr::null::<u8>(), 0_usize, VERSION) };
    lacks(
        &format!("Landlock, ABI {abi} (landlock(7)); it is {here} here"),
        here >= abi,
    )
}

/// Confines a launch by a Landlock ruleset (landlock(7)) that handles the rights
/// `handled` and grants `granted` beneath the root.
pub fn landlocked(launch: Launch, handled: u64, granted: u64) -> Launch {
    #[repr(C, packed)]
    struct PathBeneath {
        allowed_access: u64,
        parent_fd: i32,
    }
    const RULE_PATH_BENEATH: libc::c_int = 1;
    launch.prepare(move || {
        // SAFETY: the structures are this function's own and have the kernel's
        // sizes; the descriptors are new.
        unsafe {
            let ruleset =
                libc::syscall(CREATE_RULESET, &handled, size_of_val(&handled), 0) as libc::c_int;
            check(ruleset)?;
            if granted != 0 {
                let root = libc::open(c"/".as_ptr(), libc::O_PATH | libc::O_CLOEXEC);
                check(root)?;
                let rule = PathBeneath {
                    allowed_access: granted,
                    parent_fd: root,
                };
                check(
                    libc::syscall(ADD_RULE, ruleset, RULE_PATH_BENEATH, &rule, 0) as libc::c_int,
                )?;
                libc::close(root);
            }
            check(libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))?;
            check(libc::syscall(RESTRICT_SELF, ruleset, 0) as libc::c_int)?;
            check(libc::close(ruleset))
        }
    })
}

/// Sets no_new_privs, which [`filtered`] needs without CAP_SYS_ADMIN.
pub fn no_new_privs(launch: Launch) -> Launch {
    // SAFETY: the call takes numbers.
    launch.prepare(|| check(unsafe { libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) }))
}

/// Which calls of one number a filter matches: all, those with a value in an argument
/// (the first is 0), or those with a bit set in it.
#[derive(Clone, Copy, Debug)]
pub enum Calls {
    All,
    With(u32, u32),
    WithBit(u32, u32),
}

/// Makes a system call fail with an errno, in the launch and its descendants
/// (seccomp(2)).
pub fn filtered(launch: Launch, call: libc::c_long, which: Calls, errno: libc::c_int) -> Launch {
    const LOAD: u16 = 0x20;
    const EQUAL: u16 = 0x15;
    const HAS_BIT: u16 = 0x45;
    const ANSWER: u16 = 0x06;
    let step = |code, k, jf| libc::sock_filter { code, jt: 0, jf, k };
    // Offsets in struct seccomp_data: the number is at 0, the arguments at 16.
    let argument = |at| step(LOAD, 16 + 8 * at, 0);
    let mut filter = vec![step(LOAD, 0, 0)];
    match which {
        Calls::All => filter.push(step(EQUAL, call as u32, 1)),
        Calls::With(at, value) => filter.extend([
            step(EQUAL, call as u32, 3),
            argument(at),
            step(EQUAL, value, 1),
        ]),
        Calls::WithBit(at, bit) => filter.extend([
            step(EQUAL, call as u32, 3),
            argument(at),
            step(HAS_BIT, bit, 1),
        ]),
    }
    let refuse = libc::SECCOMP_RET_ERRNO | errno as u32;
    filter.extend([
        step(ANSWER, refuse, 0),
        step(ANSWER, libc::SECCOMP_RET_ALLOW, 0),
    ]);
    launch.prepare(move || {
        let len = filter.len() as libc::c_ushort;
        let program = libc::sock_fprog {
            len,
            filter: filter.as_ptr().cast_mut(),
        };
        // SAFETY: the filter is the closure's own, and the kernel copies it.
        check(unsafe { libc::prctl(libc::PR_SET_SECCOMP, libc::SECCOMP_MODE_FILTER, &program) })
    })
}

/// The output of `tests/programs/show.c`.
#[derive(Debug, PartialEq, Eq)]
pub struct Shown {
    pub score: String,
    pub file: String,
    pub argv: Vec<String>,
}

/// Parses the output of `show`; asserts success and an empty stderr.
#[track_caller]
pub fn shown(output: &Output) -> Shown {
    assert_eq!(text(&output.stderr), "");
    assert_eq!(output.status.code(), Some(0));
    let stdout = text(&output.stdout);
    let mut lines = stdout.lines();
    let mut field = |name: &str| {
        let line = lines.next().unwrap_or_else(|| panic!("no {name}"));
        line.strip_prefix(name).expect(line).trim_start().to_owned()
    };
    let (score, file) = (field("score"), field("file"));
    let argv = lines.map(|line| line.split_once(' ').expect(line).1.to_owned());
    Shown {
        score,
        file,
        argv: argv.collect(),
    }
}

/// Asserts this exit status, this line on stderr and an empty stdout.
#[track_caller]
pub fn failed(output: &Output, status: i32, line: &str) {
    assert_eq!(text(&output.stderr), format!("{line}\n"));
    assert_eq!(output.status.code(), Some(status));
    assert_eq!(text(&output.stdout), "");
}
