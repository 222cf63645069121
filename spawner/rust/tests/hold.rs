//! A child that resets its score is raised again. src/hold.rs tests that another process with its pid is not.

mod testenv;

use std::fs;
use std::process::Command;
use std::thread;
use std::time::Duration;

use oomexec_spawner::hold;
use testenv::{Running, again, oomexec, own_score, score_of};

/// Starts a child that resets its score to the gateway's, which needs no privilege, at the start and at each line of
/// input.
fn start_resetting() -> Running {
    let own = own_score();
    let script =
        format!("while :; do echo {own} >/proc/$$/oom_score_adj; echo reset; read next; done");
    Running::start(Command::new(oomexec()).args(["--", "sh", "-c", &script]))
}

#[test]
fn a_process_that_resets_its_score_is_raised_again_each_time() {
    let mut running = start_resetting();
    let pid = running.child.id();
    let held = hold(pid);
    for _ in 0..2 {
        assert_eq!(running.line(), "reset");
        while score_of(pid) != 1000 {
            thread::sleep(Duration::from_millis(20));
        }
        running.send_line();
    }
    held.stop();
}

#[test]
fn a_process_is_held_after_the_handle_is_dropped() {
    let mut running = start_resetting();
    assert_eq!(running.line(), "reset");
    let pid = running.child.id();
    drop(hold(pid));
    running.send_line();
    assert_eq!(running.line(), "reset");
    while score_of(pid) != 1000 {
        thread::sleep(Duration::from_millis(20));
    }
}

/// Runs in a new process, without the threads of other tests.
#[test]
fn the_thread_ends_when_the_process_ends_and_when_it_is_stopped() {
    let output = again("two_holds").env("OOMEXEC_HOLD", "1").output();
    let output = output.expect("it starts");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
}

#[test]
#[ignore = "started by the_thread_ends_when_the_process_ends_and_when_it_is_stopped"]
fn two_holds() {
    if std::env::var_os("OOMEXEC_HOLD").is_none() {
        return;
    }
    let mut ended = start_resetting();
    let held = hold(ended.child.id());
    wait_for_threads(1);
    ended.end();
    wait_for_threads(0);
    held.stop();

    let stopped = start_resetting();
    let held = hold(stopped.child.id());
    wait_for_threads(1);
    held.stop();
    wait_for_threads(0);
}

#[test]
fn the_gateway_itself_and_unknown_pids_are_not_held() {
    let own = own_score();
    for pid in [0, std::process::id(), u32::MAX] {
        hold(pid).stop();
    }
    assert_eq!(own_score(), own);
}

fn wait_for_threads(expected: usize) {
    loop {
        let tasks = fs::read_dir("/proc/self/task").expect("there is a /proc");
        let names = tasks
            .flatten()
            .map(|task| fs::read_to_string(task.path().join("comm")));
        if names
            .filter(|name| name.as_deref().is_ok_and(|name| name == "oomexec-hold\n"))
            .count()
            == expected
        {
            return;
        }
        thread::sleep(Duration::from_millis(20));
    }
}
