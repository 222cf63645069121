//! The search along PATH: the same as glibc's execvp(3), except where glibc is wrong.

mod testenv;

use std::fs;
use std::os::unix::fs::symlink;
use std::process::Output;
use testenv::{Launch, Shown, TempDir, emulated, failed, oomexec, program, set_mode, shown, text};

const NOT_FOUND: &str = "oomexec: cannot run 'cmd': No such file or directory";
const DENIED: &str = "oomexec: cannot run 'cmd': Permission denied";

/// Directories for a PATH, each with a file called `cmd`.
struct Tree(TempDir);

impl Tree {
    fn new() -> Self {
        let dir = TempDir::new();
        dir.copy(oomexec(), "oomexec");
        dir.copy(program("execvp"), "execvp");
        Self(dir)
    }

    /// Adds a program that prints how it was launched.
    fn good(&self, dir: &str) -> &Self {
        self.0.dir(dir);
        self.0.copy(program("show"), &format!("{dir}/cmd"));
        self
    }

    /// Adds a file that is not executable.
    fn denied(&self, dir: &str) -> &Self {
        self.0.dir(dir);
        self.0.file(&format!("{dir}/cmd"), "no program", 0o644);
        self
    }

    fn link(&self, dir: &str, target: &str) -> &Self {
        self.0.dir(dir);
        symlink(target, self.0.join(format!("{dir}/cmd"))).unwrap();
        self
    }

    /// Launches `cmd` in the tree's directory as an unprivileged user.
    fn launch(&self, launcher: &str, path: &[&str]) -> Output {
        let path: Vec<_> = path.iter().map(|element| element.as_bytes()).collect();
        Launch::through(self.0.join(launcher), ["--", "cmd", "x"])
            .dir(self.0.path())
            .path(&path)
            .unprivileged()
            .output()
    }

    fn oomexec(&self, path: &[&str]) -> Output {
        self.launch("oomexec", path)
    }

    fn glibc(&self, path: &[&str]) -> Output {
        self.launch("execvp", path)
    }

    /// Asserts that both oomexec and glibc find this file.
    #[track_caller]
    fn both_find(&self, path: &[&str], file: &str) {
        let found = shown(&self.oomexec(path));
        assert_eq!((found.score.as_str(), found.file.as_str()), ("1000", file));
        assert_eq!(found.argv, ["cmd", "x"]);
        let by_glibc = shown(&self.glibc(path));
        assert_eq!(
            by_glibc,
            Shown {
                score: by_glibc.score.clone(),
                ..found
            }
        );
    }

    /// Asserts that oomexec fails like this, and glibc with this errno.
    #[track_caller]
    fn both_fail(&self, path: &[&str], status: i32, line: &str, errno: i32) {
        failed(&self.oomexec(path), status, line);
        let by_glibc = self.glibc(path);
        assert_eq!(text(&by_glibc.stderr), format!("errno {errno}\n"));
    }
}

#[test]
fn the_first_element_that_has_the_command_wins() {
    let tree = Tree::new();
    tree.good("a").good("b");
    tree.0.dir("empty");
    tree.both_find(&["a", "b"], "a/cmd");
    tree.both_find(&["empty", "b", "a"], "b/cmd");
    tree.both_find(&["nonexistent", "a"], "a/cmd");
}

#[test]
fn an_empty_element_is_the_current_directory() {
    let tree = Tree::new();
    tree.0.copy(program("show"), "cmd");
    for path in [
        &[""][..],
        &["", "nonexistent"],
        &["nonexistent", ""],
        &["x", "", "y"],
    ] {
        tree.both_find(path, "cmd");
    }
}

#[test]
fn without_path_the_usual_directories_are_searched_and_not_the_current_one() {
    let tree = Tree::new();
    let shown = Launch::oomexec(["sh", "-c", "exec \"$0\"", program("show").to_str().unwrap()]);
    assert_eq!(testenv::shown(&shown.output()).score, "1000");
    tree.0.copy(program("show"), "cmd");
    let output = Launch::oomexec(["cmd"]).dir(tree.0.path()).output();
    failed(&output, 127, NOT_FOUND);
}

#[test]
fn without_path_local_programs_come_first() {
    // /usr/local/bin belongs to the machine, so the test reads the calls instead.
    let strace = testenv::tool("strace");
    let output =
        Launch::through(strace, ["-e", "trace=execve", oomexec(), "no-such-command"]).output();
    let calls = text(&output.stderr);
    let tried: Vec<_> = calls
        .lines()
        .filter_map(|line| line.split('"').nth(1))
        .collect();
    assert_eq!(
        tried[1..],
        [
            "/usr/local/bin/no-such-command",
            "/bin/no-such-command",
            "/usr/bin/no-such-command"
        ]
    );
}

#[test]
fn a_name_with_a_slash_is_not_searched() {
    let tree = Tree::new();
    tree.good("a/sub");
    let output = Launch::oomexec(["sub/cmd"])
        .path(&[b"a"])
        .dir(tree.0.path())
        .output();
    failed(
        &output,
        127,
        "oomexec: cannot run 'sub/cmd': No such file or directory",
    );
    let output = Launch::oomexec(["a/sub/cmd"]).dir(tree.0.path()).output();
    assert_eq!(shown(&output).file, "a/sub/cmd");
}

#[test]
fn the_empty_name_is_not_found() {
    for path in [&b"/bin"[..], b""] {
        let output = Launch::oomexec(["--", ""]).path(&[path]).output();
        failed(
            &output,
            127,
            "oomexec: cannot run '': No such file or directory",
        );
    }
    let output = Launch::through(program("execvp"), ["--", ""])
        .path(&[b"/bin"])
        .output();
    assert_eq!(text(&output.stderr), format!("errno {}\n", libc::ENOENT));
}

#[test]
fn the_search_skips_missing_files_and_files_that_may_not_be_run() {
    let tree = Tree::new();
    tree.good("good")
        .denied("denied")
        .link("dangling", "nowhere");
    tree.0.dir("directory/cmd");
    tree.0.file("file", "", 0o644);
    for other in ["nonexistent", "file", "denied", "dangling", "directory"] {
        tree.both_find(&[other, "good"], "good/cmd");
    }
}

#[test]
fn the_search_skips_a_directory_that_may_not_be_searched() {
    let tree = Tree::new();
    tree.good("closed").good("good");
    set_mode(&tree.0.join("closed"), 0o000);
    tree.both_find(&["closed", "good"], "good/cmd");
    tree.both_fail(&["closed"], 126, DENIED, libc::EACCES);
    set_mode(&tree.0.join("closed"), 0o755);
}

#[test]
fn permission_denied_wins_over_not_found() {
    let tree = Tree::new();
    tree.denied("denied");
    for path in [
        &["denied"][..],
        &["nonexistent", "denied"],
        &["denied", "nonexistent"],
    ] {
        tree.both_fail(path, 126, DENIED, libc::EACCES);
    }
}

#[test]
fn a_command_in_no_element_is_not_found() {
    let tree = Tree::new();
    tree.link("dangling", "nowhere");
    for path in [&["nonexistent"][..], &["dangling"], &["", "nonexistent"]] {
        tree.both_fail(path, 127, NOT_FOUND, libc::ENOENT);
    }
}

#[test]
fn a_search_in_elements_that_are_no_directories_finds_nothing() {
    let tree = Tree::new();
    tree.0.file("file", "", 0o644);
    // glibc fails with the last errno, ENOTDIR.
    tree.both_fail(&["file"], 127, NOT_FOUND, libc::ENOTDIR);
    let output = Launch::oomexec(["file/x"]).dir(tree.0.path()).output();
    failed(
        &output,
        126,
        "oomexec: cannot run 'file/x': Not a directory",
    );
}

#[test]
fn a_symbolic_link_loop_does_not_end_the_search() {
    let tree = Tree::new();
    tree.link("loop", "cmd").good("good").denied("denied");
    assert_eq!(shown(&tree.oomexec(&["loop", "good"])).file, "good/cmd");
    let line = "oomexec: cannot run 'cmd': Too many levels of symbolic links";
    for path in [
        &["loop"][..],
        &["nonexistent", "loop"],
        &["loop", "nonexistent"],
    ] {
        failed(&tree.oomexec(path), 126, line);
    }
    failed(&tree.oomexec(&["loop", "denied"]), 126, DENIED);
    let by_glibc = tree.glibc(&["loop", "good"]);
    assert_eq!(text(&by_glibc.stderr), format!("errno {}\n", libc::ELOOP));
}

#[test]
fn a_candidate_whose_name_is_too_long_does_not_end_the_search() {
    let tree = Tree::new();
    tree.good("good");
    let long = "l".repeat(300);
    assert_eq!(shown(&tree.oomexec(&[&long, "good"])).file, "good/cmd");
    let by_glibc = tree.glibc(&[&long, "good"]);
    assert_eq!(
        text(&by_glibc.stderr),
        format!("errno {}\n", libc::ENAMETOOLONG)
    );
    let output = Launch::oomexec([&long])
        .path(&[b"/bin", b"/usr/bin"])
        .output();
    failed(
        &output,
        126,
        &format!("oomexec: cannot run '{long}': File name too long"),
    );
}

#[test]
fn a_very_long_name_fails_with_file_name_too_long() {
    for len in [4000, 4090, 4095, 4096, 5000] {
        let long = "l".repeat(len);
        let output = Launch::oomexec([&long]).path(&[b"/usr/bin"]).output();
        let line = text(&output.stderr);
        assert!(line.ends_with("': File name too long\n"), "{len}: {line}");
        assert_eq!(output.status.code(), Some(126), "{len}");
    }
}

#[test]
fn an_overlong_element_is_skipped_and_never_means_the_current_directory() {
    let tree = Tree::new();
    tree.0.copy(program("show"), "cmd");
    tree.good("good");
    for len in [4092, 4095, 4096, 5000, 100_000] {
        let long = "/".repeat(len);
        failed(&tree.oomexec(&[&long]), 127, NOT_FOUND);
        assert_eq!(
            shown(&tree.oomexec(&[&long, "good"])).file,
            "good/cmd",
            "{len}"
        );
    }
    // glibc takes one that is not the last for the current directory.
    let path = ["/".repeat(5000), "nonexistent".to_owned()];
    let path = path.each_ref().map(String::as_str);
    assert_eq!(shown(&tree.glibc(&path)).file, "cmd");
    failed(&tree.oomexec(&path), 127, NOT_FOUND);
}

#[test]
fn the_longest_path_that_the_kernel_allows_is_tried() {
    let tree = Tree::new();
    tree.good("good");
    let good = tree.0.join("good");
    let good = good.to_str().unwrap();
    // The path and its NUL fill PATH_MAX exactly.
    let long = format!("{}{good}", "/".repeat(4096 - 1 - "/cmd".len() - good.len()));
    let path = format!("{long}/cmd");
    assert_eq!(path.len(), 4095);
    tree.both_find(&[&long], &path);
}

#[test]
fn the_first_path_in_the_environment_counts() {
    if emulated("qemu passes only one variable of each name") {
        return;
    }
    let tree = Tree::new();
    tree.good("a").good("b");
    for launcher in ["oomexec", "execvp"] {
        let output = Launch::through(tree.0.join(launcher), ["--", "cmd"])
            .env("XPATH=b")
            .env("PATH")
            .path(&[b"a"])
            .path(&[b"b"])
            .dir(tree.0.path())
            .output();
        assert_eq!(shown(&output).file, "a/cmd");
    }
}

#[test]
fn a_busy_file_ends_the_search_with_126_and_the_reason() {
    let tree = Tree::new();
    tree.good("busy").good("good");
    // To run a file that is open for writing fails with ETXTBSY.
    let busy = fs::File::options()
        .append(true)
        .open(tree.0.join("busy/cmd"))
        .unwrap();
    let line = "oomexec: cannot run 'cmd': Text file busy";
    tree.both_fail(&["busy", "good"], 126, line, libc::ETXTBSY);
    drop(busy);
}

#[test]
fn a_path_of_400_elements_is_searched_to_its_end() {
    let tree = Tree::new();
    tree.good("good");
    let mut path = vec!["nonexistent"; 399];
    path.push("good");
    tree.both_find(&path, "good/cmd");
}
