//! A link whose name says what to run: `oomexec@COMMAND`, with options before the `@`.

mod testenv;

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use testenv::{
    Launch, TempDir, emulated, failed, inherited, lacks_landlock, lacks_own_mounts, oomexec,
    program, shown, text,
};

const TRY: &str = "try 'oomexec --help'";

/// A directory with `show` as `bin/cmd`, and links to oomexec.
struct Links(TempDir);

impl Links {
    fn new() -> Self {
        let dir = TempDir::new();
        dir.copy(program("show"), "bin/cmd");
        Self(dir)
    }

    fn link(&self, name: &str) -> PathBuf {
        let link = self.0.join(name);
        symlink(oomexec(), &link).expect("a new name");
        link
    }

    /// Returns a launch of a link, with the command's directory in PATH.
    fn launch(&self, name: &str, args: &[&str]) -> Launch {
        self.search(Launch::through(self.link(name), args))
    }

    fn search(&self, launch: Launch) -> Launch {
        let bin = self.0.join("bin");
        launch.path(&[b"/nonexistent", bin.as_os_str().as_encoded_bytes()])
    }
}

#[test]
fn the_command_after_the_at_sign_runs_with_the_links_arguments() {
    let links = Links::new();
    let file = links.0.join("bin/cmd").to_str().unwrap().to_owned();
    for args in [&[][..], &["a", "", "-n", "5", "--", "--help"]] {
        for (name, score) in [("oomexec@cmd", "1000"), ("oomexec-n500@cmd", "500")] {
            let launch = links.launch(name, args);
            let child = shown(&launch.output());
            assert_eq!((child.score.as_str(), &child.file), (score, &file));
            assert_eq!(child.argv, [&["cmd"], args].concat(), "{name}");
            std::fs::remove_file(links.0.join(name)).unwrap();
        }
    }
}

#[test]
fn options_before_the_at_sign_are_separated_by_commas() {
    let links = Links::new();
    for (name, score, argv0) in [
        ("oomexec-n,500@cmd", "500", "cmd"),
        ("oomexec--adjust=500@cmd", "500", "cmd"),
        ("oomexec-n500,-a,-bash@cmd", "500", "-bash"),
        ("oomexec-aname,--adj,7@cmd", "7", "name"),
        ("anything-n7,--@cmd", "7", "cmd"),
        ("@cmd", "1000", "cmd"),
        ("x@cmd", "1000", "cmd"),
    ] {
        let child = shown(&links.launch(name, &["x"]).output());
        assert_eq!(child.score, score, "{name}");
        assert_eq!(child.argv, [argv0, "x"], "{name}");
    }
}

#[test]
fn a_pin_in_the_name_holds() {
    if emulated("qemu lacks the Landlock calls") {
        return;
    }
    if lacks_landlock(3) {
        return;
    }
    let links = Links::new();
    for (name, how) in [
        ("oomexec--pin@sh", ">"),
        ("oomexec--pin=write@sh", ">"),
        ("oomexec--pin=write@sh", ">>"),
        ("oomexec-n,1000,--pin=write@sh", ">>"),
    ] {
        let link = links.link(name);
        let score = "/proc/self/oom_score_adj";
        let script = format!("(echo 7 {how} {score}) 2>/dev/null; cat {score}");
        let launch = Launch::through(&link, ["-c", &script]).path(&[b"/bin"]);
        assert_eq!(text(&launch.output().stdout), "1000\n", "{name} {how}");
        std::fs::remove_file(link).unwrap();
    }
}

#[test]
fn the_last_part_of_argv0_counts_not_the_file_name() {
    let links = Links::new();
    let show = links.0.join("bin/cmd");
    let argv = |name: &str| [name.to_owned(), show.to_str().unwrap().to_owned()];
    // npm and pnpm install it below a directory with an at sign.
    for name in ["/a@b/oomexec", "/a@b/other", "oomexec", "other"] {
        let child = shown(&Launch::new(oomexec(), argv(name)).output());
        assert_eq!(child.argv, [show.to_str().unwrap()], "{name}");
    }
    for name in ["oomexec@cmd", "/a@b/oomexec@cmd", "./oomexec@cmd"] {
        let launch = links.search(Launch::new(oomexec(), [name, "x"]));
        assert_eq!(shown(&launch.output()).argv, ["cmd", "x"], "{name}");
    }
}

#[test]
fn the_command_may_contain_an_at_sign() {
    let links = Links::new();
    links.0.copy(program("show"), "bin/cmd@1,2");
    let child = shown(&links.launch("oomexec@cmd@1,2", &[]).output());
    assert_eq!(child.argv, ["cmd@1,2"]);
}

#[test]
fn the_opt_out_holds_for_a_link_too() {
    let links = Links::new();
    let launch = links.launch("oomexec-n500@cmd", &[]);
    let launch = inherited(launch, "321").env("OPENCLAW_CHILD_OOM_SCORE_ADJ=0");
    assert_eq!(shown(&launch.output()).score, "321");
}

#[test]
fn a_script_without_an_interpreter_line_is_run_by_the_shell() {
    let links = Links::new();
    let script = links.0.file("bin/script", "echo \"$0\" \"$@\"", 0o755);
    let output = links.launch("oomexec@script", &["a b", ""]).output();
    assert_eq!(text(&output.stdout), format!("{} a b \n", script.display()));
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn a_command_that_cannot_be_run_fails_as_it_does_without_the_link() {
    let links = Links::new();
    let line = "oomexec: cannot run 'nonexistent': No such file or directory";
    failed(
        &links.launch("oomexec@nonexistent", &["x"]).output(),
        127,
        line,
    );
}

#[test]
fn a_bad_name_is_a_usage_error_and_runs_nothing() {
    let links = Links::new();
    for (name, words) in [
        ("oomexec@", "no COMMAND to run"),
        ("oomexec--pin@", "no COMMAND to run"),
        ("oomexec--pin=write@", "no COMMAND to run"),
        (
            "oomexec--pin=all@cmd",
            "bad pin 'all' (write, or nothing: --pin)",
        ),
        ("oomexec--pin=@cmd", "bad pin '' (write, or nothing: --pin)"),
        ("oomexec--foo@cmd", "unknown option '--foo'"),
        ("oomexec-n500,other@cmd", "unknown option 'other'"),
        ("oomexec-n@cmd", "'-n' needs a value"),
        ("oomexec--pin,-a@cmd", "'-a' needs a value"),
        ("oomexec--pid@cmd", "'--pid' needs a value"),
        ("my-link@cmd", "unknown option '-link'"),
        ("oomexec-n5x@cmd", "bad SCORE '5x' (-1000 to 1000)"),
        ("oomexec-p5@cmd", "--pid takes nothing but --adjust"),
        (
            "oomexec--check@cmd",
            "bad PID 'cmd': --check takes the PID of the gateway",
        ),
    ] {
        let output = links.launch(name, &["x"]).output();
        failed(&output, 125, &format!("oomexec: {words}; {TRY}"));
    }
}

#[test]
fn on_an_image_without_a_shell_a_link_works() {
    if lacks_own_mounts() {
        return;
    }
    let dir = TempDir::new();
    dir.copy(oomexec(), "oomexec");
    dir.copy(program("show"), "usr/bin/cmd");
    symlink("/oomexec", dir.join("oomexec@cmd")).unwrap();
    let launch = Launch::new(Path::new("/oomexec@cmd"), ["/oomexec@cmd", "x"]).in_root(&dir);
    let child = shown(&launch.output());
    assert_eq!((child.file.as_str(), child.argv.len()), ("/usr/bin/cmd", 2));
    // Without /proc there is no raise, and `show` sees no score.
    assert_eq!(child.score, "none");
}
