//! The scripts by which `/bin/sh` raises its own score and becomes the command. The crate
//! oomexec-spawner has this file too, by a symbolic link.

macro_rules! raise {
    () => {
        "echo 1000 > /proc/self/oom_score_adj 2>/dev/null;"
    };
}

macro_rules! exec {
    () => {
        r#"exec "$0" "$@""#
    };
}

/// What each form of the shim begins with.
pub const RAISE: &str = raise!();

/// What each form of the shim ends with. dash has no `exec --`.
pub const EXEC: &str = exec!();

/// The shim of openclaw (src/process/linux-oom-score.ts), in its plain form.
pub const SHIM: &str = concat!(raise!(), " ", exec!());

/// The script of the spawners, in front of its score and behind it. stderr is redirected
/// first, so that a refused write is silent. `>>` does not truncate: a sandbox may refuse
/// that and still allow the write.
pub const SPAWNER: [&str; 2] = [
    "echo ",
    concat!(" 2>/dev/null >>/proc/self/oom_score_adj; ", exec!()),
];
