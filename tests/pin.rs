//! `--pin` refuses the child and its descendants the usual way to set their score, and
//! `--pin=write` every way; neither refuses anything else but what the man page lists. If
//! the pin fails, the command runs without it.

mod testenv;

use std::env;
use std::ffi::{CStr, CString, OsStr, OsString};
use std::fmt::Write as _;
use std::fs;
use std::io::{self, BufRead, BufReader, Write as _};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{self, Command, Stdio};
use std::ptr;

use testenv::{
    ADD_RULE, CREATE_RULESET, Calls, Launch, RESTRICT_SELF, TempDir, c_string, check, failed,
    filtered, foreign_calls, inherited, is_root, lacks, lacks_landlock, lacks_own_mounts,
    lacks_user_namespaces, oomexec, own_score, program, run, set_mode, text, tool,
};

const SCORE: &str = "/proc/self/oom_score_adj";

/// The options that pin, the weaker one first.
const STRENGTHS: [&str; 2] = ["--pin", "--pin=write"];

/// oomexec, `pinned` and `acts`, where every user may run them.
struct Pin {
    dir: TempDir,
    oomexec: PathBuf,
    pinned: PathBuf,
    acts: PathBuf,
}

impl Pin {
    fn new() -> Self {
        let dir = TempDir::new();
        set_mode(dir.path(), 0o777);
        let oomexec = dir.copy(oomexec(), "oomexec");
        let pinned = dir.copy(program("pinned"), "pinned");
        let acts = dir.copy(program("acts"), "acts");
        Self {
            dir,
            oomexec,
            pinned,
            acts,
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
    fn tempted(&self, strength: &str) -> Launch {
        self.launch(&[strength], self.lowering())
    }

    /// Returns an unprivileged pinned launch in which strace(1) tampers with oomexec's
    /// calls.
    fn with_fault(&self, strength: &str, fault: &str, ways: &[(&str, &Path)]) -> Launch {
        let inject = format!("inject={fault}");
        let mut args: Vec<OsString> = ["-o", "/dev/null", "-e", &inject].map(Into::into).into();
        args.extend([self.oomexec.clone().into(), strength.into(), "--".into()]);
        args.extend(self.ways(&own_score(), ways));
        Launch::through(tool("strace"), args).unprivileged()
    }

    /// Returns an unprivileged launch of these acts, in words with a space in between.
    fn acts(&self, options: &[&str], acts: &str) -> Launch {
        let words = acts.split(' ').map(OsString::from);
        let command = [OsString::from(&self.acts)].into_iter().chain(words);
        self.launch(options, command).unprivileged()
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
    for strength in STRENGTHS {
        let said = said(pin.tempted(strength).unprivileged());
        assert_eq!(said, held(1), "{strength}");
    }
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
    for strength in STRENGTHS {
        let launch = || pin.tempted(strength).own_mounts();
        assert_eq!(said(launch()), held(0), "{strength}");
        assert_eq!(said(without_sys_admin(launch())), held(1), "{strength}");
    }
}

#[test]
fn a_given_score_is_pinned_too() {
    if lacks_landlock(3) {
        return;
    }
    let pin = Pin::new();
    for strength in STRENGTHS {
        let launch = pin.launch(&[strength, "-n", "500"], pin.lowering());
        assert_eq!(said(launch.unprivileged()), held_at("500", 1));
    }
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
    for strength in STRENGTHS {
        let launch = pin.launch(&[strength], &command).path(&[b"/bin"]);
        assert_eq!(said(launch.unprivileged()), held(1), "{strength}");
    }
}

#[test]
fn nested_pins_beyond_the_kernels_limit_are_no_failure() {
    if lacks_landlock(3) {
        return;
    }
    // More than the kernel's 16 layers of Landlock.
    let pin = Pin::new();
    for strength in STRENGTHS {
        let mut command = Vec::new();
        for _ in 0..20 {
            command.extend([pin.oomexec.clone().into(), strength.into(), "--".into()]);
        }
        command.extend(pin.lowering());
        let launch = pin.launch(&[strength], command);
        assert_eq!(said(launch.unprivileged()), held(1), "{strength}");
    }
}

#[test]
fn pins_of_both_strengths_one_in_the_other_hold_as_the_stronger_does() {
    if lacks_landlock(3) {
        return;
    }
    let pin = Pin::new();
    for (outer, inner) in [("--pin", "--pin=write"), ("--pin=write", "--pin")] {
        let mut command = vec![pin.oomexec.clone().into(), inner.into(), "--".into()];
        let way: [(&str, &Path); 1] = [("O_WRONLY", SCORE.as_ref())];
        command.extend(pin.ways(&own_score(), &way));
        let said = said(pin.launch(&[outer], command).unprivileged());
        let refused = format!("O_WRONLY {SCORE}: Permission denied\nscore 1000\n");
        assert!(said.ends_with(&refused), "{outer} {inner}: {said}");
    }
}

#[test]
fn the_opt_out_turns_off_the_pin_and_the_raise() {
    if lacks_landlock(3) {
        return;
    }
    let pin = Pin::new();
    for strength in STRENGTHS {
        // 400 is higher than 321, and every process may raise its score.
        let command = pin.ways("400", &[("creat", SCORE.as_ref())]);
        let launch = inherited(pin.launch(&[strength], command), "321");
        let launch = launch.env("OPENCLAW_CHILD_OOM_SCORE_ADJ=0").unprivileged();
        assert_eq!(
            said(launch),
            format!("score 321\nno_new_privs 0\ncreat {SCORE}: ok\nscore 400\n")
        );
    }
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
    for strength in STRENGTHS {
        let launch = pin.launch(&[strength], &command);
        assert_eq!(said(launch.unprivileged()), refused, "{strength}");
    }
}

/// Who is held: by no pin, by the plain one, and by `--pin=write`.
const HELD_BY_BOTH: [bool; 3] = [false, true, true];
const HELD_BY_WRITE: [bool; 3] = [false, false, true];

/// Asserts who is held at 1000 against the command; it prints the score at its end.
#[track_caller]
fn holds(held: [bool; 3], launch: impl Fn(&[&str]) -> Launch) {
    let own = own_score();
    for (options, is_held) in [&[][..], &["--pin"], &["--pin=write"]].iter().zip(held) {
        let output = launch(options).output();
        let stdout = text(&output.stdout);
        let score = stdout.lines().last().expect("a score");
        let expected = if is_held { "1000" } else { own.trim() };
        let score = score.trim_start_matches("score ");
        assert_eq!(score, expected, "{options:?}: {output:?}");
    }
}

#[test]
fn each_way_to_set_the_score_is_refused_by_the_strengths_of_which_the_man_page_says_so() {
    if lacks_landlock(3) {
        return;
    }
    let pin = Pin::new();
    let own = own_score();
    let own = own.trim();
    for (held, act) in [
        // A shell's `>`, and every language's way to write a file.
        (HELD_BY_BOTH, format!("open creat {SCORE} {own}")),
        (HELD_BY_BOTH, format!("open truncate {SCORE} {own}")),
        (HELD_BY_BOTH, format!("fopen w {SCORE} {own}")),
        (HELD_BY_BOTH, format!("fopen w+ {SCORE} {own}")),
        (HELD_BY_BOTH, format!("thread truncate oom_score_adj {own}")),
        // PostgreSQL, Firefox, containerd, choom.
        (HELD_BY_WRITE, format!("open write {SCORE} {own}")),
        // `>>`.
        (HELD_BY_WRITE, format!("open append {SCORE} {own}")),
        (HELD_BY_WRITE, format!("open create {SCORE} {own}")),
        // crun.
        (HELD_BY_WRITE, format!("open read-write {SCORE} {own}")),
        // OpenSSH.
        (HELD_BY_WRITE, format!("fopen r+ {SCORE} {own}")),
        (HELD_BY_WRITE, format!("fopen a {SCORE} {own}")),
        (HELD_BY_WRITE, format!("thread write oom_score_adj {own}")),
        // The old file lowers a score only for a caller with CAP_SYS_RESOURCE
        // (`__set_oom_adj`, fs/proc/base.c).
        ([true; 3], "open write /proc/self/oom_adj 0".to_owned()),
        ([true; 3], "open truncate /proc/self/oom_adj 0".to_owned()),
    ] {
        holds(held, |options| pin.acts(options, &format!("{act} score")));
    }
}

#[test]
fn choom_and_appending_shells_are_held_by_the_write_strength_alone() {
    if lacks_landlock(3) {
        return;
    }
    let pin = Pin::new();
    let own = own_score();
    let choom = tool("choom").display().to_string();
    let appends = format!("echo {} >> {SCORE}; cat {SCORE}", own.trim());
    let opens_both = format!("echo {} 1<> {SCORE}; cat {SCORE}", own.trim());
    let by_a_relative_path = format!(
        "cd /proc/self; echo {} >> oom_score_adj; cat {SCORE}",
        own.trim()
    );
    let chooms = format!("{choom} -n {} -p $$ >/dev/null; cat {SCORE}", own.trim());
    for code in [appends, opens_both, by_a_relative_path, chooms] {
        holds(HELD_BY_WRITE, |options| {
            let launch = pin.launch(options, ["/bin/sh", "-c", &code]);
            launch.path(&[b"/bin", b"/usr/bin"]).unprivileged()
        });
    }
}

#[test]
fn a_program_that_restores_its_score_by_truncation_stays_lowered_under_the_plain_pin() {
    if lacks_landlock(3) {
        return;
    }
    // OpenSSH lowers the score of its server with `r+`, and restores it for a session
    // with `w` (openbsd-compat/port-linux.c).
    let pin = Pin::new();
    let own = own_score();
    let acts = format!("fopen r+ {SCORE} {} fopen w {SCORE} 1000 score", own.trim());
    for (options, score) in [
        (&[][..], "1000\n"),
        (&["--pin"], &own),
        (&["--pin=write"], "1000\n"),
    ] {
        let said = said(pin.acts(options, &acts));
        let last = said.lines().last().map(|line| format!("{line}\n"));
        assert_eq!(last, Some(format!("score {score}")), "{options:?}: {said}");
    }
}

#[test]
fn a_descriptor_of_the_score_that_was_open_before_the_pin_still_writes() {
    if lacks_landlock(3) {
        return;
    }
    let pin = Pin::new();
    let own = own_score();
    holds([false; 3], |options| {
        let command = [
            pin.acts.as_os_str(),
            "fd".as_ref(),
            "9".as_ref(),
            own.trim().as_ref(),
            "score".as_ref(),
        ];
        let launch = pin.launch(options, command);
        let launch = launch.prepare(|| {
            // SAFETY: the path is a C string, and the descriptors are this process's own.
            unsafe {
                let fd = libc::open(c"/proc/self/oom_score_adj".as_ptr(), libc::O_WRONLY);
                check(fd)?;
                check(libc::dup2(fd, 9))
            }
        });
        launch.unprivileged()
    });
}

#[test]
fn a_second_mount_of_procfs_beneath_an_entry_of_the_root_is_a_way_around_both_strengths() {
    if lacks_landlock(3) || lacks_own_mounts() {
        return;
    }
    let pin = Pin::new();
    let own = own_score();
    let second = c_string(pin.dir.dir("second"));
    let acts = format!(
        "open creat {}/self/oom_score_adj {} score",
        pin.dir.join("second").display(),
        own.trim()
    );
    holds([false; 3], |options| {
        let second = second.clone();
        let words = acts.split(' ').map(OsString::from);
        let command = [OsString::from(&pin.acts)].into_iter().chain(words);
        let launch = pin.launch(options, command).own_mounts();
        launch.prepare(move || bind(c"/proc", &second))
    });
}

#[test]
fn where_procfs_is_at_another_entry_of_the_root_too_no_pin_holds_and_the_check_says_so() {
    if lacks_landlock(3) || lacks_own_mounts() {
        return;
    }
    let root = Root::new();
    let other = c_string(root.0.dir("other"));
    let launch = |words: &[&str]| {
        let other = other.clone();
        let words: Vec<_> = words.iter().map(OsString::from).collect();
        root.launch_after(&words, move || bind(c"/proc", &other))
    };
    let own = own_score();
    holds([false; 3], |options| {
        let acts = ["--", "/acts", "open", "creat", SCORE, own.trim(), "score"];
        launch(&[options, &acts].concat())
    });
    let checked = text(&launch(&["--check"]).output().stdout);
    let pin = checked.lines().last().expect("a line");
    assert!(
        pin.starts_with("note  pin           Landlock ABI "),
        "{pin}"
    );
    let why = ": --pin has no effect: another entry of '/' leads to /proc";
    assert!(pin.ends_with(why), "{pin}");
}

#[test]
fn a_check_that_finds_one_layer_of_landlock_left_says_that_each_strength_holds() {
    if lacks_landlock(3) {
        return;
    }
    let pin = Pin::new();
    let nested = |layers: usize| {
        let oomexec = pin.oomexec.to_str().expect("UTF-8");
        let mut words = [oomexec, "--pin", "--"].repeat(layers);
        words.extend([oomexec, "--check"]);
        text(&Launch::new(words[0], &words).output().stdout)
    };
    for layers in [0, 14, 15] {
        let checked = nested(layers);
        assert!(
            checked.ends_with(": --pin and --pin=write hold\n"),
            "{layers}: {checked}"
        );
    }
    let checked = nested(16);
    assert!(
        checked.ends_with(": all 16 layers of Landlock are in use\n"),
        "{checked}"
    );
}

#[test]
fn a_pinned_process_cannot_mount_unmount_or_change_the_root_of_its_mounts() {
    if lacks_landlock(3) || lacks_own_mounts() {
        return;
    }
    let pin = Pin::new();
    let mounted = c_string(pin.dir.dir("mounted"));
    let point = pin.dir.dir("point");
    let point = point.to_str().expect("UTF-8");
    let done = |options: &[&str]| {
        let of_before = mounted.to_str().expect("UTF-8");
        let acts = [
            "umount",
            of_before,
            "mount",
            point,
            "pivot_root",
            point,
            point,
        ];
        let command = [&[pin.acts.to_str().expect("UTF-8")], &acts[..]].concat();
        let mounted = mounted.clone();
        let launch = pin.launch(options, command).own_mounts();
        let said = said(launch.prepare(move || tmpfs(&mounted)));
        let results = said
            .lines()
            .map(|line| line.rsplit(": ").next().unwrap().to_owned());
        results.collect::<Vec<_>>()
    };
    let [umount, mount, pivot_root] = &done(&[])[..] else {
        panic!("three results")
    };
    assert_eq!([umount, mount], ["ok", "ok"]);
    // The initramfs of a VM cannot be left so.
    assert!(["ok", "Invalid argument"].contains(&&**pivot_root));
    for strength in STRENGTHS {
        assert_eq!(
            done(&[strength]),
            ["Operation not permitted"; 3],
            "{strength}"
        );
    }
}

#[test]
fn a_procfs_that_is_mounted_nowhere_is_refused_what_proc_is() {
    if lacks_landlock(3) || lacks_own_mounts() || lacks("root", is_root()) {
        return;
    }
    let pin = Pin::new();
    let own = own_score();
    for (held, way) in [(HELD_BY_BOTH, "truncate"), (HELD_BY_WRITE, "write")] {
        holds(held, |options| {
            let acts = ["detached", way, "self/oom_score_adj", own.trim(), "score"];
            let command = [&[pin.acts.to_str().expect("UTF-8")], &acts[..]].concat();
            pin.launch(options, command).own_mounts()
        });
    }
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
        let lower = |options: &[&str]| {
            let command = [shell, "-c", &code, own.trim()];
            pin.launch(options, command).unprivileged().output()
        };
        for strength in STRENGTHS {
            let pinned = lower(&[strength]);
            assert_eq!(text(&pinned.stdout), "1000\n", "{shell} {strength}");
            let complaint = text(&pinned.stderr);
            assert!(
                complaint.to_lowercase().contains("permission denied"),
                "{shell} {strength}: {complaint}"
            );
        }
        let raised = lower(&[]);
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
    let lower = |options: &[&str]| {
        let command = [interpreter.as_os_str(), option.as_ref(), code.as_ref()];
        at_home(pin.launch(options, command)).env(format!("OWN={}", own.trim()))
    };
    for strength in STRENGTHS {
        assert_eq!(said(lower(&[strength])), "EACCES\n1000\n", "{strength}");
    }
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
    for strength in STRENGTHS {
        can_be_moved_and_linked(strength);
    }
}

#[track_caller]
fn can_be_moved_and_linked(strength: &str) {
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
    let launch = at_home(pin.launch(&[strength], command));
    assert_eq!(said(launch.dir(pin.dir.path())), "['dir', 'linked']\n");
    let moved = fs::read_to_string(pin.dir.join("moved")).unwrap();
    assert_eq!(moved, "content");
}

#[test]
fn every_other_file_can_be_truncated_in_every_way() {
    if lacks_landlock(3) {
        return;
    }
    for strength in STRENGTHS {
        can_be_truncated_in_every_way(strength);
    }
}

#[track_caller]
fn can_be_truncated_in_every_way(strength: &str) {
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
    let launch = pin.launch(&[strength], pin.ways("7", &ways)).dir(dir);
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
    let launch = pin.launch(&[strength], command).dir(dir);
    assert_eq!(said(launch.unprivileged()), "");
    assert_eq!(fs::read_to_string(file).unwrap(), "");
    assert_eq!(fs::read_to_string(pin.dir.join("other")).unwrap(), "line\n");
}

#[test]
fn user_namespaces_can_be_made_and_be_mapped_under_the_plain_pin_alone() {
    // Chromium's sandbox needs them.
    if lacks_landlock(3) || lacks_user_namespaces() {
        return;
    }
    let pin = Pin::new();
    let launch = |strength, option: &str| {
        let mut command = vec![tool("unshare").into(), option.into()];
        command.extend(pin.lowering());
        pin.launch(&[strength], command).unprivileged()
    };
    assert_eq!(said(launch("--pin", "-Ur")), held(1));
    assert_eq!(said(launch("--pin=write", "-U")), held(1));
    let output = launch("--pin=write", "-Ur").output();
    let complaint = text(&output.stderr);
    assert!(!output.status.success());
    assert!(
        complaint.contains("/proc/self/") && complaint.contains("Permission denied"),
        "{complaint}"
    );
}

/// Returns what came of each act: without a pin, and in each strength.
fn each(pin: &Pin, acts: &str) -> [Vec<String>; 3] {
    [&[][..], &["--pin"], &["--pin=write"]].map(|options: &[&str]| {
        let said = said(pin.acts(options, acts));
        let results = said.lines().map(|line| line.rsplit(": ").next());
        results
            .map(|result| result.unwrap_or_default().to_owned())
            .collect()
    })
}

#[test]
fn of_proc_nothing_can_be_truncated_and_with_write_nothing_written() {
    if lacks_landlock(3) {
        return;
    }
    let pin = Pin::new();
    for file in ["comm", "coredump_filter", "clear_refs", "timerslack_ns"] {
        let file = format!("/proc/self/{file}");
        let acts = format!(
            "open read {file}  open creat {file} 1 fopen w {file} 1 open write {file} 1 \
             open append {file} 1 open read-write {file} 1"
        );
        let refused = "Permission denied";
        let readable = if file.ends_with("clear_refs") {
            "Permission denied"
        } else {
            "ok"
        };
        let both = if file.ends_with("clear_refs") {
            "Permission denied"
        } else {
            "ok"
        };
        let [without, plain, write] = each(&pin, &acts);
        assert_eq!(without, [readable, "ok", "ok", "ok", "ok", both], "{file}");
        assert_eq!(
            plain,
            [readable, refused, refused, "ok", "ok", both],
            "{file}"
        );
        assert_eq!(
            write,
            [readable, refused, refused, refused, refused, refused],
            "{file}"
        );
    }
}

#[test]
fn sysctl_cannot_set_anything_in_either_strength() {
    if lacks_landlock(3) || lacks_own_mounts() {
        return;
    }
    let pin = Pin::new();
    let sysctl = tool("sysctl");
    // A setting of a network namespace of its own.
    let set = |options: &[&str]| {
        let command = [
            sysctl.as_os_str(),
            "-w".as_ref(),
            "net.ipv4.ip_default_ttl=65".as_ref(),
        ];
        let launch = pin.launch(options, command).own_mounts();
        // SAFETY: the call takes a number.
        launch
            .prepare(|| check(unsafe { libc::unshare(libc::CLONE_NEWNET) }))
            .output()
    };
    let raised = set(&[]);
    assert!(raised.status.success(), "{raised:?}");
    for strength in STRENGTHS {
        let pinned = set(&[strength]);
        assert!(
            text(&pinned.stderr)
                .to_lowercase()
                .contains("permission denied"),
            "{pinned:?}"
        );
    }
}

#[test]
fn with_write_no_other_thread_can_be_named_and_no_message_queue_opened() {
    if lacks_landlock(3) {
        return;
    }
    let pin = Pin::new();
    let acts = format!("name-thread mq_open /oomexec-test-{}", process::id());
    let [without, plain, write] = each(&pin, &acts);
    assert_eq!(without, ["ok", "ok"]);
    assert_eq!(plain, ["ok", "ok"]);
    assert_eq!(write, ["Permission denied", "Permission denied"]);
}

#[test]
fn a_descriptor_opens_again_by_its_name_as_the_file_that_it_leads_to_does() {
    if lacks_landlock(3) {
        return;
    }
    for kind in ["pipe", "null", "memfd", "file", "deleted", "tmpfile"] {
        opens_again(kind, "ok");
    }
    // No name of a socket opens it (unix(7)).
    opens_again("socket", "No such device or address");
}

#[test]
fn a_terminal_opens_again_by_its_descriptors_name() {
    let ptmx = fs::File::options().read(true).write(true).open("/dev/ptmx");
    if lacks_landlock(3) || lacks("a terminal to open (/dev/ptmx)", ptmx.is_ok()) {
        return;
    }
    for kind in ["pty", "ptmx"] {
        opens_again(kind, "ok");
    }
}

/// Asserts that a descriptor opens again with this result, in every way and without a pin
/// as with one.
#[track_caller]
fn opens_again(kind: &str, result: &str) {
    let pin = Pin::new();
    let opened = |options: &[&str]| {
        let _ = fs::remove_file(pin.dir.join("file"));
        let dir = pin.dir.path().as_os_str();
        let command = [pin.acts.as_os_str(), "reopen".as_ref(), dir, kind.as_ref()];
        // By this user, who can open a terminal.
        said(pin.launch(options, command))
    };
    let without = opened(&[]);
    // Five names, in seven ways each.
    assert_eq!(without.lines().count(), 35, "{without}");
    let result = format!(": {result}, ");
    assert!(
        without.lines().all(|line| line.contains(&result)),
        "{without}"
    );
    for strength in STRENGTHS {
        assert_eq!(opened(&[strength]), without, "{strength}");
    }
}

/// Returns the ways to open that a strength refuses, where it grants nothing.
fn refused_ways(strength: &str) -> &'static [&'static str] {
    match strength {
        "" => &[],
        "--pin" => &["truncate", "creat"],
        _ => &[
            "write",
            "append",
            "read-write",
            "create",
            "truncate",
            "creat",
        ],
    }
}

/// Asserts that the descriptor 9 opens again by its names, but for the ways that the pin
/// refuses elsewhere.
#[track_caller]
fn opens_but_for_the_refused_ways(launch: impl Fn(&[OsString]) -> Launch) {
    for strength in ["", "--pin", "--pin=write"] {
        let options = if strength.is_empty() {
            vec![]
        } else {
            vec![strength]
        };
        let words = options
            .into_iter()
            .chain(["--", "/acts", "reopen", "/", "9"]);
        let words: Vec<OsString> = words.map(Into::into).collect();
        let said = said(launch(&words));
        assert_eq!(said.lines().count(), 35, "{said}");
        for line in said.lines() {
            let is_refused = refused_ways(strength)
                .iter()
                .any(|way| line.contains(&format!(", {way}:")));
            let result = if is_refused {
                ": Permission denied,"
            } else {
                ": ok,"
            };
            assert!(line.contains(result), "{strength}: {line}");
        }
    }
}

#[test]
fn a_file_outside_of_the_root_cannot_be_truncated_by_its_descriptors_name_nor_with_write_written() {
    if lacks_landlock(3) || lacks_own_mounts() {
        return;
    }
    let root = Root::new();
    let outside = TempDir::new();
    let file = c_string(outside.file("outside", "", 0o666));
    opens_but_for_the_refused_ways(|words| {
        let file = file.clone();
        root.launch_after(words, move || open_as_9(&file))
    });
    // The descriptor itself still truncates: a shell's `>` on it does not matter.
}

#[test]
fn the_same_of_a_file_on_a_mount_that_is_nowhere() {
    if lacks_landlock(3) || lacks_own_mounts() {
        return;
    }
    let root = Root::new();
    let outside = TempDir::new();
    let point = c_string(outside.path());
    let file = c_string(outside.join("file"));
    opens_but_for_the_refused_ways(|words| {
        let (point, file) = (point.clone(), file.clone());
        root.launch_after(words, move || {
            tmpfs(&point)?;
            open_as_9(&file)?;
            // SAFETY: the path is a C string.
            check(unsafe { libc::umount2(point.as_ptr(), libc::MNT_DETACH) })
        })
    });
}

/// Opens a file, made if it is not there, as the descriptor 9.
fn open_as_9(file: &CString) -> io::Result<()> {
    // SAFETY: the path is a C string, and the descriptors are this process's own.
    unsafe {
        let fd = libc::open(file.as_ptr(), libc::O_RDWR | libc::O_CREAT, 0o666);
        check(fd)?;
        check(libc::dup2(fd, 9))
    }
}

/// Mounts a new tmpfs.
fn tmpfs(point: &CString) -> io::Result<()> {
    // SAFETY: the strings are C strings.
    check(unsafe {
        libc::mount(
            c"none".as_ptr(),
            point.as_ptr(),
            c"tmpfs".as_ptr(),
            0,
            ptr::null(),
        )
    })
}

/// Binds a directory, and what is mounted in it, to another place.
fn bind(from: &CStr, to: &CString) -> io::Result<()> {
    // SAFETY: the paths are C strings.
    check(unsafe {
        let flags = libc::MS_BIND | libc::MS_REC;
        libc::mount(from.as_ptr(), to.as_ptr(), ptr::null(), flags, ptr::null())
    })
}

/// A process that others of its user may look into; it ends with this.
struct Watched(process::Child);

impl Watched {
    fn new(pin: &Pin) -> Self {
        let peek = pin.dir.join("peek");
        let launch = Launch::new(&peek, ["peek"]).env("A=b").unprivileged();
        let mut child = launch.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
        let mut line = String::new();
        let stdout = child.stdout.take().expect("a pipe");
        BufReader::new(stdout).read_line(&mut line).expect("a line");
        assert_eq!(line, "ready\n");
        Self(child)
    }

    fn pid(&self) -> String {
        self.0.id().to_string()
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        let _ = self.0.wait();
    }
}

#[test]
fn a_process_that_is_not_pinned_with_it_cannot_be_looked_into_and_another_can() {
    if lacks_landlock(3) {
        return;
    }
    let pin = Pin::new();
    let peek = pin.dir.copy(program("peek"), "peek");
    let other = Watched::new(&pin);
    let look = |options: &[&str], whom: &str| {
        let command = [peek.as_os_str(), whom.as_ref()];
        said(pin.launch(options, command).env("A=b").unprivileged())
    };
    const REFUSED: [&str; 12] = [
        "exe",
        "cwd",
        "root",
        "ns/mnt",
        "fd/0",
        "environ",
        "maps",
        "io",
        "auxv",
        "process_vm_readv",
        "pidfd_getfd",
        "ptrace",
    ];
    let all = look(&[], &other.pid());
    assert!(all.lines().all(|line| line.ends_with(": ok")), "{all}");
    for strength in STRENGTHS {
        let said = look(&[strength], &other.pid());
        for line in said.lines() {
            let (what, result) = line.split_once(": ").expect(line);
            assert_eq!(
                result != "ok",
                REFUSED.contains(&what),
                "{strength}: {line}"
            );
        }
        assert_eq!(said.lines().count(), all.lines().count());
        // One that is pinned with it.
        assert_eq!(look(&[strength], "child"), all, "{strength}");
    }
}

#[test]
fn lsof_and_ss_do_not_name_the_process_of_a_socket_that_is_not_pinned_with_them() {
    if lacks_landlock(3) {
        return;
    }
    let pin = Pin::new();
    pin.dir.copy(program("peek"), "peek");
    let other = Watched::new(&pin);
    let (ss, lsof) = (tool("ss"), tool("lsof"));
    let pid = other.pid();
    let shown = |options: &[&str], command: &[&OsStr]| {
        // lsof fails where it finds nothing, and complains of other things.
        text(&pin.launch(options, command).unprivileged().output().stdout)
    };
    let process = format!("pid={pid},");
    let ss = [ss.as_os_str(), "-xlp".as_ref()];
    let lsof = [
        lsof.as_os_str(),
        "-w".as_ref(),
        "-U".as_ref(),
        "-a".as_ref(),
        "-p".as_ref(),
        pid.as_ref(),
    ];
    assert!(shown(&[], &ss).contains(&process));
    assert!(shown(&[], &lsof).contains("type=STREAM"));
    for strength in STRENGTHS {
        let sockets = shown(&[strength], &ss);
        assert!(
            sockets.contains("u_str") && !sockets.contains(&process),
            "{sockets}"
        );
        assert_eq!(shown(&[strength], &lsof), "", "{strength}");
    }
}

/// EACCES is the errno of an entry that may not be opened: here of all entries.
const ERRNOS: [libc::c_int; 5] = [
    libc::ENOSYS,
    libc::EPERM,
    libc::E2BIG,
    libc::EINVAL,
    libc::EACCES,
];

/// Returns the output of a child in the stronger pin when seccomp refuses this call: with
/// CAP_SYS_ADMIN, and without.
fn refused(pin: &Pin, call: libc::c_long, which: Calls, errno: libc::c_int) -> [String; 2] {
    let launch = || filtered(pin.tempted("--pin=write").own_mounts(), call, which, errno);
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
        "openat:error=EMFILE:when=3..4",
        "openat:error=EMFILE:when=5..6",
        "openat:error=ENFILE:when=5..6",
        "openat:error=ENOMEM:when=5",
        "openat:error=EINTR:when=5",
        "getdents64:error=EIO:when=1",
        "getdents64:error=EIO:when=2",
        "landlock_add_rule:error=ENOMEM:when=1",
        "landlock_add_rule:error=ENOMEM:when=3",
        "landlock_restrict_self:error=E2BIG:when=1",
        "prctl:error=EINVAL:when=1",
    ] {
        for strength in STRENGTHS {
            let said = said(pin.with_fault(strength, fault, &lowering));
            assert_eq!(said, let_go(), "{strength} {fault}");
        }
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
        .map(|entry| entry.unwrap())
        .filter(|entry| !entry.file_type().unwrap().is_symlink())
        .map(|entry| entry.file_name())
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
        said(pin.with_fault("--pin", &fault, &ways)),
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
        said(pin.tempted("--pin=write").unprivileged().prepare(move || {
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
    // With more they stay open, as long as there are some left.
    for limit in 7..50 {
        assert_eq!(with_limit(limit), held(1), "{limit}");
    }
}

#[test]
fn after_the_pin_a_descriptor_is_free_to_tell_why_a_command_cannot_be_run() {
    if lacks_landlock(3) {
        return;
    }
    let pin = Pin::new();
    let script = pin.dir.file("script", "#!/nonexistent/sh\n", 0o755);
    for limit in [7, 8, 12, 30] {
        let launch = pin.launch(&["--pin"], [&script]).unprivileged();
        let launch = launch.prepare(move || {
            let limit = libc::rlimit {
                rlim_cur: limit,
                rlim_max: limit,
            };
            // SAFETY: the limit is this function's own.
            check(unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &limit) })
        });
        let line = format!(
            "oomexec: cannot run '{}': its interpreter '/nonexistent/sh' does not exist",
            script.display()
        );
        failed(&launch.output(), 127, &line);
    }
}

/// A root directory with oomexec, `pinned`, `acts`, /proc, the names of descriptors in
/// /dev, and what the test adds.
struct Root(TempDir);

impl Root {
    fn new() -> Self {
        let dir = TempDir::new();
        dir.copy(oomexec(), "oomexec");
        dir.copy(program("pinned"), "pinned");
        dir.copy(program("acts"), "acts");
        dir.dir("proc");
        dir.dir("dev");
        for (name, target) in [("fd", ""), ("stdout", "/1"), ("stderr", "/2")] {
            symlink(format!("/proc/self/fd{target}"), dir.join("dev").join(name)).unwrap();
        }
        Self(dir)
    }

    /// Returns a launch of oomexec with these arguments in this root.
    fn launch(&self, args: &[OsString]) -> Launch {
        self.launch_after(args, || Ok(()))
    }

    /// The same after a step outside of it.
    fn launch_after(
        &self,
        args: &[OsString],
        step: impl FnMut() -> io::Result<()> + Send + Sync + 'static,
    ) -> Launch {
        let argv = ["oomexec".into()].into_iter().chain(args.to_vec());
        let root = c_string(self.0.path());
        let proc = c_string(self.0.join("proc"));
        let launch = Launch::new("/oomexec", argv).own_mounts().prepare(step);
        launch.prepare(move || {
            bind(c"/proc", &proc)?;
            // SAFETY: the paths are C strings.
            unsafe {
                check(libc::chroot(root.as_ptr()))?;
                check(libc::chdir(c"/".as_ptr()))
            }
        })
    }

    /// Returns the output of `pinned` in this root with these ways.
    #[track_caller]
    fn said(&self, strength: &str, ways: &[(&str, OsString)]) -> String {
        let own = own_score();
        let mut args = [strength, "--", "/pinned", own.trim()]
            .map(OsString::from)
            .to_vec();
        for (way, file) in ways {
            args.extend([way.into(), file.clone()]);
        }
        said(self.launch(&args))
    }

    /// Returns what came of these acts: without a pin, and in each strength. Each finds the
    /// root as `prepare` makes it.
    #[track_caller]
    fn each(&self, prepare: impl Fn(&TempDir), acts: &[&str]) -> [Vec<String>; 3] {
        ["", "--pin", "--pin=write"].map(|strength| {
            prepare(&self.0);
            let option = (!strength.is_empty()).then_some(strength);
            let words = option.into_iter().chain(["--", "/acts"]);
            let words = words.chain(acts.iter().flat_map(|act| act.split(' ')));
            let words: Vec<OsString> = words.map(Into::into).collect();
            let said = said(self.launch(&words));
            let results = said.lines().map(|line| line.rsplit(": ").next());
            results
                .map(|result| result.unwrap_or_default().to_owned())
                .collect()
        })
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
        for strength in STRENGTHS {
            assert_eq!(self.said(strength, &ways), expected, "{strength}");
        }
    }
}

const OK: &str = "ok";
const DENIED: &str = "Permission denied";
/// What rename(2) and link(2) say of another file system: mv(1) copies then.
const OTHER: &str = "Invalid cross-device link";

#[test]
fn moves_and_links_into_the_root_and_out_of_it_are_refused_and_within_it_are_not() {
    if lacks_landlock(3) || lacks_own_mounts() {
        return;
    }
    let root = Root::new();
    let prepare = |dir: &TempDir| {
        for old in ["file", "other", "dir/file", "dir/moved", "linked"] {
            let _ = fs::remove_file(dir.join(old));
        }
        dir.file("file", "content", 0o666);
        dir.file("dir/file", "content", 0o666);
    };
    let acts = [
        "rename /file /other",
        "link /other /dir/linked",
        "unlink /dir/linked",
        "rename /other /dir/moved",
        "rename /dir/file /dir/renamed",
        "link /dir/renamed /linked",
        "rename /dir/renamed /file",
    ];
    let [without, plain, write] = root.each(prepare, &acts);
    assert_eq!(without, [OK; 7]);
    for pinned in [plain, write] {
        let missing = "No such file or directory";
        assert_eq!(pinned, [OK, OTHER, missing, OTHER, OK, OTHER, OTHER]);
    }
}

#[test]
fn a_new_file_in_the_root_can_be_truncated_no_more_and_with_write_not_written() {
    if lacks_landlock(3) || lacks_own_mounts() {
        return;
    }
    let root = Root::new();
    let prepare = |dir: &TempDir| {
        let _ = fs::remove_file(dir.join("new"));
        dir.file("old", "content", 0o666);
    };
    let acts = [
        "open creat /new text",
        "open append /new text",
        "open truncate /new text",
        "truncate /new",
        "open read /new ",
        "open truncate /old text",
    ];
    let [without, plain, write] = root.each(prepare, &acts);
    assert_eq!(without, [OK; 6]);
    assert_eq!(plain, [OK, OK, DENIED, DENIED, OK, OK]);
    // The kernel makes the file first, and refuses the open then.
    assert_eq!(write, [DENIED, DENIED, DENIED, DENIED, OK, OK]);
    assert_eq!(fs::read(root.0.join("new")).unwrap(), b"");
}

#[test]
fn an_entry_of_the_root_that_is_made_anew_is_not_granted_and_deeper_ones_are() {
    if lacks_landlock(3) || lacks_own_mounts() {
        return;
    }
    let root = Root::new();
    let prepare = |dir: &TempDir| {
        for old in ["dir", "kept"] {
            let _ = fs::remove_dir_all(dir.join(old));
            dir.dir(old);
        }
        dir.dir("kept/dir");
    };
    let acts = [
        "open creat /dir/file text",
        "open creat /dir/file text",
        "unlink /dir/file",
        "rmdir /dir",
        "mkdir /dir",
        "open creat /dir/file text",
        "open creat /dir/file text",
        "rmdir /kept/dir",
        "mkdir /kept/dir",
        "open creat /kept/dir/file text",
        "open creat /kept/dir/file text",
    ];
    let [without, plain, write] = root.each(prepare, &acts);
    assert_eq!(without, [OK; 11]);
    assert_eq!(plain, [OK, OK, OK, OK, OK, OK, DENIED, OK, OK, OK, OK]);
    assert_eq!(write, [OK, OK, OK, OK, OK, DENIED, DENIED, OK, OK, OK, OK]);
}

#[test]
fn on_a_mount_that_is_made_later_at_an_entry_nothing_can_be_truncated_and_on_a_deeper_one_all() {
    if lacks_landlock(3) || lacks_own_mounts() {
        return;
    }
    let root = Root::new();
    root.0.dir("entry");
    root.0.dir("deep/er");
    for (strength, expected) in [
        ("", [OK; 6]),
        ("--pin", [OK, DENIED, OK, OK, OK, OK]),
        ("--pin=write", [DENIED, DENIED, DENIED, OK, OK, OK]),
    ] {
        let option = (!strength.is_empty()).then_some(strength);
        let mut words = option.into_iter().collect::<Vec<_>>();
        words.extend(["--", "/acts", "wait"]);
        for dir in ["/entry", "/deep/er"] {
            let acts = format!(
                "open creat {dir}/file text open truncate {dir}/file text open append {dir}/file text"
            );
            let acts: &'static str = acts.leak();
            words.extend(acts.split(' '));
        }
        let words: Vec<OsString> = words.into_iter().map(Into::into).collect();
        let launch = root
            .launch(&words)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        let mut child = launch.spawn();
        let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
        assert_eq!(lines.next().unwrap().unwrap(), "waiting");
        for dir in ["entry", "deep/er"] {
            let mut mount = Command::new(tool("nsenter"));
            mount.args(["--target", &child.id().to_string(), "--mount"]);
            if !is_root() {
                mount.args(["--user", "--preserve-credentials"]);
            }
            mount
                .args(["mount", "-t", "tmpfs", "none"])
                .arg(root.0.join(dir));
            run(&mut mount);
        }
        child
            .stdin
            .take()
            .expect("a pipe")
            .write_all(b"\n")
            .unwrap();
        let results: Vec<_> = lines.map(|line| line.unwrap()).collect();
        assert!(child.wait().unwrap().success());
        let results = results.iter().map(|line| line.rsplit(": ").next().unwrap());
        assert!(
            results.clone().eq(expected),
            "{strength}: {:?}",
            results.collect::<Vec<_>>()
        );
    }
}

#[test]
fn a_file_system_that_does_not_tell_what_its_entries_are_makes_no_difference() {
    if foreign_calls("it tampers with 64-bit calls") {
        return;
    }
    if lacks_landlock(3) || lacks_own_mounts() {
        return;
    }
    let root = Root::new();
    root.0.file("file", "content", 0o666);
    root.0.dir("dir/sub");
    symlink("proc", root.0.join("link")).unwrap();
    // The entries of the root once more, as getdents64(2) reads them, with a type of 0.
    let names = fs::read_dir(root.0.path()).unwrap();
    let names = names.map(|entry| entry.unwrap().file_name());
    let names = [".", ".."].map(OsString::from).into_iter().chain(names);
    let mut entries = String::new();
    for name in names {
        let name = name.as_bytes();
        let length = (19 + name.len() + 1).next_multiple_of(8);
        let mut entry = vec![1; 16];
        entry.extend((length as u16).to_ne_bytes());
        entry.push(libc::DT_UNKNOWN);
        entry.extend(name);
        entry.resize(length, 0);
        for byte in entry {
            write!(entries, "{byte:02x}").unwrap();
        }
    }
    let inject = format!("inject=getdents64:poke_exit=@arg2={entries}:when=1");
    let acts = format!(
        "open truncate /file 7 open creat /dir/file 7 rename /dir/file /dir/sub/file \
         open truncate {SCORE} 0 open truncate /link/self/oom_score_adj 0 score"
    );
    for strength in STRENGTHS {
        let mut words: Vec<OsString> = ["strace", "-o", "/dev/null", "-e", &inject]
            .map(Into::into)
            .into();
        words.extend([tool("chroot").into(), root.0.path().into()]);
        words.extend(["/oomexec", strength, "--", "/acts"].map(Into::into));
        words.extend(acts.split(' ').map(Into::into));
        let proc = c_string(root.0.join("proc"));
        let launch = Launch::new(tool("strace"), words).own_mounts();
        let said = said(launch.prepare(move || bind(c"/proc", &proc)));
        let results: Vec<_> = said
            .lines()
            .map(|line| line.rsplit(": ").next().unwrap())
            .collect();
        assert_eq!(
            results,
            [OK, OK, OK, DENIED, DENIED, "score 1000"],
            "{strength}"
        );
    }
}

#[test]
fn a_file_of_the_root_that_was_there_before_opens_again_by_its_descriptors_name() {
    if lacks_landlock(3) || lacks_own_mounts() {
        return;
    }
    let root = Root::new();
    let prepare = |dir: &TempDir| {
        dir.file("file", "", 0o666);
    };
    let [without, plain, write] = root.each(prepare, &["reopen / file"]);
    assert_eq!(without.len(), 35);
    assert!(
        without.iter().all(|result| result.starts_with("ok, ")),
        "{without:?}"
    );
    assert_eq!((&plain, &write), (&without, &without));
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
