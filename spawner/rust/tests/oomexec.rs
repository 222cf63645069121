//! Finding oomexec, and rejecting a bad one.

mod testenv;

use std::fs;
use std::os::unix::fs::chown;
use std::path::Path;

use oomexec_spawner::{Rejection, find_oomexec};
use testenv::{Directory, is_root, launch, oomexec, write_executable};

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
    assert_ne!(launch("sh").oomexec(&path).prepare().program(), path);
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

/// Like `$PATH` in a shell, the gateway's may have a directory where others write.
#[test]
fn an_oomexec_of_another_user_is_used_where_it_is_named_and_not_from_path() {
    if !is_root("only root can give a file to another user") {
        return;
    }
    let directory = Directory::new();
    let other = directory.make("other/oomexec", "oomexec");
    chown(&other, Some(65534), None).expect("it is given away");
    let own = directory.make("own/oomexec", "oomexec");
    let path = format!("{0}/other:{0}/own", directory.0.display());
    let said = |name: &str, value: &str| {
        let mut gateway = testenv::again("print_what_is_found");
        gateway
            .env("PATH", "/nonexistent")
            .env_remove("OOMEXEC_PATH");
        let output = gateway.env(name, value).output().expect("it starts");
        String::from_utf8(output.stdout).expect("text")
    };
    let (other, own) = (other.display().to_string(), own.display().to_string());
    let from_path = said("PATH", &path);
    assert!(
        from_path.contains(&format!("found: {own}\n")),
        "{from_path}"
    );
    let rejected = format!("rejected: {other}: other-owner\n");
    assert!(from_path.contains(&rejected), "{from_path}");
    let named = said("OOMEXEC_PATH", &other);
    assert!(named.contains(&format!("found: {other}\n")), "{named}");
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
#[ignore = "started by the tests above it"]
fn print_what_is_found() {
    let found = find_oomexec(None);
    println!();
    for rejected in found.rejected {
        println!("rejected: {}: {}", rejected.path.display(), rejected.why);
    }
    if let Some(path) = found.path {
        println!("found: {}", path.display());
    }
}
