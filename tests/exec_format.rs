//! Files that exist but that execve(2) refuses: scripts without an interpreter line,
//! programs for other machines, files without their interpreter or loader.

mod testenv;

use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::process::Output;
use testenv::{Launch, TempDir, failed, lacks_own_mounts, oomexec, program, text};

/// A script without an interpreter line that prints what the shell sees.
const SCRIPT: &str = "echo \"$0\" $# \"$@\"; cat /proc/self/oom_score_adj";

fn in_dir(dir: &TempDir, args: &[&str]) -> Output {
    Launch::oomexec(args)
        .path(&[b"/bin"])
        .dir(dir.path())
        .output()
}

#[track_caller]
fn printed(output: &Output, stdout: &str) {
    assert_eq!(
        (text(&output.stdout), text(&output.stderr)),
        (stdout.to_owned(), String::new())
    );
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn a_script_without_an_interpreter_line_is_run_by_the_shell() {
    let dir = TempDir::new();
    let script = dir.file("script", SCRIPT, 0o755);
    let script = script.to_str().unwrap();
    printed(
        &in_dir(&dir, &["--", script, "a b", "", "c"]),
        &format!("{script} 3 a b  c\n1000\n"),
    );
    // As the first argument, it has a free slot of argv before it too.
    printed(&in_dir(&dir, &[script]), &format!("{script} 0\n1000\n"));
    let output = Launch::through(program("execvp"), [script, "a b", "", "c"])
        .path(&[b"/bin"])
        .output();
    assert!(text(&output.stdout).starts_with(&format!("{script} 3 a b  c\n")));
}

#[test]
fn a_script_found_along_path_is_run_by_the_shell_with_its_path() {
    let dir = TempDir::new();
    dir.dir("bin");
    let script = dir.file("bin/script", SCRIPT, 0o755);
    for args in [&["script", "x"][..], &["-a", "other", "script", "x"]] {
        let path = [
            dir.join("bin").to_str().unwrap().to_owned(),
            "/bin".to_owned(),
        ];
        let output = Launch::oomexec(args)
            .path(&[path[0].as_bytes(), b"/bin"])
            .output();
        printed(&output, &format!("{} 1 x\n1000\n", script.display()));
    }
}

#[test]
fn an_empty_executable_file_is_a_script_that_does_nothing() {
    let dir = TempDir::new();
    dir.file("empty", "", 0o755);
    printed(&in_dir(&dir, &["./empty"]), "");
}

#[test]
fn the_shell_never_takes_a_script_for_an_option() {
    let dir = TempDir::new();
    dir.dir("-d");
    dir.file("-c", SCRIPT, 0o755);
    dir.file("+x", SCRIPT, 0o755);
    dir.file("-d/script", SCRIPT, 0o755);
    let here = |args: &[&str], path: &[u8]| {
        Launch::oomexec(args)
            .path(&[path, b"/bin"])
            .dir(dir.path())
            .output()
    };
    printed(&here(&["--", "-c", "exit 3"], b""), "./-c 1 exit 3\n1000\n");
    printed(
        &here(&["+x", "-c", "exit 3"], b""),
        "./+x 2 -c exit 3\n1000\n",
    );
    printed(
        &here(&["--", "-d/script"], b"/bin"),
        "./-d/script 0\n1000\n",
    );
    printed(&here(&["--", "script"], b"-d"), "./-d/script 0\n1000\n");
}

#[test]
fn a_program_for_another_machine_is_never_fed_to_a_shell() {
    let dir = TempDir::new();
    // The program under test may be for another machine than the kernel.
    let own = fs::read(oomexec()).unwrap();
    let says = |name: &str, content: &[u8], reason: &str| {
        dir.file(name, content, 0o755);
        let output = in_dir(&dir, &[&format!("./{name}")]);
        failed(
            &output,
            126,
            &format!("oomexec: cannot run './{name}': {reason}"),
        );
    };
    for (machine, name) in [(libc::EM_S390, "s390x"), (libc::EM_PPC64, "ppc64")] {
        let mut other = own.clone();
        other[18..20].copy_from_slice(&machine.to_ne_bytes());
        says(
            name,
            &other,
            &format!("it was built for another machine ({name})"),
        );
    }
    let damaged = "it was built for another machine, or is damaged";
    says("cut", &own[..40], damaged);
    says("magic", b"\x7fELF\necho shell\n", damaged);
}

#[test]
fn a_program_for_another_machine_ends_the_search() {
    let dir = TempDir::new();
    dir.dir("a");
    dir.dir("b");
    dir.file("a/cmd", b"\x7fELF", 0o755);
    dir.copy(program("show"), "b/cmd");
    let output = Launch::oomexec(["cmd"])
        .path(&[b"a", b"b"])
        .dir(dir.path())
        .output();
    let line = "oomexec: cannot run 'cmd': it was built for another machine, or is damaged";
    failed(&output, 126, line);
}

#[test]
fn a_missing_interpreter_is_named() {
    let dir = TempDir::new();
    for (name, line, interpreter) in [
        (
            "plain",
            "#!/nonexistent/python3 -u\n",
            "/nonexistent/python3",
        ),
        (
            "spaces",
            "#! \t/nonexistent/python3\n",
            "/nonexistent/python3",
        ),
        ("dos", "#!/bin/sh\r\n", "/bin/sh\\r"),
        ("relative", "#!nonexistent\n", "nonexistent"),
        ("file", "#!/dev/null/sh\n", "/dev/null/sh"),
    ] {
        dir.file(name, line, 0o755);
        let output = in_dir(&dir, &[&format!("./{name}")]);
        let line = format!(
            "oomexec: cannot run './{name}': its interpreter '{interpreter}' does not exist"
        );
        // As with env(1) and timeout(1), only ENOENT means 127.
        let status = if name == "file" { 126 } else { 127 };
        failed(&output, status, &line);
    }
}

#[test]
fn the_interpreter_of_an_interpreter_is_named() {
    let dir = TempDir::new();
    dir.file("inner", "#!/nonexistent/sh\n", 0o755);
    dir.file("outer", "#!./inner\n", 0o755);
    let line = "oomexec: cannot run './outer': its interpreter '/nonexistent/sh' does not exist";
    failed(&in_dir(&dir, &["./outer"]), 127, line);
}

/// Returns a dynamic program with this loader name instead of its own.
fn with_loader(name: &str) -> Vec<u8> {
    let mut file = fs::read("/bin/true").unwrap();
    // /lib/ld-linux-aarch64.so.1, /lib64/ld-linux-x86-64.so.2 ...
    let at = file.windows(9).position(|bytes| bytes == b"/ld-linux");
    let before = &file[..at.expect("the loader of glibc")];
    let at = before
        .windows(4)
        .rposition(|bytes| bytes == b"/lib")
        .unwrap();
    let len = file[at..].iter().position(|byte| *byte == 0).unwrap();
    assert!(name.len() <= len);
    file[at..][..len].fill(0);
    file[at..][..name.len()].copy_from_slice(name.as_bytes());
    file
}

#[test]
fn a_missing_elf_loader_is_named() {
    let dir = TempDir::new();
    dir.file("musl", with_loader("/lib/ld-musl-x86_64.so.1"), 0o755);
    dir.file("script", "#!./musl\n", 0o755);
    for name in ["musl", "script"] {
        let line = format!(
            "oomexec: cannot run './{name}': its ELF loader '/lib/ld-musl-x86_64.so.1' does not exist"
        );
        failed(&in_dir(&dir, &[&format!("./{name}")]), 127, &line);
    }
}

#[test]
fn a_loader_named_at_the_end_of_the_file_is_found_too() {
    // patchelf writes the program headers and the name at the file's end.
    let dir = TempDir::new();
    let mut file = with_loader("/lib/ld-musl-x86_64.so.1");
    // The offsets of e_phoff, e_phnum and the end of an ELF header; the size of a program
    // header, and the offsets of its p_offset and p_filesz (elf(5)).
    let (e_phoff, e_phnum, table, size, p_offset, p_filesz) = if cfg!(target_pointer_width = "32") {
        (28, 44, 52, 32, 4, 16)
    } else {
        (32, 56, 64, 56, 8, 32)
    };
    let headers = file[table..][..size * usize::from(file[e_phnum])].to_vec();
    file.resize(file.len().next_multiple_of(4096) + 4096, 0);
    let put = |bytes: &mut [u8], at: usize, number: usize| {
        let number = number.to_ne_bytes();
        bytes[at..][..number.len()].copy_from_slice(&number);
    };
    let moved = file.len();
    file.extend(headers);
    let name = file.len();
    file.extend(b"/nix/store/loader\0");
    put(&mut file, e_phoff, moved);
    for header in file[moved..name].chunks_mut(size) {
        if header[0] == 3 {
            put(header, p_offset, name);
            put(header, p_filesz, 18);
        }
    }
    dir.file("nix", file, 0o755);
    let line = "oomexec: cannot run './nix': its ELF loader '/nix/store/loader' does not exist";
    failed(&in_dir(&dir, &["./nix"]), 127, line);
}

#[test]
fn a_missing_interpreter_is_named_after_a_search_too() {
    let dir = TempDir::new();
    dir.dir("a");
    dir.dir("b");
    dir.file("a/cmd", "#!/nonexistent/sh\n", 0o755);
    let search = || {
        Launch::oomexec(["cmd"])
            .path(&[b"x", b"a", b"b"])
            .dir(dir.path())
            .output()
    };
    let line = "oomexec: cannot run 'cmd': its interpreter '/nonexistent/sh' does not exist";
    failed(&search(), 127, line);
    // But a later file that can be run is run, as by execvp(3).
    dir.copy(program("show"), "b/cmd");
    assert_eq!(testenv::shown(&search()).file, "b/cmd");
}

#[test]
fn an_unreadable_script_without_its_interpreter_is_said_to_exist() {
    let dir = TempDir::new();
    let copy = dir.copy(oomexec(), "oomexec");
    let file = dir.file("unreadable", "#!/nonexistent/sh\n", 0o111);
    let output = Launch::through(copy, [&file]).unprivileged().output();
    let reason = "the file is there, but its interpreter or ELF loader cannot be reached";
    failed(
        &output,
        127,
        &format!("oomexec: cannot run '{}': {reason}", file.display()),
    );
}

/// Runs `oomexec /script` with `dir` as the root.
fn script_in_root(dir: &TempDir) -> Output {
    dir.copy(oomexec(), "oomexec");
    dir.file("script", "echo hi\n", 0o755);
    Launch::new("/oomexec", ["oomexec", "/script"])
        .in_root(dir)
        .output()
}

#[test]
fn without_a_shell_the_message_says_that_a_script_needs_one() {
    if lacks_own_mounts() {
        return;
    }
    let dir = TempDir::new();
    let line = "oomexec: cannot run '/script': the script has no interpreter line \
                and there is no shell to run it (/bin/sh)";
    failed(&script_in_root(&dir), 127, line);
}

#[test]
fn a_shell_that_cannot_be_run_is_named_as_the_reason() {
    if lacks_own_mounts() {
        return;
    }
    let dir = TempDir::new();
    dir.dir("bin");
    dir.file("bin/sh", "", 0o644);
    let line = "oomexec: cannot run '/script': the script has no interpreter line \
                and /bin/sh cannot run it: Permission denied";
    failed(&script_in_root(&dir), 126, line);
}

#[test]
fn other_reasons_are_given_in_words() {
    let dir = TempDir::new();
    dir.dir("directory");
    dir.file("plain", "", 0o644);
    std::os::unix::fs::symlink("loop", dir.join("loop")).unwrap();
    let long = "x".repeat(300);
    for (command, status, reason) in [
        ("./nonexistent", 127, "No such file or directory"),
        ("./plain/x", 126, "Not a directory"),
        ("./directory", 126, "Permission denied"),
        ("./plain", 126, "Permission denied"),
        ("./loop", 126, "Too many levels of symbolic links"),
        (&format!("./{long}"), 126, "File name too long"),
    ] {
        let line = format!("oomexec: cannot run '{command}': {reason}");
        failed(&in_dir(&dir, &[command]), status, &line);
    }
}

/// Returns the exit status of a similar program for this command.
fn status_of(peer: &[&str], dir: &TempDir, command: &str) -> Option<i32> {
    let args = peer[1..].iter().copied().chain([command]);
    let launch = Launch::through(testenv::tool(peer[0]), args);
    let launch = launch.path(&[b"/usr/bin", b"/bin", b"loop"]);
    launch.dir(dir.path()).output().status.code()
}

#[test]
fn a_failure_has_the_status_that_env_nice_timeout_and_nohup_give_it() {
    let dir = TempDir::new();
    dir.file("plain", "", 0o644);
    dir.file("script", "#!/nonexistent/sh\n", 0o755);
    dir.file("under", "#!/dev/null/sh\n", 0o755);
    dir.file("loader", with_loader("/nonexistent/ld.so"), 0o755);
    dir.file("loop/script-in-path", "#!/nonexistent/sh\n", 0o755);
    dir.file("loop/under-in-path", "#!/dev/null/sh\n", 0o755);
    std::os::unix::fs::symlink("cmd", dir.join("loop/cmd")).unwrap();
    let long = "x".repeat(300);
    for command in [
        "./nonexistent",
        "nonexistent",
        "./plain",
        "./plain/x",
        "./script",
        "./under",
        "./loader",
        "script-in-path",
        "under-in-path",
        "cmd",
        &long,
    ] {
        let path: &[&[u8]] = &[b"/usr/bin", b"/bin", b"loop"];
        let launch = Launch::oomexec(["--", command]).path(path);
        let status = launch.dir(dir.path()).output().status.code();
        for peer in [
            &["env"][..],
            &["nice"],
            &["timeout", "9"],
            &["nohup"],
            &["setsid", "-w"],
        ] {
            assert_eq!(status, status_of(peer, &dir, command), "{peer:?} {command}");
        }
    }
}

#[test]
fn a_name_is_printed_with_special_characters_escaped() {
    let dir = TempDir::new();
    for (name, shown) in [
        ("caf\u{e9} \u{1f980}".as_bytes(), "caf\u{e9} \u{1f980}"),
        ("\u{9b}31m".as_bytes(), "\\u{9b}31m"),
        ("\u{202e}gpj".as_bytes(), "\\u{202e}gpj"),
        (b"\xff\x9b", "\\xff\\x9b"),
    ] {
        let args = [std::ffi::OsStr::from_bytes(name)];
        let output = Launch::oomexec(args).dir(dir.path()).output();
        let line = format!("oomexec: cannot run '{shown}': No such file or directory");
        failed(&output, 127, &line);
    }
}

#[test]
fn a_failure_is_one_write_of_one_line() {
    let strace = testenv::tool("strace");
    let args = [
        "-o",
        "/dev/stdout",
        "-e",
        "trace=write,writev",
        oomexec(),
        "a\nb\u{1b}[31m",
    ];
    let output = Launch::through(strace, args).path(&[b"/bin"]).output();
    let line = "oomexec: cannot run 'a\\nb\\x1b[31m': No such file or directory\n";
    assert_eq!(text(&output.stderr), line);
    let calls = text(&output.stdout);
    assert_eq!(calls.matches("write(2,").count(), 1, "{calls}");
    assert!(!calls.contains("writev"));
}
