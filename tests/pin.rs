//! `--pin` refuses the child and its descendants the usual way to set their score, and
//! nothing else. If the pin fails, the command runs without it.

mod testenv;

use std::env;
use std::ffi::OsString;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process;
use std::ptr;

use testenv::{
    ADD_RULE, CREATE_RULESET, Calls, Launch, RESTRICT_SELF, TempDir, c_string, check, filtered,
    foreign_calls, inherited, lacks_landlock, lacks_own_mounts, lacks_user_namespaces, oomexec,
    own_score, program, set_mode, text, tool,
};

const SCORE: &str = "/proc/self/oom_score_adj";

/// oomexec and `pinned`, where every user may run them.
struct Pin {
    dir: TempDir,
    oomexec: PathBuf,
    pinned: PathBuf,
}

impl Pin {
    fn new() -> Self {
        let dir = TempDir::new();
        set_mode(dir.path(), 0o777);
        let oomexec = dir.copy(oomexec(), "oomexec");
        let pinned = dir.copy(program("pinned"), "pinned");
        Self {
            dir,
            oomexec,
            pinned,
        }
    }

    /// Returns a launch of oomexec with these options and this command.
    fn launch<A: Into<OsString>>(
        &self,
        options: &[&str],
        command: impl IntoIterator<Item = A>,
    ) -> Launch {
        let options = options.iter().chain([&"--"]).map(OsString::from);
        let command = command.into_iter().map(Into::into);
        Launch::through(&self.oomexec, options.chain(command))
    }

    /// Returns the `pinned` command that resets its score to this process's.
    fn lowering(&self) -> Vec<OsString> {
        let own = own_score();
        self.ways(&own, &[("creat", SCORE.as_ref())])
    }

    /// Returns the `pinned` command that tries these ways.
    fn ways(&self, write: &str, ways: &[(&str, &Path)]) -> Vec<OsString> {
        let mut command = vec![self.pinned.clone().into(), write.trim().into()];
        for (way, file) in ways {
            command.extend([way.into(), file.into()]);
        }
        command
    }

    /// Returns a pinned launch that tries to lower its score.
    fn tempted(&self) -> Launch {
        self.launch(&["--pin"], self.lowering())
    }

    /// Returns an unprivileged pinned launch in which strace(1) makes one of oomexec's
    /// calls fail.
    fn with_fault(&self, fault: &str, ways: &[(&str, &Path)]) -> Launch {
        let inject = format!("inject={fault}");
        let mut args: Vec<OsString> = ["-o", "/dev/null", "-e", &inject].map(Into::into).into();
        args.extend([self.oomexec.clone().into(), "--pin".into(), "--".into()]);
        args.extend(self.ways(&own_score(), ways));
        Launch::through(tool("strace"), args).unprivileged()
    }
}

/// Returns the stdout of a launch; asserts success and an empty stderr.
#[track_caller]
fn said(launch: Launch) -> String {
    let output = launch.output();
    assert_eq!(text(&output.stderr), "");
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    text(&output.stdout)
}

/// The output of a child that cannot lower its score.
fn held_at(score: &str, no_new_privs: u8) -> String {
    format!(
        "score {score}\nno_new_privs {no_new_privs}\n\
         creat {SCORE}: Permission denied\nscore {score}\n"
    )
}

fn held(no_new_privs: u8) -> String {
    held_at("1000", no_new_privs)
}

/// The output of a child that is raised but not pinned: it lowers its score.
fn let_go() -> String {
    let own = own_score();
    format!("score 1000\nno_new_privs 0\ncreat {SCORE}: ok\nscore {own}")
}

/// Drops CAP_SYS_ADMIN at the exec; every launch in its own namespaces has it.
fn without_sys_admin(launch: Launch) -> Launch {
    const CAP_SYS_ADMIN: libc::c_int = 21;
    // SAFETY: the call takes numbers.
    launch.prepare(|| check(unsafe { libc::prctl(libc::PR_CAPBSET_DROP, CAP_SYS_ADMIN, 0, 0, 0) }))
}

#[test]
fn an_unprivileged_child_is_pinned_and_has_no_new_privs() {
    if lacks_landlock(3) {
        return;
    }
    let pin = Pin::new();
    assert_eq!(said(pin.tempted().unprivileged()), held(1));
    // Without the pin.
    let raised = pin.launch(&[], pin.lowering());
    assert_eq!(said(raised.unprivileged()), let_go());
}

#[test]
fn a_child_of_a_caller_with_cap_sys_admin_is_pinned_without_no_new_privs() {
    if lacks_landlock(3) || lacks_own_mounts() {
        return;
    }
    let pin = Pin::new();
    assert_eq!(said(pin.tempted().own_mounts()), held(0));
    let without = without_sys_admin(pin.tempted().own_mounts());
    assert_eq!(said(without), held(1));
}

#[test]
fn a_given_score_is_pinned_too() {
    if lacks_landlock(3) {
        return;
    }
    let pin = Pin::new();
    let launch = pin.launch(&["--pin", "-n", "500"], pin.lowering());
    assert_eq!(said(launch.unprivileged()), held_at("500", 1));
}

#[test]
fn grandchildren_inherit_the_pin() {
    if lacks_landlock(3) {
        return;
    }
    let pin = Pin::new();
    // The final `true` stops each shell from becoming its command.
    let shells = ["/bin/sh", "-c", "\"$0\" \"$@\"; true"].repeat(3);
    let mut command: Vec<_> = shells.into_iter().map(OsString::from).collect();
    command.extend(pin.lowering());
    let launch = pin.launch(&["--pin"], command).path(&[b"/bin"]);
    assert_eq!(said(launch.unprivileged()), held(1));
}

#[test]
fn nested_pins_beyond_the_kernels_limit_are_no_failure() {
    if lacks_landlock(3) {
        return;
    }
    // More than the kernel's 16 layers of Landlock.
    let pin = Pin::new();
    let mut command = Vec::new();
    for _ in 0..20 {
        command.extend([pin.oomexec.clone().into(), "--pin".into(), "--".into()]);
    }
    command.extend(pin.lowering());
    assert_eq!(
        said(pin.launch(&["--pin"], command).unprivileged()),
        held(1)
    );
}

#[test]
fn the_opt_out_turns_off_the_pin_and_the_raise() {
    if lacks_landlock(3) {
        return;
    }
    let pin = Pin::new();
    // 400 is higher than 321, and every process may raise its score.
    let command = pin.ways("400", &[("creat", SCORE.as_ref())]);
    let launch = inherited(pin.launch(&["--pin"], command), "321");
    let launch = launch.env("OPENCLAW_CHILD_OOM_SCORE_ADJ=0").unprivileged();
    assert_eq!(
        said(launch),
        format!("score 321\nno_new_privs 0\ncreat {SCORE}: ok\nscore 400\n")
    );
}

#[test]
fn every_way_in_c_to_truncate_the_score_file_is_refused() {
    if lacks_landlock(3) {
        return;
    }
    let pin = Pin::new();
    let ways = ["creat", "O_TRUNC", "fopen", "truncate", "ftruncate"];
    let command = pin.ways(&own_score(), &ways.map(|way| (way, SCORE.as_ref())));
    let mut refused = "score 1000\nno_new_privs 1\n".to_owned();
    for way in ways {
        refused += &format!("{way} {SCORE}: Permission denied\n");
    }
    refused += "score 1000\n";
    assert_eq!(
        said(pin.launch(&["--pin"], command).unprivileged()),
        refused
    );
}

#[test]
fn a_write_that_does_not_truncate_is_allowed() {
    if lacks_landlock(3) {
        return;
    }
    let pin = Pin::new();
    let own = own_score();
    let command = pin.ways(
        &own,
        &[("creat", SCORE.as_ref()), ("O_WRONLY", SCORE.as_ref())],
    );
    assert_eq!(
        said(pin.launch(&["--pin"], command).unprivileged()),
        format!(
            "score 1000\nno_new_privs 1\ncreat {SCORE}: Permission denied\n\
             O_WRONLY {SCORE}: ok\nscore {own}"
        )
    );
}

#[test]
fn a_shells_redirection_is_refused() {
    if lacks_landlock(3) {
        return;
    }
    let pin = Pin::new();
    let own = own_score();
    let code = format!("echo \"$0\" > {SCORE}; read score < {SCORE}; echo \"$score\"");
    let shells = ["/bin/sh", "/bin/dash", "/bin/bash", "/bin/zsh"];
    let shells: Vec<_> = shells.iter().filter(|sh| Path::new(sh).exists()).collect();
    assert!(shells.contains(&&"/bin/sh"));
    for shell in shells {
        let lower = |options| {
            let command = [shell, "-c", &code, own.trim()];
            pin.launch(options, command).unprivileged().output()
        };
        let (pinned, raised) = (lower(&["--pin"]), lower(&[]));
        assert_eq!(text(&pinned.stdout), "1000\n", "{shell}");
        let complaint = text(&pinned.stderr);
        assert!(
            complaint.to_lowercase().contains("permission denied"),
            "{shell}: {complaint}"
        );
        assert_eq!(
            (text(&raised.stdout), text(&raised.stderr)),
            (own.clone(), String::new()),
            "{shell}"
        );
    }
}

/// Adds the variables that a version manager's interpreters need.
fn at_home(launch: Launch) -> Launch {
    ["PATH", "HOME"].iter().fold(launch, |launch, name| {
        let mut entry = OsString::from(format!("{name}="));
        entry.push(env::var_os(name).unwrap_or_default());
        launch.env(entry)
    })
}

/// Asserts that an interpreter cannot lower its score. Its code prints the errno's
/// name and the score.
#[track_caller]
fn refuses(interpreter: &Path, option: &str, code: &str) {
    if lacks_landlock(3) {
        return;
    }
    let pin = Pin::new();
    let own = own_score();
    let lower = |options| {
        let command = [interpreter.as_os_str(), option.as_ref(), code.as_ref()];
        at_home(pin.launch(options, command)).env(format!("OWN={}", own.trim()))
    };
    assert_eq!(said(lower(&["--pin"])), "EACCES\n1000\n");
    assert_eq!(said(lower(&[])), own);
}

#[test]
fn pythons_open_for_writing_is_refused() {
    let code = "import errno, os
score = '/proc/self/oom_score_adj'
try:
    with open(score, 'w') as file:
        file.write(os.environ['OWN'])
except OSError as error:
    print(errno.errorcode[error.errno])
print(open(score).read(), end='')";
    refuses(&tool("python3"), "-c", code);
}

#[test]
fn nodes_write_file_is_refused() {
    let code = "const fs = require('fs'), score = '/proc/self/oom_score_adj';
try { fs.writeFileSync(score, process.env.OWN) } catch (error) { console.log(error.code) }
process.stdout.write(fs.readFileSync(score, 'utf8'))";
    refuses(&tool("node"), "-e", code);
}

/// Every Landlock ruleset refuses this unless a rule grants it.
#[test]
fn files_and_directories_can_be_moved_and_linked_to_other_directories() {
    if lacks_landlock(3) {
        return;
    }
    let pin = Pin::new();
    for dir in ["from", "from/dir", "to"] {
        pin.dir.dir(dir);
    }
    pin.dir.file("from/file", "content", 0o644);
    let code = "import os
os.link('from/file', 'to/linked')
os.rename('from/file', 'to/moved')
os.rename('from/dir', 'to/dir')
os.rename('to/moved', 'moved')
print(sorted(os.listdir('to')))";
    let python = tool("python3");
    let command = [python.as_os_str(), "-c".as_ref(), code.as_ref()];
    let launch = at_home(pin.launch(&["--pin"], command));
    assert_eq!(said(launch.dir(pin.dir.path())), "['dir', 'linked']\n");
    let moved = fs::read_to_string(pin.dir.join("moved")).unwrap();
    assert_eq!(moved, "content");
}

#[test]
fn every_other_file_can_be_truncated_in_every_way() {
    if lacks_landlock(3) {
        return;
    }
    let pin = Pin::new();
    let dir = pin.dir.path();
    let file = |name: &str| pin.dir.file(name, "content", 0o666);
    let shm = format!("/oomexec-test-{}", process::id());
    let here = file("here");
    let link = pin.dir.join("link");
    symlink(&here, &link).unwrap();
    let (first, second) = (file("first"), file("second"));
    let (third, fourth) = (file("third"), file("fourth"));
    let ways: [(&str, &Path); 13] = [
        ("creat", &first),
        ("O_TRUNC", &second),
        ("fopen", &third),
        ("truncate", &fourth),
        ("ftruncate", &first),
        ("O_TRUNC", "here".as_ref()),
        ("O_TRUNC", &link),
        ("creat", "new".as_ref()),
        ("O_TRUNC", "/dev/null".as_ref()),
        ("tmpfile", "-".as_ref()),
        ("O_TMPFILE", dir),
        ("memfd", "name".as_ref()),
        ("shm_open", shm.as_ref()),
    ];
    let mut expected = "score 1000\nno_new_privs 1\n".to_owned();
    for (way, file) in ways {
        expected += &format!("{way} {}: ok\n", file.display());
    }
    expected += "score 1000\n";
    let launch = pin.launch(&["--pin"], pin.ways("7", &ways)).dir(dir);
    assert_eq!(said(launch.unprivileged()), expected);
    for file in [first, second, third, fourth, here, pin.dir.join("new")] {
        assert_eq!(
            fs::read_to_string(&file).unwrap(),
            "7",
            "{}",
            file.display()
        );
    }

    let file = file("redirected");
    let command = ["/bin/sh", "-c", ": > redirected; echo line > other"];
    let launch = pin.launch(&["--pin"], command).dir(dir);
    assert_eq!(said(launch.unprivileged()), "");
    assert_eq!(fs::read_to_string(file).unwrap(), "");
    assert_eq!(fs::read_to_string(pin.dir.join("other")).unwrap(), "line\n");
}

#[test]
fn user_namespaces_can_be_made_and_mapped() {
    // Chromium's sandbox needs them.
    if lacks_landlock(3) || lacks_user_namespaces() {
        return;
    }
    let pin = Pin::new();
    let mut command = vec![tool("unshare").into(), "-Ur".into()];
    command.extend(pin.lowering());
    let launch = pin.launch(&["--pin"], command);
    assert_eq!(said(launch.unprivileged()), held(1));
}

/// EACCES is the errno of an entry that may not be opened: here of all entries.
const ERRNOS: [libc::c_int; 5] = [
    libc::ENOSYS,
    libc::EPERM,
    libc::E2BIG,
    libc::EINVAL,
    libc::EACCES,
];

/// Returns the child's output when seccomp refuses this call: with CAP_SYS_ADMIN, and
/// without.
fn refused(pin: &Pin, call: libc::c_long, which: Calls, errno: libc::c_int) -> [String; 2] {
    let launch = || filtered(pin.tempted().own_mounts(), call, which, errno);
    [said(launch()), said(without_sys_admin(launch()))]
}

#[test]
fn when_seccomp_refuses_a_call_the_command_runs_unpinned_and_without_no_new_privs() {
    if foreign_calls("its seccomp filter is for 64-bit calls") {
        return;
    }
    if lacks_landlock(3) || lacks_own_mounts() {
        return;
    }
    let pin = Pin::new();
    for (call, which) in [
        (CREATE_RULESET, Calls::All),
        (ADD_RULE, Calls::All),
        (RESTRICT_SELF, Calls::All),
        (
            libc::SYS_openat,
            Calls::WithBit(2, libc::O_DIRECTORY as u32),
        ),
        (libc::SYS_openat, Calls::WithBit(2, libc::O_PATH as u32)),
        (libc::SYS_getdents64, Calls::All),
    ] {
        for errno in ERRNOS {
            let [with, without] = refused(&pin, call, which, errno);
            let case = format!("{call} {which:?} errno {errno}");
            assert_eq!(with, let_go(), "{case}");
            // EPERM of the kernel asks for no_new_privs; oomexec cannot tell a
            // filter's from it.
            if (call, errno) != (RESTRICT_SELF, libc::EPERM) {
                assert_eq!(without, let_go(), "{case}, without CAP_SYS_ADMIN");
            }
        }
    }
}

#[test]
fn where_no_new_privs_is_refused_only_callers_that_need_it_run_unpinned() {
    if foreign_calls("its seccomp filter is for 64-bit calls") {
        return;
    }
    if lacks_landlock(3) || lacks_own_mounts() {
        return;
    }
    let pin = Pin::new();
    let no_new_privs = Calls::With(0, libc::PR_SET_NO_NEW_PRIVS as u32);
    for errno in ERRNOS {
        let [with, without] = refused(&pin, libc::SYS_prctl, no_new_privs, errno);
        assert_eq!((with, without), (held(0), let_go()), "{errno}");
    }
}

#[test]
fn where_landlock_is_off_missing_or_too_old_the_command_runs_unpinned() {
    if lacks_landlock(3) || lacks_own_mounts() {
        return;
    }
    // The errno of a Landlock that is off at boot, not built in, below ABI 3.
    let pin = Pin::new();
    for errno in [libc::EOPNOTSUPP, libc::ENOSYS, libc::EINVAL] {
        let said = refused(&pin, CREATE_RULESET, Calls::All, errno);
        assert_eq!(said, [let_go(), let_go()], "{errno}");
    }
}

#[test]
fn a_ruleset_is_never_enforced_after_a_call_failed() {
    if foreign_calls("it injects faults into 64-bit calls") {
        return;
    }
    if lacks_landlock(3) {
        return;
    }
    let pin = Pin::new();
    let lowering: [(&str, &Path); 1] = [("creat", SCORE.as_ref())];
    // The first openat opens the score, the second the root.
    for fault in [
        "landlock_create_ruleset:error=ENOMEM:when=1",
        "openat:error=EMFILE:when=2",
        "openat:error=EMFILE:when=3",
        "openat:error=ENFILE:when=5",
        "openat:error=ENOMEM:when=5",
        "openat:error=EINTR:when=5",
        "getdents64:error=EIO:when=1",
        "getdents64:error=EIO:when=2",
        "landlock_add_rule:error=ENOMEM:when=1",
        "landlock_add_rule:error=ENOMEM:when=3",
        "landlock_restrict_self:error=E2BIG:when=1",
        "prctl:error=EINVAL:when=1",
    ] {
        assert_eq!(said(pin.with_fault(fault, &lowering)), let_go(), "{fault}");
    }
}

#[test]
fn an_entry_that_cannot_be_opened_gets_no_rule_and_the_pin_works() {
    if lacks_landlock(3) {
        return;
    }
    let pin = Pin::new();
    let (out, shm) = (
        pin.dir.file("out", "content", 0o666),
        format!("/oomexec-test-left-out-{}", process::id()),
    );
    let top = out.canonicalize().unwrap();
    let top = top.components().nth(1).expect("a path from the root on");
    // oomexec and this process read the entries in the kernel's order.
    let position = fs::read_dir("/")
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .filter(|name| name != "proc")
        .position(|name| name == top.as_os_str())
        .expect("the directory is beneath an entry of the root");
    // The first two openat calls open the score and the root.
    let fault = format!("openat:error=EACCES:when={}", position + 3);
    let ways: [(&str, &Path); 3] = [
        ("creat", SCORE.as_ref()),
        ("creat", &out),
        ("shm_open", shm.as_ref()),
    ];
    assert_eq!(
        said(pin.with_fault(&fault, &ways)),
        format!(
            "score 1000\nno_new_privs 1\ncreat {SCORE}: Permission denied\n\
             creat {}: Permission denied\nshm_open {shm}: ok\nscore 1000\n",
            out.display()
        )
    );
}

#[test]
fn with_too_few_descriptors_for_the_pin_the_command_runs_unpinned() {
    if lacks_landlock(3) {
        return;
    }
    let pin = Pin::new();
    let with_limit = |rlim_cur| {
        said(pin.tempted().unprivileged().prepare(move || {
            const CLOSE_RANGE_CLOEXEC: libc::c_uint = 1 << 2;
            let limit = libc::rlimit {
                rlim_cur,
                rlim_max: rlim_cur,
            };
            // SAFETY: the calls take numbers and this function's own limit.
            unsafe {
                // Other inherited descriptors must not count.
                let result = libc::syscall(
                    libc::SYS_close_range,
                    3,
                    libc::c_uint::MAX,
                    CLOSE_RANGE_CLOEXEC,
                );
                check(result as libc::c_int)?;
                check(libc::setrlimit(libc::RLIMIT_NOFILE, &limit))
            }
        }))
    };
    // Seven: the standard three, the score, the ruleset, the root, an entry.
    for limit in 4..7 {
        assert_eq!(with_limit(limit), let_go(), "{limit}");
    }
    assert_eq!(with_limit(7), held(1));
}

/// A root directory with oomexec, `pinned`, /proc, and what the test adds.
struct Root(TempDir);

impl Root {
    fn new() -> Self {
        let dir = TempDir::new();
        dir.copy(oomexec(), "oomexec");
        dir.copy(program("pinned"), "pinned");
        dir.dir("proc");
        Self(dir)
    }

    /// Returns the output of `pinned` in this root with these ways.
    #[track_caller]
    fn said(&self, ways: &[(&str, OsString)]) -> String {
        let own = own_score();
        let mut args = ["oomexec", "--pin", "--", "/pinned", own.trim()]
            .map(OsString::from)
            .to_vec();
        for (way, file) in ways {
            args.extend([way.into(), file.clone()]);
        }
        let root = c_string(self.0.path());
        let proc = c_string(self.0.join("proc"));
        let launch = Launch::new("/oomexec", args).own_mounts().prepare(move || {
            let bind = libc::MS_BIND | libc::MS_REC;
            // SAFETY: the paths are C strings.
            unsafe {
                check(libc::mount(
                    c"/proc".as_ptr(),
                    proc.as_ptr(),
                    ptr::null(),
                    bind,
                    ptr::null(),
                ))?;
                check(libc::chroot(root.as_ptr()))?;
                check(libc::chdir(c"/".as_ptr()))
            }
        });
        said(launch)
    }

    /// Asserts that the files can be truncated and the scores cannot.
    #[track_caller]
    fn holds(&self, files: &[OsString], scores: &[&str]) {
        let mut expected = "score 1000\nno_new_privs 0\n".to_owned();
        let mut ways = Vec::new();
        for file in files {
            ways.push(("O_TRUNC", file.clone()));
            expected += &format!("O_TRUNC {}: ok\n", file.to_str().expect("ASCII"));
        }
        for score in scores {
            ways.push(("creat", score.into()));
            expected += &format!("creat {score}: Permission denied\n");
        }
        expected += "score 1000\n";
        assert_eq!(self.said(&ways), expected);
    }
}

#[test]
fn files_in_200_root_entries_with_names_of_any_length_can_be_truncated() {
    if lacks_landlock(3) || lacks_own_mounts() {
        return;
    }
    let root = Root::new();
    let mut files = Vec::new();
    for at in 0..200 {
        // Names of 3 bytes to 255, the longest possible.
        let name = format!("{at:03}{}", "x".repeat(at * 252 / 199));
        let dir = root.0.dir(&name);
        fs::write(dir.join("file"), "content").unwrap();
        files.push(format!("/{name}/file").into());
    }
    let longest = fs::read_dir(root.0.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().as_bytes().len())
        .max();
    assert_eq!(longest, Some(255));
    root.holds(&files, &[SCORE]);
}

#[test]
fn a_plain_file_in_the_root_can_be_truncated() {
    if lacks_landlock(3) || lacks_own_mounts() {
        return;
    }
    let root = Root::new();
    root.0.file("plain", "content", 0o666);
    root.0.file(&"y".repeat(255), "content", 0o666);
    root.holds(
        &["/plain".into(), format!("/{}", "y".repeat(255)).into()],
        &[SCORE],
    );
}

#[test]
fn symbolic_links_in_the_root_allow_nothing_and_refuse_nothing() {
    if lacks_landlock(3) || lacks_own_mounts() {
        return;
    }
    let root = Root::new();
    fs::write(root.0.dir("usr").join("file"), "content").unwrap();
    for (link, target) in [
        ("to-usr", "usr"),
        ("to-proc", "proc"),
        ("to-self", "/proc/self"),
        ("to-score", SCORE),
        ("to-nothing", "/nonexistent"),
    ] {
        symlink(target, root.0.join(link)).unwrap();
    }
    root.holds(
        &["/to-usr/file".into()],
        &[
            SCORE,
            "/to-proc/self/oom_score_adj",
            "/to-self/oom_score_adj",
            "/to-score",
        ],
    );
}
