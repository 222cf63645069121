//! Explanations of real exits.

mod testenv;

use std::env;
use std::fs;
use std::path::Path;

use oomexec_spawner::{ExitKind, Explanation, OomKills, explain_exit};
use testenv::{Cgroup, Directory, again, launch, not_tested, oomexec, write_executable};

#[test]
fn a_real_oom_kill_is_told_apart_from_a_kill_by_the_gateway() {
    let Some(cgroup) = Cgroup::new(64 << 20) else {
        return not_tested("no memory cgroup can be made here");
    };
    let gateway = again("a_gateway_in_a_cgroup")
        .env("OOMEXEC_CGROUP", &cgroup.0)
        .output();
    let gateway = gateway.expect("it starts");
    let said = String::from_utf8_lossy(&gateway.stderr);
    assert!(gateway.status.success(), "{said}");
}

/// Starts a child that grows until the kernel kills it, and one that the gateway kills.
#[test]
#[ignore = "started by a_real_oom_kill_is_told_apart_from_a_kill_by_the_gateway"]
fn a_gateway_in_a_cgroup() {
    let Some(cgroup) = env::var_os("OOMEXEC_CGROUP") else {
        return;
    };
    let cgroup = Path::new(&cgroup);
    fs::write(cgroup.join("cgroup.procs"), std::process::id().to_string()).expect("it moves there");
    let before = OomKills::read().expect("there is a count");
    assert_eq!(before.file.parent(), Some(cgroup));

    let grown = explain("x=x; while :; do x=$x$x; done", false);
    assert_eq!(grown.kind, ExitKind::OomKilled);
    assert!(grown.text.contains("killed 1 process in"), "{}", grown.text);
    let killed = explain("while :; do sleep 1; done", true);
    assert_eq!(killed.kind, ExitKind::Killed);
    assert_eq!(
        before.again().expect("it is still there").kills,
        before.kills + 1
    );
}

fn explain(script: &str, kill: bool) -> Explanation {
    let before = OomKills::read();
    let prepared = launch("sh")
        .args(["-c", script])
        .oomexec(oomexec())
        .prepare();
    let mut child = prepared.command().spawn().expect("it starts");
    if kill {
        child.kill().expect("it is killed");
    }
    let status = child.wait().expect("it ends");
    let after = before.as_ref().and_then(OomKills::again);
    explain_exit(status, prepared.wrapped(), before.as_ref(), after.as_ref())
}

#[test]
fn read_of_reads_the_count_of_another_processs_cgroup() {
    assert_eq!(OomKills::read_of(std::process::id()), OomKills::read());
}

#[test]
fn there_is_no_count_if_there_is_no_such_process_or_file() {
    assert_eq!(OomKills::read_of(0), None);
    assert_eq!(OomKills::read_of(u32::MAX), None);
    let file = "/no/such/file".into();
    assert_eq!(OomKills { file, kills: 0 }.again(), None);
}

#[test]
fn a_file_that_cannot_be_run_is_126_and_one_that_is_gone_or_misses_its_interpreter_is_127() {
    let directory = Directory::new();
    let file = directory.make("file", "executable");
    let explain = |contents: &[u8], meanwhile: &dyn Fn()| {
        write_executable(&file, contents, 0o755);
        let prepared = launch(&file).oomexec(oomexec()).prepare();
        assert!(prepared.wrapped());
        meanwhile();
        let output = prepared.command().output().expect("it starts");
        explain_exit(output.status, prepared.wrapped(), None, None).kind
    };
    // Before the launch it would have been started directly, for its native error.
    let spoil = || write_executable(&file, b"#!/no/such/interpreter\n", 0o755);
    let remove = || fs::remove_file(&file).expect("it is removed");
    assert_eq!(explain(b"\x7fELF", &|| {}), ExitKind::CannotRun);
    assert_eq!(explain(b"#!/bin/sh\n", &spoil), ExitKind::NotFound);
    assert_eq!(explain(b"#!/bin/sh\n", &remove), ExitKind::NotFound);
}
