//! The command line: what runs, what is printed, and the exit status.

mod testenv;

use std::fs::{self, File};
use std::process::Command;
use testenv::{Launch, TempDir, failed, oomexec, program, shown, text};

const TRY: &str = "try 'oomexec --help'";

fn show() -> String {
    program("show").to_str().unwrap().to_owned()
}

#[test]
fn a_child_runs_at_1000_with_its_own_arguments() {
    let show = show();
    for args in [&["--", &show, "-n", "--", ""][..], &[&show, "-n", "--", ""]] {
        let child = shown(&Launch::oomexec(args).output());
        assert_eq!(child.score, "1000");
        assert_eq!(child.file, show);
        assert_eq!(child.argv, [&show, "-n", "--", ""]);
    }
}

#[test]
fn a_score_may_be_given_in_every_form() {
    let show = show();
    for args in [
        &["-n", "500"][..],
        &["-n500"],
        &["--adjust", "500"],
        &["--adjust=500"],
        &["--adj", "500"],
        &["--ad=500"],
        &["-n", "+500"],
        &["-n", "1", "-n500", "--"],
    ] {
        let args = [args, &[show.as_str()]].concat();
        assert_eq!(
            shown(&Launch::oomexec(&args).output()).score,
            "500",
            "{args:?}"
        );
    }
}

#[test]
fn argv0_is_what_the_command_sees_and_not_what_is_looked_up() {
    let show = show();
    for args in [
        &["-a", "-bash"][..],
        &["-a-bash"],
        &["--argv0", "-bash"],
        &["--argv0=-bash", "--"],
    ] {
        let args = [args, &[show.as_str(), "x"]].concat();
        let child = shown(&Launch::oomexec(&args).output());
        assert_eq!(child.file, show);
        assert_eq!(child.argv, ["-bash", "x"], "{args:?}");
    }
    let child = shown(&Launch::oomexec(["-a", "", &show]).output());
    assert_eq!(child.argv, [""]);
}

#[test]
fn a_login_shell_knows_that_it_is_one() {
    let says = |args: &[&str]| {
        let script = "shopt -q login_shell; echo $?";
        let output = Launch::oomexec([args, &["bash", "-c", script]].concat())
            .env("PATH=/usr/bin:/bin")
            .env("HOME=/nonexistent")
            .output();
        text(&output.stdout)
    };
    // A login shell runs /etc/profile, which may print something.
    assert!(says(&["-a", "-bash"]).ends_with("0\n"));
    assert_eq!(says(&[]), "1\n");
}

#[test]
fn a_command_may_have_any_name() {
    let dir = TempDir::new();
    for name in ["-x", "--", "-", "-n", "--help", "a b", "ü\u{1b}", "="] {
        dir.copy(show(), name);
        let child = shown(
            &Launch::oomexec(["--", name, "-h"])
                .path(&[b""])
                .dir(dir.path())
                .output(),
        );
        assert_eq!((child.score.as_str(), child.file.as_str()), ("1000", name));
        assert_eq!(child.argv, [name, "-h"]);
    }
}

#[test]
fn the_status_of_the_command_is_its_own() {
    for status in [0, 1, 7, 125, 126, 127, 255] {
        let output = Launch::oomexec(["/bin/sh", "-c", &format!("exit {status}")]).output();
        assert_eq!(output.status.code(), Some(status));
        assert_eq!(
            (text(&output.stdout), text(&output.stderr)),
            (String::new(), String::new())
        );
    }
    let output = Launch::oomexec(["/bin/sh", "-c", "kill -9 $$"]).output();
    assert_eq!(output.status.to_string(), "signal: 9 (SIGKILL)");
}

#[test]
fn a_pin_of_either_strength_runs_the_command_whether_it_holds_or_not() {
    let show = show();
    for args in [
        &["--pin"][..],
        &["--pin=write"],
        &["--pin=write", "--"],
        &["--pin", "--pin=write", "-n500", "-n1000"],
    ] {
        let args = [args, &[show.as_str(), "x"]].concat();
        let child = shown(&Launch::oomexec(&args).output());
        assert_eq!((child.score.as_str(), &child.file), ("1000", &show));
        assert_eq!(child.argv, [&show, "x"], "{args:?}");
    }
}

#[test]
fn an_oomexec_that_knows_a_strength_says_its_version_behind_it() {
    // So the spawners ask.
    let output = Launch::oomexec(["--pin=write", "--version"]).output();
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(text(&output.stdout), oomexec::cli::VERSION);
}

#[test]
fn a_bad_command_line_prints_one_line_fails_with_125_and_runs_nothing() {
    let show = show();
    for (args, words) in [
        (&[][..], "no COMMAND to run"),
        (&["--"], "no COMMAND to run"),
        (&["-n", "5"], "no COMMAND to run"),
        (&["-x", &show], "unknown option '-x'"),
        (&["--foo=1", &show], "unknown option '--foo=1'"),
        (
            &["--adjustment", "5", &show],
            "unknown option '--adjustment'",
        ),
        (
            &["--a", "5", &show],
            "option '--a' is ambiguous; possibilities: '--adjust' '--argv0'",
        ),
        (&["-hV"], "'-hV': the option takes no value"),
        (&["-n"], "'-n' needs a value"),
        (&["--argv0"], "'--argv0' needs a value"),
        (&["-n", "1001", &show], "bad SCORE '1001' (-1000 to 1000)"),
        (&["-n", "-1001", &show], "bad SCORE '-1001' (-1000 to 1000)"),
        (&["-n", "", &show], "bad SCORE '' (-1000 to 1000)"),
        (&["-n1e3", &show], "bad SCORE '1e3' (-1000 to 1000)"),
        (&["-n", "5\n", &show], "bad SCORE '5\\n' (-1000 to 1000)"),
        (
            &["-n", "99999999999999999999", &show],
            "bad SCORE '99999999999999999999' (-1000 to 1000)",
        ),
        (&["-p", "x"], "bad PID 'x' (a process id, or self)"),
        (&["-p", "1", &show], "--pid takes nothing but --adjust"),
        (&["-p", "1", "-a", "x"], "--pid takes nothing but --adjust"),
        (&["-p", "1", "--pin"], "--pid takes nothing but --adjust"),
        (&["--pin"], "no COMMAND to run"),
        (&["--pin=write"], "no COMMAND to run"),
        (
            &["--pin=1", &show],
            "bad pin '1' (write, or nothing: --pin)",
        ),
        (&["--pin=", &show], "bad pin '' (write, or nothing: --pin)"),
        (
            &["--pin=read\n", &show],
            "bad pin 'read\\n' (write, or nothing: --pin)",
        ),
        (
            &["--pi=write", &show],
            "option '--pi' is ambiguous; possibilities: '--pin' '--pid'",
        ),
        (
            &["-p", "1", "--pin=write"],
            "--pid takes nothing but --adjust",
        ),
        (
            &["--check", "1", &show],
            "--check takes nothing but the PID of the gateway",
        ),
        (
            &["--check", "-n", "5"],
            "--check takes nothing but the PID of the gateway",
        ),
        (
            &["--check", "self"],
            "bad PID 'self': --check takes the PID of the gateway",
        ),
        (
            &["--check", "ls", "-l"],
            "bad PID 'ls': --check takes the PID of the gateway",
        ),
        (
            &["--check", "--", "ls"],
            "bad PID 'ls': --check takes the PID of the gateway",
        ),
    ] {
        let output = Launch::oomexec(args).output();
        failed(&output, 125, &format!("oomexec: {words}; {TRY}"));
    }
}

#[test]
fn an_empty_argv_is_a_usage_error_and_no_crash() {
    // Linux 5.18 and later add an empty argv[0].
    let output = Launch::new(oomexec(), [""; 0]).env("PATH=/bin").output();
    failed(&output, 125, &format!("oomexec: no COMMAND to run; {TRY}"));
}

#[test]
fn help_is_on_stdout_within_80_columns_and_names_what_it_must() {
    for option in ["-h", "--help"] {
        let output = Launch::oomexec([option]).output();
        assert_eq!(
            (output.status.code(), text(&output.stderr)),
            (Some(0), String::new())
        );
        let help = text(&output.stdout);
        assert_eq!(help, oomexec::cli::HELP);
        assert!(help.lines().all(|line| line.len() < 80));
        for word in [
            "OPENCLAW_CHILD_OOM_SCORE_ADJ",
            "125",
            "126",
            "127",
            "--argv0",
            "--pid",
        ] {
            assert!(help.contains(word), "{word}");
        }
    }
}

#[test]
fn version_is_that_of_the_package() {
    for option in ["-V", "--version"] {
        let output = Launch::oomexec([option]).output();
        assert_eq!(
            (output.status.code(), text(&output.stderr)),
            (Some(0), String::new())
        );
        assert_eq!(
            text(&output.stdout),
            format!("oomexec {}\n", env!("CARGO_PKG_VERSION"))
        );
    }
}

#[test]
fn output_that_cannot_be_written_is_a_failure() {
    for option in ["-h", "-V"] {
        let full = File::options().write(true).open("/dev/full").unwrap();
        let output = Launch::oomexec([option]).stdout(full).output();
        failed(
            &output,
            125,
            "oomexec: cannot write to stdout: No space left on device",
        );
    }
    for args in [&["-V"][..], &["-p", "self"]] {
        let output = Launch::oomexec(args)
            .prepare(|| {
                // SAFETY: the call takes a number.
                testenv::check(unsafe { libc::close(1) })
            })
            .output();
        failed(
            &output,
            125,
            "oomexec: cannot write to stdout: Bad file descriptor",
        );
    }
}

#[test]
fn a_score_is_printed_as_cat_would() {
    let own = testenv::own_score();
    let pid = std::process::id().to_string();
    for args in [
        &["-p", &pid][..],
        &["--pid", &pid],
        &[&format!("-p{pid}")],
        &["-p", "self"],
    ] {
        let output = Launch::oomexec(args).output();
        assert_eq!(
            (output.status.code(), text(&output.stderr)),
            (Some(0), String::new())
        );
        assert_eq!(text(&output.stdout), own, "{args:?}");
    }
}

#[test]
fn a_child_is_verified_without_cat() {
    let output = Launch::oomexec(["--", oomexec(), "-p", "self"]).output();
    assert_eq!(text(&output.stdout), "1000\n");
}

#[test]
fn the_score_of_another_process_can_be_set() {
    let mut child = Command::new("/bin/sleep").arg("60").spawn().unwrap();
    let pid = child.id().to_string();
    let output = Launch::oomexec(["-p", &pid, "-n", "321"]).output();
    let score = fs::read_to_string(format!("/proc/{pid}/oom_score_adj")).unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(
        (text(&output.stdout), text(&output.stderr)),
        (String::new(), String::new())
    );
    assert_eq!(score, "321\n");
}

#[test]
fn a_score_that_cannot_be_read_or_set_is_a_failure_with_a_reason() {
    let mut gone = Command::new("/bin/true").spawn().unwrap();
    let pid = gone.id().to_string();
    gone.wait().unwrap();
    for (args, verb) in [
        (&["-p", &pid][..], "read"),
        (&["-p", &pid, "-n", "0"], "set"),
    ] {
        let line =
            format!("oomexec: cannot {verb} the oom_score_adj of process {pid}: no such process");
        failed(&Launch::oomexec(args).output(), 125, &line);
    }
}

#[test]
fn without_proc_a_query_says_that_proc_is_not_mounted() {
    if testenv::lacks_own_mounts() {
        return;
    }
    let dir = TempDir::new();
    dir.copy(oomexec(), "oomexec");
    for (pid, args) in [
        ("self", &["-p", "self"][..]),
        ("1", &["-p", "1", "-n", "5"]),
    ] {
        let args = ["oomexec"].iter().chain(args);
        let output = Launch::new("/oomexec", args).in_root(&dir).output();
        let verb = if pid == "self" { "read" } else { "set" };
        let line = format!(
            "oomexec: cannot {verb} the oom_score_adj of process {pid}: /proc is not mounted here"
        );
        failed(&output, 125, &line);
    }
}

#[test]
fn a_fifo_in_place_of_a_score_file_does_not_block_a_query() {
    if testenv::lacks_own_mounts() {
        return;
    }
    let dir = TempDir::new();
    dir.copy(oomexec(), "oomexec");
    dir.fifo("proc/7/oom_score_adj");
    dir.file("proc/self/oom_score_adj", "0\n", 0o644);
    for (args, words) in [
        (
            &["-p", "7"][..],
            "read the oom_score_adj of process 7: Invalid argument",
        ),
        (
            &["-p", "7", "-n", "5"],
            "set the oom_score_adj of process 7: No such device or address",
        ),
    ] {
        let args = ["oomexec"].iter().chain(args);
        let launch = Launch::new("/oomexec", args).in_root(&dir);
        let output = launch.or_alarm().output();
        failed(&output, 125, &format!("oomexec: cannot {words}"));
    }
}

#[test]
fn a_score_below_the_lowest_allowed_fails_with_a_message() {
    let line = "oomexec: cannot set the oom_score_adj of process self: Permission denied: \
                to go below the lowest score it may take needs CAP_SYS_RESOURCE";
    let dir = TempDir::new();
    let copy = dir.copy(oomexec(), "oomexec");
    let output = Launch::through(copy, ["-p", "self", "-n", "-1000"])
        .unprivileged()
        .output();
    failed(&output, 125, line);
}

#[test]
fn setting_the_score_of_another_users_process_fails_with_a_message() {
    let dir = TempDir::new();
    let copy = dir.copy(oomexec(), "oomexec");
    // Process 1 belongs to root, and an unprivileged user may not write to it.
    let output = Launch::through(copy, ["-p", "1", "-n", "1000"])
        .unprivileged()
        .output();
    failed(
        &output,
        125,
        "oomexec: cannot set the oom_score_adj of process 1: Permission denied",
    );
}
