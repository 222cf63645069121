//! Real children, started in each of the three ways, and their scores.

mod testenv;

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Stdio};

use oomexec_spawner::{Launch, Pin, Via, Why};
use testenv::{
    Directory, Running, is_root, launch, not_tested, oomexec, own_score, score_of, stdout_of,
    write_executable,
};

/// Returns the launch in each of the three ways, with the score expected.
fn each_way(launch: &Launch) -> [(Via, Launch, i32); 3] {
    let (mut oomexec_way, mut sh_way, mut direct_way) =
        (launch.clone(), launch.clone(), launch.clone());
    oomexec_way.oomexec(oomexec());
    sh_way.without_oomexec();
    direct_way.without_oomexec().without_shell();
    [
        (Via::Oomexec, oomexec_way, 1000),
        (Via::Sh, sh_way, 1000),
        (Via::Direct, direct_way, own_score()),
    ]
}

#[test]
fn the_tests_themselves_run_below_1000() {
    assert!(
        own_score() < 1000,
        "otherwise a raised child looks like the gateway"
    );
}

#[test]
fn a_wrapped_child_is_raised_a_direct_one_inherits_and_the_gateway_keeps_its_own() {
    let own = own_score();
    for (via, launch, score) in each_way(launch("sh").args(["-c", "echo $$; exec cat"])) {
        let prepared = launch.prepare();
        assert_eq!(prepared.via, via);
        let mut running = Running::start(&mut prepared.command());
        let pid = running.child.id();
        assert_eq!(
            running.line(),
            pid.to_string(),
            "the pid is the child's, {via}"
        );
        assert_eq!(score_of(pid), score, "{via}");
        assert_eq!(own_score(), own, "{via}");
    }
}

#[test]
fn a_child_gets_its_arguments_unchanged() {
    let args = [
        "--",
        "",
        "-n",
        " a  b ",
        "ünï ✓",
        "\n",
        "$HOME",
        "*",
        "\"$@\"",
        "-c",
    ]
    .map(OsStr::new);
    let args = args.into_iter().chain([OsStr::from_bytes(b"\xff\xfe")]);
    let mut launch = launch("printf");
    launch.arg("%s\\0").args(args.clone());
    let expected: Vec<u8> = args
        .flat_map(|arg| [arg.as_bytes(), b"\0"].concat())
        .collect();
    for (via, launch, _) in each_way(&launch) {
        let output = launch.prepare().command().output().expect("it starts");
        assert_eq!(output.stdout, expected, "{via}");
    }
}

#[test]
fn a_child_keeps_its_score_when_opted_out() {
    let mut launch = launch("cat");
    launch
        .arg("/proc/self/oom_score_adj")
        .env("OPENCLAW_CHILD_OOM_SCORE_ADJ", " Off");
    for (via, launch, _) in each_way(&launch) {
        assert_eq!(
            stdout_of(&launch.prepare()).trim(),
            own_score().to_string(),
            "{via}"
        );
    }
}

#[test]
fn a_child_passes_on_its_exit_status_and_signal_and_nothing_is_added_to_its_output() {
    for (via, launch, _) in each_way(launch("sh").args(["-c", "exit 7"])) {
        let output = launch.prepare().command().output().expect("it starts");
        assert_eq!(output.status.code(), Some(7), "{via}");
        assert_eq!((output.stdout, output.stderr), (vec![], vec![]), "{via}");
    }
    for (via, launch, _) in each_way(launch("sh").args(["-c", "kill -TERM $$"])) {
        let status = launch.prepare().command().status().expect("it starts");
        assert_eq!(status.signal(), Some(15), "{via}");
    }
}

#[test]
fn a_command_that_cannot_run_fails_with_the_native_spawn_error() {
    let directory = Directory::new();
    let plain = directory.make("notes", "plain");
    let script = directory.make("script", "no-interpreter");
    let (here, gone) = (directory.0.as_path(), directory.0.join("gone"));
    for (command, directory) in [
        (OsStr::new("no-such-command"), here),
        (gone.as_os_str(), here),
        (plain.as_os_str(), here),
        (OsStr::new("./notes"), here),
        (script.as_os_str(), here),
        (OsStr::new("./script"), here),
        (OsStr::new("cat"), &gone),
        (OsStr::new("a\0b"), here),
    ] {
        let native = Command::new(command).current_dir(directory).spawn();
        let native = native.expect_err("it cannot run").kind();
        for (via, launch, _) in each_way(launch(command).current_dir(directory)) {
            let spawned = launch.prepare().spawn();
            let error = spawned.expect_err("it cannot run").kind();
            assert_eq!(error, native, "{command:?} in {directory:?}, {via}");
        }
    }
}

#[test]
fn a_file_that_only_others_may_execute_is_not_executable() {
    let directory = Directory::new();
    let file = directory.make("notes", "executable");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o611)).expect("its mode is set");
    // Root may execute a file if anybody may.
    let native = Command::new(&file).stdin(Stdio::null()).status().is_ok();
    let wrapped = launch(&file).oomexec(oomexec()).prepare().wrapped();
    assert_eq!(wrapped, native);
}

#[test]
fn a_child_is_looked_up_in_its_own_directory() {
    let directory = Directory::new();
    let script = directory.make("score", "executable");
    write_executable(
        &script,
        "#!/bin/sh\nread score </proc/$$/oom_score_adj; echo $score\n".as_bytes(),
        0o755,
    );
    for (via, launch, score) in each_way(launch("./score").current_dir(&directory.0)) {
        let prepared = launch.prepare();
        assert_eq!(prepared.via, via);
        assert_eq!(stdout_of(&prepared).trim(), score.to_string());
    }
}

#[test]
fn argv0_reaches_the_child_through_oomexec_and_directly_without_oomexec() {
    let files = ["/proc/self/cmdline", "/proc/self/oom_score_adj"];
    let mut launch = launch("cat");
    launch.args(files).argv0("-cat");
    for (via, score) in [(Via::Oomexec, 1000), (Via::Direct, own_score())] {
        match via {
            Via::Oomexec => launch.oomexec(oomexec()),
            _ => launch.without_oomexec(),
        };
        let prepared = launch.prepare();
        assert_eq!(prepared.via, via);
        let expected = format!("-cat\0{}\0{}\0{score}\n", files[0], files[1]);
        assert_eq!(stdout_of(&prepared), expected);
    }
}

#[test]
fn a_pinned_child_is_held_at_1000_if_the_kernel_has_landlock() {
    let script = "(echo 0 >/proc/self/oom_score_adj) 2>/dev/null; cat /proc/self/oom_score_adj";
    let by_hand = Command::new(oomexec())
        .args(["--pin", "--", "sh", "-c", script])
        .output();
    let expected = String::from_utf8(by_hand.expect("it starts").stdout).expect("text");
    if expected != "1000\n" {
        not_tested("Landlock cannot pin on this kernel: only the launch is tested");
    }
    let mut launch = launch("sh");
    launch.args(["-c", script]).oomexec(oomexec()).pin(true);
    assert_eq!(stdout_of(&launch.prepare()), expected);
}

#[test]
fn a_child_pinned_against_each_write_is_held_at_1000_if_the_kernel_has_landlock() {
    // Without truncation, as Firefox and PostgreSQL write.
    let script = "(echo 0 >>/proc/self/oom_score_adj) 2>/dev/null; cat /proc/self/oom_score_adj";
    let by_hand = Command::new(oomexec())
        .args(["--pin=write", "--", "sh", "-c", script])
        .output();
    let expected = String::from_utf8(by_hand.expect("it starts").stdout).expect("text");
    if expected != "1000\n" {
        not_tested("Landlock cannot pin on this kernel: only the launch is tested");
    }
    let mut launch = launch("sh");
    launch
        .args(["-c", script])
        .oomexec(oomexec())
        .pin(Pin::Write);
    assert_eq!(stdout_of(&launch.prepare()), expected);
}

#[test]
fn a_child_gets_the_score_that_it_is_given() {
    let own = own_score();
    for score in [own + 1, 999, 1000] {
        let mut launch = launch("cat");
        let launch = launch.arg("/proc/self/oom_score_adj").score(score);
        for (via, launch, _) in each_way(launch.expect("a score")) {
            let expected = if via == Via::Direct { own } else { score };
            let prepared = launch.prepare();
            assert_eq!(prepared.via, via);
            assert_eq!(stdout_of(&prepared), format!("{expected}\n"), "{via}");
        }
    }
}

#[test]
fn a_score_out_of_range_is_refused_and_the_launch_keeps_the_one_it_has() {
    let mut launch = launch("cat");
    launch.arg("/proc/self/oom_score_adj").score(999).expect("");
    for bad in [-1001, 1001, i32::MIN, i32::MAX] {
        let error = launch.score(bad).expect_err("it is out of range");
        assert_eq!(
            error.to_string(),
            format!("bad score {bad} (-1000 to 1000)")
        );
    }
    let prepared = launch.oomexec(oomexec()).prepare();
    let score = stdout_of(&prepared);
    assert_eq!(score, "999\n");
}

#[test]
fn an_exact_environment_reaches_the_child_unchanged() {
    // sh drops the first two and adds PWD.
    let variables = [
        ("MY-VAR", "x"),
        ("npm_config_//registry/:_authToken", "secret"),
        ("BASH_ENV", "/nonexistent"),
        ("PATH", "/bin"),
    ];
    let mut launch = Launch::new("cat");
    launch.arg("/proc/self/environ").env_clear().envs(variables);
    launch.env("OPENCLAW_CHILD_OOM_SCORE_ADJ", "1");
    for (way, launch, _) in each_way(launch.exact_env(true)) {
        let prepared = launch.prepare();
        let direct_instead = way == Via::Sh;
        assert_eq!(prepared.via, if direct_instead { Via::Direct } else { way });
        if direct_instead {
            assert_eq!(prepared.why, Why::ExactEnv);
        }
        let got = stdout_of(&prepared);
        let mut got: Vec<&str> = got.split_terminator('\0').collect();
        got.sort_unstable();
        let text = |text: OsString| text.into_string().expect("text");
        let expected = prepared.env().into_iter();
        let expected = expected.map(|(name, value)| format!("{}={}", text(name), text(value)));
        let expected: Vec<_> = expected.collect();
        assert_eq!(got, expected, "{way}");
        assert_eq!(got.len(), variables.len() + 1, "{way}");
    }
}

#[test]
fn a_child_of_another_user_runs_also_where_that_user_cannot_execute_oomexec() {
    const NOBODY: u32 = 65534;
    if !is_root("only root can start a child of another user") {
        return;
    }
    let directory = Directory::new();
    fs::set_permissions(&directory.0, fs::Permissions::from_mode(0o755)).expect("it is set");
    let home = directory.make("home/oomexec", "oomexec");
    let open = directory.make("open/oomexec", "oomexec");
    let locked = fs::Permissions::from_mode(0o700);
    fs::set_permissions(directory.0.join("home"), locked).expect("it is set");
    for (oomexec, via) in [(&open, Via::Oomexec), (&home, Via::Sh)] {
        let mut launch = launch("sh");
        launch.args(["-c", "id -u; id -G; cat /proc/self/oom_score_adj"]);
        let launch = launch.oomexec(oomexec).uid(NOBODY);
        let own_group = launch.prepare();
        let other_group = launch.gid(NOBODY).prepare();
        for (prepared, group) in [(own_group, 0), (other_group, NOBODY)] {
            assert_eq!(prepared.via, via);
            let expected = format!("{NOBODY}\n{group}\n1000\n");
            assert_eq!(stdout_of(&prepared), expected, "{via}");
        }
        // As the gateway's own user it needs no other way.
        let own_user = launch.clone().uid(0).gid(0).prepare();
        assert_eq!(own_user.via, Via::Oomexec);

        // For another user std forks rather than posix_spawn: the error comes another way.
        let mut prepared = launch.prepare();
        if via == Via::Oomexec {
            fs::remove_file(oomexec).expect("it is removed");
        }
        let output = prepared.spawn_with(|it| it.command().output());
        let expected = format!("{NOBODY}\n{NOBODY}\n1000\n");
        assert_eq!(output.expect("it starts").stdout, expected.as_bytes());
        assert_eq!(prepared.via, Via::Sh);
    }
}

#[test]
fn a_command_prepared_twice_is_wrapped_once() {
    for (via, mut first, score) in each_way(launch("cat").arg("/proc/self/oom_score_adj")) {
        let once = first.prepare().command();
        first = launch(once.get_program());
        first.args(once.get_args());
        if via != Via::Oomexec {
            first.without_oomexec();
        }
        if via == Via::Direct {
            first.without_shell();
        }
        let twice = first.prepare();
        assert_eq!(twice.via, via);
        let parts = |command: &Command| {
            let args = command.get_args().map(OsStr::to_owned);
            [command.get_program().to_owned()]
                .into_iter()
                .chain(args)
                .collect::<Vec<_>>()
        };
        assert_eq!(parts(&twice.command()), parts(&once));
        assert_eq!(stdout_of(&twice).trim(), score.to_string());
    }
}

#[test]
fn the_shell_reads_no_startup_file() {
    let directory = Directory::new();
    let startup = directory.make("startup", "plain");
    fs::write(&startup, "echo startup\n").expect("it is written");
    let mut launch = launch("cat");
    launch.arg("/proc/self/oom_score_adj").without_oomexec();
    launch.env("BASH_ENV", &startup).env("ENV", &startup);
    assert_eq!(stdout_of(&launch.prepare()), "1000\n");
}

#[test]
fn the_shim_is_silent_in_each_shell_if_the_write_is_refused() {
    const READ_ONLY: &str =
        r#"mount --bind /proc /proc && mount -o remount,ro,bind /proc && exec "$@""#;
    let read_only = |flags: &str| {
        let mut command = Command::new("unshare");
        command.args([flags, "sh", "-c", READ_ONLY, "sh"]);
        command
    };
    let works = |flags: &&str| {
        let output = read_only(flags).arg("true").output();
        output.is_ok_and(|output| output.status.success())
    };
    let Some(flags) = ["-m", "-rm"].into_iter().find(works) else {
        return not_tested("/proc cannot be made read-only here");
    };
    let mut launch = launch("true");
    let prepared = launch.without_oomexec().prepare();
    let script = prepared.args().nth(1).expect("a script");
    let shells: [&[&str]; 4] = [
        &["/bin/sh"],
        &["dash"],
        &["bash", "--posix"],
        &["busybox", "sh"],
    ];
    for shell in shells {
        if Command::new(shell[0])
            .args(&shell[1..])
            .args(["-c", ":"])
            .output()
            .is_err()
        {
            continue;
        }
        let mut command = read_only(flags);
        command
            .args(shell)
            .arg("-c")
            .arg(script)
            .args(["cat", "/proc/self/oom_score_adj"]);
        let output = command.output().expect("it starts");
        let said = (
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr),
        );
        assert_eq!(
            said,
            (format!("{}\n", own_score()).into(), "".into()),
            "{shell:?}"
        );
    }
}

#[test]
fn a_child_reads_what_the_gateway_writes() {
    for (via, launch, _) in each_way(&launch("cat")) {
        let mut command = launch.prepare().command();
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("it starts");
        child
            .stdin
            .take()
            .expect("a pipe")
            .write_all(b"hello")
            .expect("it reads");
        let output = child.wait_with_output().expect("it ends");
        assert_eq!(output.stdout, b"hello", "{via}");
    }
}
