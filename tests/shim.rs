//! oomexec invoked as `sh`: it replaces the shell of a gateway that spawns through the
//! oom_score_adj shim.

mod testenv;

use std::fs;
use std::path::{Path, PathBuf};

use oomexec::script::{SHIM, SPAWNER};
use testenv::{
    Launch, TempDir, failed, lacks_own_mounts, oomexec, own_score, program, shown, text,
};

const NOT_A_SHELL: &str = "oomexec: not a shell: it runs the oom_score_adj shim alone";

/// Returns openclaw's longer form, which carries variables past the shell.
fn carrying() -> String {
    let restore = |name: &str| {
        format!(
            "if [ \"${{OC_INTERNAL_OOM_EXEC_{name}+x}}\" = x ]; then \
             {name}=\"$OC_INTERNAL_OOM_EXEC_{name}\"; export {name}; fi; \
             unset OC_INTERNAL_OOM_EXEC_{name}"
        )
    };
    let (raise, exec) = SHIM.split_once("; ").unwrap();
    let names = ["BASH_ENV", "ENV", "CDPATH", "PS4"].map(restore);
    format!("{raise}; {}; {exec}", names.join("; "))
}

/// Returns a directory with oomexec as `sh`.
fn shell() -> (TempDir, PathBuf) {
    let dir = TempDir::new();
    let sh = dir.copy(oomexec(), "sh");
    (dir, sh)
}

#[test]
fn the_shim_raises_and_becomes_the_command_in_each_form() {
    let (dir, sh) = shell();
    let show = dir.copy(program("show"), "show");
    let show = show.to_str().unwrap();
    let carrying = carrying();
    for script in [SHIM, &SPAWNER.join("1000"), &carrying] {
        let args = ["-c", script, show, "a", "", "-c", "--", "b c"];
        let shown = shown(&Launch::through(&sh, args).output());
        assert_eq!(shown.score, "1000");
        assert_eq!(shown.argv, [show, "a", "", "-c", "--", "b c"]);
    }
    // The spawners' script may write another score.
    let args = ["-c", &SPAWNER.join("300"), show];
    assert_eq!(shown(&Launch::through(&sh, args).output()).score, "300");
    // A name with a leading dash, which a shell cannot launch.
    dir.copy(program("show"), "-show");
    let path: &[&[u8]] = &[dir.path().as_os_str().as_encoded_bytes()];
    let launch = Launch::through(&sh, ["-c", SHIM, "-show"]).path(path);
    assert_eq!(shown(&launch.output()).argv, ["-show"]);
}

#[test]
fn the_scripts_of_the_spawner_for_node_are_known_forms() {
    // The spawner for Rust shares the text.
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("spawner/node/lib/script.js");
    let source = fs::read_to_string(file).unwrap();
    let spawner = SPAWNER.join("${score}");
    for script in [format!("'{SHIM}'"), format!("`{spawner}`")] {
        assert!(source.contains(&script), "{script}");
    }
}

#[test]
fn the_longer_form_restores_its_variables_and_removes_the_carriers() {
    let (_dir, sh) = shell();
    let script = carrying();
    let launch = Launch::through(&sh, ["-c", &script, "/usr/bin/env", "-0"])
        .env("A=1")
        .env("OC_INTERNAL_OOM_EXEC_BASH_ENV=/x y")
        .env("MY-VAR=kept")
        .env("OC_INTERNAL_OOM_EXEC_PS4=")
        .env("OC_INTERNAL_OOM_EXEC_ENV=e=f")
        .env("OC_INTERNAL_OOM_EXEC_CDPATH=/:/tmp");
    let expected = "A=1\0BASH_ENV=/x y\0MY-VAR=kept\0PS4=\0ENV=e=f\0CDPATH=/:/tmp\0";
    assert_eq!(text(&launch.output().stdout), expected);
}

#[test]
fn the_opt_out_holds_under_this_name_too() {
    let (dir, sh) = shell();
    let show = dir.copy(program("show"), "show");
    let launch = Launch::through(&sh, ["-c", SHIM, show.to_str().unwrap()]);
    let launch = launch.env("OPENCLAW_CHILD_OOM_SCORE_ADJ=0");
    assert_eq!(shown(&launch.output()).score, own_score().trim());
}

#[test]
fn a_command_that_cannot_be_run_fails_as_under_the_name_oomexec() {
    let (_dir, sh) = shell();
    failed(
        &Launch::through(&sh, ["-c", SHIM, "/nonexistent"]).output(),
        127,
        "oomexec: cannot run '/nonexistent': No such file or directory",
    );
}

#[test]
fn any_other_shell_command_line_is_refused_in_one_line() {
    let (_dir, sh) = shell();
    let almost = SHIM.replace("1000", "999");
    for args in [
        &[][..],
        &["-c"],
        &["-c", SHIM],
        &["-c", "ls", "ls"],
        &["-c", &almost, "true"],
        &["-e", SHIM, "true"],
        &["-c", "--", SHIM, "true"],
        &["script"],
        &["--help"],
        &["--", "true"],
        &["-n", "5", "true"],
    ] {
        failed(&Launch::through(&sh, args).output(), 127, NOT_A_SHELL);
    }
}

#[test]
fn the_name_in_argv0_counts_not_the_file_name() {
    let (dir, sh) = shell();
    let show = dir.copy(program("show"), "show");
    let show = show.to_str().unwrap();
    for name in ["/bin/sh", "sh", "../sh"] {
        let launch = Launch::new(oomexec(), [name, "-c", SHIM, show]);
        assert_eq!(shown(&launch.output()).score, "1000", "{name}");
        failed(
            &Launch::new(oomexec(), [name, show]).output(),
            127,
            NOT_A_SHELL,
        );
    }
    for name in ["oomexec", "dash", "-sh", ""] {
        assert_eq!(
            shown(&Launch::new(&sh, [name, show]).output()).score,
            "1000",
            "{name}"
        );
    }
}

#[test]
fn as_bin_sh_in_an_image_without_a_shell_it_runs_the_shim() {
    if lacks_own_mounts() {
        return;
    }
    let dir = TempDir::new();
    dir.dir("bin");
    dir.copy(oomexec(), "bin/sh");
    dir.copy(program("show"), "show");
    let launch = Launch::new("/bin/sh", ["/bin/sh", "-c", SHIM, "/show", "a"]).in_root(&dir);
    let shown = shown(&launch.output());
    // Without /proc there is no raise, and `show` sees no score.
    assert_eq!((shown.score.as_str(), shown.argv.len()), ("none", 2));
    // As /bin/sh it also gets a script without an interpreter line.
    dir.file("script", "echo\n", 0o755);
    let launch = Launch::new("/bin/sh", ["/bin/sh", "-c", SHIM, "/script"]).in_root(&dir);
    failed(&launch.output(), 127, NOT_A_SHELL);
}
