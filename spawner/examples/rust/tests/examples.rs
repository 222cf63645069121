//! The examples run and show the scores.

mod testenv;

use std::env;
use std::path::Path;
use std::process::Command;

use testenv::{example, oomexec, own_score};

/// Runs an example. Like a gateway, it decides by its environment.
fn run(name: &str, decide: (&str, &std::ffi::OsStr)) -> String {
    let path = env::var_os("PATH").expect("a PATH");
    let directories = env::split_paths(&path).filter(|one| !one.join("oomexec").exists());
    let output = Command::new(example(name))
        .env("PATH", env::join_paths(directories).expect("a PATH"))
        .env("HOME", Path::new("/nonexistent"))
        .env_remove("OOMEXEC_PATH")
        .env_remove("OPENCLAW_CHILD_OOM_SCORE_ADJ")
        .env(decide.0, decide.1)
        .output();
    let output = output.expect("it starts");
    let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        output.status.success(),
        "{stdout}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    stdout
}

/// Parses the score in a line like `child 123: 1000, by oomexec`.
fn score(stdout: &str, who: &str) -> Option<i32> {
    let line = stdout.lines().find(|line| line.starts_with(who))?;
    let score = line.split_once(": ")?.1.split(',').next()?;
    score.parse().ok()
}

#[test]
fn each_example_shows_the_scores_of_the_gateway_and_the_child() {
    let oomexec = oomexec();
    for (name, expected) in [
        ("supervisor", "nothing that it started is left"),
        ("supervisor_tokio", "it says: hello"),
        ("pty", "login shell: on"),
        ("mcp", "its tool score says: "),
    ] {
        for (decide, raised) in [
            (("OOMEXEC_PATH", oomexec.as_os_str()), 1000),
            (("OOMEXEC_PATH", "".as_ref()), 1000),
            (("OPENCLAW_CHILD_OOM_SCORE_ADJ", "0".as_ref()), own_score()),
        ] {
            let stdout = run(name, decide);
            assert_eq!(score(&stdout, "gateway"), Some(own_score()), "{stdout}");
            assert_eq!(score(&stdout, "child"), Some(raised), "{stdout}");
            assert!(stdout.contains(expected), "{stdout}");
        }
    }
}
