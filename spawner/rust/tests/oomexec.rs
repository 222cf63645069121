//! Finding oomexec, and rejecting a bad one.

mod testenv;

use std::fs;
use std::path::Path;

use oomexec_spawner::{Rejection, find_oomexec};
use testenv::{Directory, launch, oomexec, write_executable};

#[test]
fn a_gateway_notices_that_oomexec_is_replaced() {
    type Replace = fn(&Path, &Path);
    let by_another_file: Replace = |new, old| fs::rename(new, old).expect("it is moved");
    let by_other_contents: Replace = |new, old| {
        let bytes = fs::read(new).expect("it is read");
        write_executable(old, &bytes, 0o755);
    };
    for replace in [by_another_file, by_other_contents] {
        let directory = Directory::new();
        let path = directory.make("oomexec", "oomexec");
        let via = || {
            launch("sh")
                .oomexec(&path)
                .without_shell()
                .prepare()
                .via
                .code()
        };
        assert_eq!(via(), "oomexec");
        assert_eq!(via(), "oomexec");
        replace(&directory.make("new", "other-machine"), &path);
        assert_eq!(via(), "direct");
        replace(&directory.make("new", "oomexec"), &path);
        assert_eq!(via(), "oomexec");
    }
}

#[test]
fn a_file_that_hangs_is_rejected_and_leaves_no_process() {
    let directory = Directory::new();
    let path = directory.make("oomexec", "hanging");
    let rejected = &find_oomexec(Some(&path)).rejected[0];
    assert_eq!(
        (rejected.path.as_path(), rejected.why),
        (path.as_path(), Rejection::NoAnswer)
    );
    assert_ne!(
        launch("sh").oomexec(&path).prepare().command.get_program(),
        path
    );
    let processes = fs::read_dir("/proc").expect("there is a /proc").flatten();
    let running = processes
        .filter(|process| fs::read_link(process.path().join("exe")).is_ok_and(|exe| exe == path));
    assert_eq!(running.count(), 0);
}

#[test]
fn find_oomexec_returns_each_rejected_file_with_the_reason() {
    let directory = Directory::new();
    for (kind, why) in [
        ("plain", Rejection::NotExecutable),
        ("directory", Rejection::NotExecutable),
        ("other-machine", Rejection::OtherMachine),
        ("other-class", Rejection::OtherMachine),
        ("other-order", Rejection::OtherMachine),
        ("script", Rejection::OtherMachine),
        ("other-program", Rejection::WrongAnswer),
    ] {
        let path = directory.make(kind, kind);
        let rejected = &find_oomexec(Some(&path)).rejected[0];
        assert_eq!((&rejected.path, rejected.why), (&path, why), "{kind}");
    }
    assert_eq!(
        find_oomexec(Some(Path::new("oomexec"))).rejected[0].why,
        Rejection::NotAbsolute
    );
    let gone = directory.0.join("gone");
    assert_eq!(
        find_oomexec(Some(&gone)).rejected[0].why,
        Rejection::NotFound
    );
    let found = find_oomexec(Some(&oomexec()));
    assert_eq!((found.path, found.rejected), (Some(oomexec()), vec![]));
}

/// The gateway is this test program, copied to a directory that contains oomexec.
#[test]
fn an_oomexec_beside_the_gateways_own_program_is_used() {
    let directory = Directory::new();
    let gateway = directory.0.join("gateway");
    let own = fs::read(std::env::current_exe().expect("it runs")).expect("it is read");
    write_executable(&gateway, &own, 0o755);
    let beside = directory.make("oomexec", "oomexec");
    let again = testenv::again("print_what_is_found");
    let output = std::process::Command::new(&gateway)
        .args(again.get_args())
        .env_clear()
        .output();
    let said = String::from_utf8(output.expect("it starts").stdout).expect("text");
    assert!(
        said.contains(&format!("found: {}\n", beside.display())),
        "{said}"
    );
}

#[test]
#[ignore = "started by an_oomexec_beside_the_gateways_own_program_is_used"]
fn print_what_is_found() {
    if let Some(path) = find_oomexec(None).path {
        println!("\nfound: {}", path.display());
    }
}
