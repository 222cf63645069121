//! The raise is best effort: if the write fails, the command runs and oomexec prints
//! nothing. With the opt-out, the score stays unchanged.

mod testenv;

use std::io;
use std::process::Command;

use testenv::{
    Calls, LANDLOCK_ACCESS_FS_TRUNCATE, LANDLOCK_ACCESS_FS_WRITE_FILE, Launch, TempDir, check,
    emulated, filtered, foreign_calls, inherited, lacks_landlock, lacks_own_mounts, landlocked,
    no_new_privs, oomexec, own_score, program, read_only_proc, set_mode, shown, text, tool,
};

/// Returns a launch of `show` through oomexec.
fn show() -> Launch {
    Launch::oomexec(["--".as_ref(), program("show").as_os_str()])
}

/// Returns the child's score; asserts success and an empty stderr.
#[track_caller]
fn score(launch: Launch) -> String {
    shown(&launch.output()).score
}

#[test]
fn the_opt_out_keeps_the_inherited_score() {
    for value in [
        "0",
        "false",
        "no",
        "off",
        "FALSE",
        "No",
        " 0",
        "off\n",
        "\t oFf \r\n",
    ] {
        let entry = format!("OPENCLAW_CHILD_OOM_SCORE_ADJ={value}");
        assert_eq!(
            score(inherited(show(), "321").env(&entry)),
            "321",
            "{value:?}"
        );
        assert_eq!(score(show().env(entry)), own_score().trim(), "{value:?}");
    }
}

#[test]
fn any_other_value_means_on() {
    for value in [
        "", "1", "true", "yes", "on", "00", "0x0", "nope", "o ff", "0,", "\u{a0}0",
    ] {
        let entry = format!("OPENCLAW_CHILD_OOM_SCORE_ADJ={value}");
        assert_eq!(score(show().env(entry)), "1000", "{value:?}");
    }
    for entry in [
        "OPENCLAW_CHILD_OOM_SCORE_ADJ",
        "OPENCLAW_CHILD_OOM_SCORE_ADJ2=0",
        "X=0",
    ] {
        assert_eq!(score(show().env(entry)), "1000", "{entry}");
    }
}

#[test]
fn the_first_of_two_opt_outs_counts_as_with_getenv() {
    if emulated("qemu passes only one variable of each name") {
        return;
    }
    const NAME: &str = "OPENCLAW_CHILD_OOM_SCORE_ADJ";
    let both = |first, second| {
        let (first, second) = (format!("{NAME}={first}"), format!("{NAME}={second}"));
        score(inherited(show(), "7").env("A=b").env(first).env(second))
    };
    assert_eq!(both("0", "1"), "7");
    assert_eq!(both("1", "0"), "1000");
}

#[test]
fn the_opt_out_holds_for_a_given_score_too() {
    let show = program("show");
    let launch = Launch::oomexec(["-n".as_ref(), "500".as_ref(), show.as_os_str()]);
    assert_eq!(
        score(inherited(launch, "7").env("OPENCLAW_CHILD_OOM_SCORE_ADJ=off")),
        "7"
    );
}

#[test]
fn a_caller_of_any_score_has_a_child_at_1000() {
    for own in ["0", "300", "999", "1000"] {
        assert_eq!(score(inherited(show(), own)), "1000");
    }
}

#[test]
fn a_caller_that_shares_its_memory_until_the_exec_keeps_its_score() {
    // Without a hook, std calls posix_spawn, which is a vfork: the child shares
    // the caller's memory until its exec.
    let before = own_score();
    let output = Command::new(oomexec())
        .arg("--")
        .arg(program("show"))
        .output()
        .unwrap();
    assert_eq!(
        (shown(&output).score.as_str(), own_score()),
        ("1000", before)
    );
}

#[test]
fn an_unprivileged_user_has_a_child_at_1000() {
    let dir = TempDir::new();
    let (oomexec, show) = (
        dir.copy(oomexec(), "oomexec"),
        dir.copy(program("show"), "show"),
    );
    assert_eq!(
        score(Launch::through(&oomexec, [&show]).unprivileged()),
        "1000"
    );
    // If the score may not be lowered, it stays and the command runs.
    let args = ["-n".as_ref(), "-5".as_ref(), show.as_os_str()];
    let launch = inherited(Launch::through(&oomexec, args), "300");
    assert_eq!(score(launch.unprivileged()), "300");
}

/// Returns the first system calls of `oomexec -- /bin/true`, from its own exec on.
fn calls(environment: &str) -> Vec<String> {
    let args = ["-o", "/dev/stderr", oomexec(), "--", "/bin/true"];
    let launch = Launch::through(tool("strace"), args).env(environment);
    let calls = text(&launch.output().stderr);
    calls.lines().take(4).map(str::to_owned).collect()
}

#[test]
fn the_fast_path_is_three_system_calls() {
    if emulated("strace shows the calls of qemu itself") {
        return;
    }
    let calls = calls("A=b");
    let [own, open, write, exec] = &calls[..] else {
        panic!("{calls:#?}");
    };
    assert!(
        own.starts_with(&format!("execve(\"{}\"", oomexec())),
        "{own}"
    );
    let file = "\"/proc/self/oom_score_adj\", O_WRONLY|O_NONBLOCK|O_CLOEXEC)";
    assert!(open.starts_with("open") && open.contains(file), "{open}");
    assert!(write.starts_with("write("), "{write}");
    assert!(
        write.contains(", \"1000\", 4)") && write.ends_with(" = 4"),
        "{write}"
    );
    assert!(exec.starts_with("execve(\"/bin/true\""), "{exec}");
}

#[test]
fn with_the_opt_out_the_exec_is_the_only_system_call() {
    if emulated("strace shows the calls of qemu itself") {
        return;
    }
    let calls = calls("OPENCLAW_CHILD_OOM_SCORE_ADJ=0");
    assert!(calls[0].starts_with("execve("), "{calls:#?}");
    assert!(calls[1].starts_with("execve(\"/bin/true\""), "{calls:#?}");
}

/// Returns the child's score when strace(1) makes one of oomexec's calls fail. The
/// caller's is 321, which no part of "1000" gives.
#[track_caller]
fn score_with(call: &str, fault: &str) -> String {
    let fault = format!("inject={call}:{fault}:when=1");
    let show = program("show");
    let show = show.to_str().unwrap();
    let mut args = vec!["-o", "/dev/null", "-e", &fault];
    if call == "openat" {
        // An emulator opens files before the program does. (It writes none, and a
        // path does not tell oomexec's writes from others.)
        args.extend([
            "-P",
            "/proc/self/oom_score_adj",
            "-e",
            "quiet=path-resolution",
        ]);
    }
    args.extend([oomexec(), "--", show]);
    score(inherited(Launch::through(tool("strace"), args), "321"))
}

#[test]
fn whatever_errno_the_open_or_the_write_returns_the_command_runs_in_silence() {
    if foreign_calls("it injects faults into 64-bit calls") {
        return;
    }
    for errno in [
        "EPERM", "ENOSYS", "EACCES", "ENOENT", "EROFS", "EMFILE", "ENFILE", "EINTR", "ENOMEM",
        "EINVAL", "EIO", "EAGAIN",
    ] {
        for call in ["openat", "write"] {
            let score = score_with(call, &format!("error={errno}"));
            assert_eq!(score, "321", "{call} {errno}");
        }
    }
}

#[test]
fn a_short_write_is_not_retried() {
    if foreign_calls("it injects faults into 64-bit calls") {
        return;
    }
    for written in ["0", "1", "2", "3"] {
        let score = score_with("write", &format!("retval={written}"));
        assert_eq!(score, "321", "{written}");
    }
}

/// Returns the child's score with `dir` as the root, plus oomexec and `show`.
fn score_in_root(dir: &TempDir) -> String {
    dir.copy(oomexec(), "oomexec");
    dir.copy(program("show"), "show");
    score(Launch::new("/oomexec", ["oomexec", "/show"]).in_root(dir))
}

#[test]
fn on_an_empty_image_without_proc_the_command_runs_in_silence() {
    if lacks_own_mounts() {
        return;
    }
    assert_eq!(score_in_root(&TempDir::new()), "none");
}

#[test]
fn a_proc_that_is_only_a_directory_does_not_change() {
    if lacks_own_mounts() {
        return;
    }
    let dir = TempDir::new();
    dir.dir("proc/self");
    assert_eq!(score_in_root(&dir), "none");
    assert!(!dir.join("proc/self/oom_score_adj").exists());
}

#[test]
fn a_fifo_in_place_of_the_score_file_does_not_block_the_launch() {
    if lacks_own_mounts() {
        return;
    }
    let dir = TempDir::new();
    dir.fifo("proc/self/oom_score_adj");
    dir.copy(oomexec(), "oomexec");
    // `show` itself would block on the FIFO.
    dir.copy(program("true"), "true");
    let launch = Launch::new("/oomexec", ["oomexec", "/true"]).in_root(&dir);
    assert_eq!(launch.or_alarm().output().status.code(), Some(0));
}

#[test]
fn where_proc_is_read_only_the_command_runs_in_silence() {
    if lacks_own_mounts() {
        return;
    }
    assert_eq!(score(read_only_proc(show())), own_score().trim());
}

#[test]
fn a_pin_without_a_proc_that_can_be_written_is_silent_too() {
    if lacks_own_mounts() {
        return;
    }
    for strength in ["--pin", "--pin=write"] {
        let show = program("show");
        let pinned = Launch::oomexec([strength.as_ref(), show.as_os_str()]);
        assert_eq!(score(read_only_proc(pinned)), own_score().trim());

        let dir = TempDir::new();
        dir.copy(oomexec(), "oomexec");
        dir.copy(show, "show");
        let empty = Launch::new("/oomexec", ["oomexec", strength, "/show"]);
        assert_eq!(score(empty.in_root(&dir)), "none");
    }
}

#[test]
fn where_landlock_refuses_the_write_the_command_runs_in_silence() {
    if lacks_landlock(1) {
        return;
    }
    let launch = landlocked(show(), LANDLOCK_ACCESS_FS_WRITE_FILE, 0);
    assert_eq!(score(launch), own_score().trim());
}

#[test]
fn where_landlock_refuses_truncation_oomexec_raises_and_a_shell_cannot() {
    if lacks_landlock(3) {
        return;
    }
    let handled = LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_TRUNCATE;
    let confined = |launch| landlocked(launch, handled, LANDLOCK_ACCESS_FS_WRITE_FILE);
    assert_eq!(score(confined(show())), "1000");

    let show = program("show");
    let shim = "echo 1000 > /proc/self/oom_score_adj 2>/dev/null; exec \"$0\" \"$@\"";
    let args = [
        "sh".as_ref(),
        "-c".as_ref(),
        shim.as_ref(),
        show.as_os_str(),
    ];
    let output = confined(Launch::new("/bin/sh", args)).output();
    assert!(
        text(&output.stderr).contains("Permission denied"),
        "{output:?}"
    );
}

#[test]
fn where_seccomp_refuses_the_open_or_the_write_the_command_runs_in_silence() {
    if foreign_calls("its seccomp filter is for 64-bit calls") {
        return;
    }
    for errno in [libc::EPERM, libc::ENOSYS, libc::EACCES] {
        // The child's own open fails too.
        assert_eq!(
            score(filtered(
                no_new_privs(show()),
                libc::SYS_openat,
                Calls::All,
                errno
            )),
            "none"
        );
        let of_four_bytes = Calls::With(2, 4);
        let launch = filtered(no_new_privs(show()), libc::SYS_write, of_four_bytes, errno);
        assert_eq!(score(launch), own_score().trim());
    }
}

#[test]
fn without_a_free_descriptor_the_command_runs_in_silence() {
    if emulated("qemu needs a free descriptor to start") {
        return;
    }
    let launch = show().prepare(|| {
        let limit = libc::rlimit {
            rlim_cur: 0,
            rlim_max: 20,
        };
        // SAFETY: the limit is this function's own.
        check(unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &limit) })
    });
    assert_eq!(score(launch), "none");
}

#[test]
fn an_execute_only_oomexec_runs_the_command_without_the_raise() {
    let dir = TempDir::new();
    let (oomexec, show) = (
        dir.copy(oomexec(), "oomexec"),
        dir.copy(program("show"), "show"),
    );
    set_mode(&oomexec, 0o111);
    let launch = Launch::through(oomexec, [show]).unprivileged();
    assert_eq!(score(launch), own_score().trim());
}

#[test]
fn without_open_descriptors_a_failure_still_has_its_status() {
    let launch = Launch::oomexec(["/nonexistent"]).prepare(|| {
        for fd in 0..3 {
            // SAFETY: the descriptor is this process's own.
            check(unsafe { libc::close(fd) })?;
        }
        Ok::<(), io::Error>(())
    });
    assert_eq!(launch.output().status.code(), Some(127));
}
