//! The scripts by which `/bin/sh` raises its own score and becomes the command. The crate
//! oomexec-spawner has this file too, by a symbolic link.

/// The shim of openclaw (src/process/linux-oom-score.ts): the raise, and the exec.
pub const SHIM: &str = r#"echo 1000 > /proc/self/oom_score_adj 2>/dev/null; exec "$0" "$@""#;

/// The script of the spawners. stderr is redirected first, so that a refused write is
/// silent. `>>` does not truncate: a sandbox may refuse that and still allow the write.
/// dash has no `exec --`.
pub const SPAWNER: &str = r#"echo 1000 2>/dev/null >>/proc/self/oom_score_adj; exec "$0" "$@""#;
