//! oomexec is replaced, or removed, while a gateway starts children.

mod testenv;

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;

use oomexec_spawner::{Launch, Via, Why};
use testenv::{Directory, launch, own_score, write_executable};

/// Each replaces the file `$1` by the file `$2`, again and again.
const REPLACE: [&str; 5] = [
    r#"while :; do install -m 755 "$2" "$1"; done"#,
    r#"while :; do cp "$2" "$1"; done"#,
    r#"while :; do cp -p "$2" "$1.new" && mv "$1.new" "$1"; done"#,
    r#"while :; do rm -f "$1"; cp -p "$2" "$1"; done"#,
    r#"while :; do chmod 600 "$1"; chmod 755 "$1"; done"#,
];
const CHILDREN: usize = 600;

/// A process that is killed when this is dropped.
struct Background(Child);

impl Background {
    fn start(script: &str, files: [&Path; 2]) -> Self {
        let mut shell = Command::new("sh");
        let shell = shell.args(["-c", script, "sh"]).args(files);
        // cp cannot write a file that is being executed, which is no matter here.
        let shell = shell.stdin(Stdio::null()).stderr(Stdio::null());
        Self(shell.spawn().expect("sh starts"))
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts the children on two threads, and returns what became of those that are lost.
fn start(launch: &Launch, expected: &str) -> Vec<String> {
    let some = || -> Vec<String> {
        let started = (0..CHILDREN / 2).map(|_| {
            let child = launch.prepare().spawn_with(|it| {
                let mut command = it.command();
                command.stdout(Stdio::piped()).stderr(Stdio::piped());
                command.spawn()
            });
            match child.and_then(Child::wait_with_output) {
                Ok(output) if output.stdout == expected.as_bytes() => None,
                lost => Some(format!("{lost:?}")),
            }
        });
        started.flatten().collect()
    };
    thread::scope(|scope| {
        let threads = [scope.spawn(some), scope.spawn(some)];
        threads
            .map(|thread| thread.join().expect("no panic"))
            .concat()
    })
}

#[test]
fn no_child_is_lost_while_oomexec_is_replaced() {
    for replace in REPLACE {
        let directory = Directory::new();
        let oomexec = directory.make("oomexec", "oomexec");
        let new = directory.make("new", "oomexec");
        let mut launch = launch("cat");
        launch.arg("/proc/self/oom_score_adj").oomexec(&oomexec);
        let ctime = || {
            let file = fs::metadata(&oomexec).ok()?;
            Some((file.ctime(), file.ctime_nsec()))
        };
        let before = ctime();
        let background = Background::start(replace, [&oomexec, &new]);
        let lost = start(&launch, "1000\n");
        assert_ne!(ctime(), before, "{replace}: it was replaced");
        drop(background);
        assert!(lost.is_empty(), "{replace}: {} lost: {lost:?}", lost.len());
    }
}

/// The time between the two calls that a replacement needs, as long as it takes.
#[test]
fn a_child_prepared_before_oomexec_cannot_be_executed_starts_without_it() {
    type Spoil = fn(&Path);
    let spoils: [(&str, Spoil); 4] = [
        ("ENOENT", |file| fs::remove_file(file).expect("it is gone")),
        ("EACCES", |file| write_executable(file, b"", 0o644)),
        ("ENOEXEC", |file| {
            let cut = fs::read(file).expect("it is read")[..60].to_vec();
            write_executable(file, &cut, 0o755);
        }),
        ("ETXTBSY", |_| {}),
    ];
    for (errno, spoil) in spoils {
        let directory = Directory::new();
        let oomexec = directory.make("oomexec", "oomexec");
        let mut launch = launch("cat");
        launch.arg("/proc/self/oom_score_adj").oomexec(&oomexec);
        let prepared = launch.prepare();
        let exact = launch.exact_env(true).prepare();
        spoil(&oomexec);
        // Another process has it open for writing.
        let writer = (errno == "ETXTBSY").then(|| {
            let script = r#"exec 3>>"$1"; echo; read wait"#;
            let mut shell = Command::new("sh");
            let shell = shell.args(["-c", script, "sh"]).arg(&oomexec);
            testenv::Running::start(shell)
        });
        let writer = writer.map(|mut writer| {
            assert_eq!(writer.line(), "");
            writer
        });
        let native = prepared.command().spawn().expect_err("it cannot run");
        for (mut prepared, via, why, score) in [
            (prepared, Via::Sh, Why::NoOomexec, 1000),
            (exact, Via::Direct, Why::ExactEnv, own_score()),
        ] {
            let again = prepared.without_oomexec().expect("it goes through oomexec");
            let output = prepared.spawn_with(|it| it.command().output());
            let output = output.unwrap_or_else(|error| panic!("{errno}, {native}: {error}"));
            assert_eq!(output.stdout, format!("{score}\n").as_bytes(), "{errno}");
            assert_eq!((prepared.via, prepared.why), (via, why), "{errno}");
            assert_eq!((again.via, again.why), (via, why), "{errno}");
            assert!(prepared.without_oomexec().is_none());
        }
        drop(writer);
    }
}

#[test]
fn another_error_is_the_native_one_after_one_more_try_at_most() {
    let directory = Directory::new();
    let mut launch = launch("true");
    launch.oomexec(testenv::oomexec());
    let tries = |launch: &Launch, then: fn(&Path)| {
        let mut prepared = launch.prepare();
        assert_eq!(prepared.via, Via::Oomexec);
        then(&directory.0);
        let mut tries = 0;
        let error = prepared.spawn_with(|it| {
            tries += 1;
            it.command().spawn()
        });
        let error = error.expect_err("it cannot run").raw_os_error();
        (error, tries, prepared.why)
    };
    let too_long = tries(launch.clone().arg("x".repeat(1 << 20)), |_| {});
    const E2BIG: i32 = 7;
    assert_eq!(too_long, (Some(E2BIG), 1, Why::Oomexec));
    let without_directory = tries(launch.current_dir(&directory.0), |directory| {
        fs::remove_dir_all(directory).expect("it is gone");
    });
    const ENOENT: i32 = 2;
    assert_eq!(without_directory, (Some(ENOENT), 2, Why::NoDirectory));
}
