//! Real programs that set their own score, or that of their children, under both strengths
//! of the pin: Firefox, PostgreSQL, OpenSSH, crun. The plain pin does not hold them, and
//! `--pin=write` does. (Chromium: chromium.rs.)

#[path = "testenv/running.rs"]
mod running;
#[path = "testenv/site.rs"]
mod site;
mod testenv;

use std::fs;
use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use running::{Process, Running, lacks_floor_of_zero};
use site::{Site, alone, shows_the_page};
use testenv::{
    Launch, NOBODY, TempDir, is_root, lacks, lacks_landlock, lacks_own_mounts,
    lacks_user_namespaces, oomexec, program, run, text, tool,
};

const SCORE: &str = "/proc/self/oom_score_adj";

/// Returns a directory with oomexec, and a `home` for the unprivileged user.
fn with_home() -> (TempDir, PathBuf) {
    let dir = TempDir::new();
    dir.copy(oomexec(), "oomexec");
    let home = dir.dir("home");
    if is_root() {
        chown(&home, Some(NOBODY), Some(NOBODY)).expect("the home's new owner");
    }
    (dir, home)
}

fn shown(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

/// The servers' programs, which scripts/lib/fetch-servers unpacks.
fn servers() -> PathBuf {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent();
    let servers = target.expect("a directory").join("servers/usr");
    assert!(
        servers.exists(),
        "this test needs {}; scripts/lib/fetch-servers makes it",
        servers.display()
    );
    servers
}

/// Returns the entry of the environment that names the servers' libraries.
fn libraries(servers: &Path) -> String {
    let mut dirs = vec![servers.join("lib")];
    // Those of this machine's architecture: x86_64-linux-gnu.
    let all = fs::read_dir(&dirs[0]).expect("libraries").flatten();
    dirs.extend(all.map(|entry| entry.path()));
    let dirs: Vec<_> = dirs.iter().map(|dir| shown(dir)).collect();
    format!("LD_LIBRARY_PATH={}", dirs.join(":"))
}

/// Asserts success; returns its stdout.
#[track_caller]
fn said(output: &Output) -> String {
    let stderr = text(&output.stderr);
    assert!(output.status.success(), "{}: {stderr}", output.status);
    text(&output.stdout)
}

/// Starts Firefox through oomexec, to make a screenshot of the site.
fn firefox(site: &Site, pin: &str, environment: &[&str]) -> Running {
    let (dir, home) = with_home();
    let home = shown(&home);
    // What it asks of other machines goes to a port on loopback where nobody listens.
    let settings = "user_pref('network.proxy.type', 1);
        user_pref('network.proxy.http', '127.0.0.1');
        user_pref('network.proxy.http_port', 9);
        user_pref('network.proxy.ssl', '127.0.0.1');
        user_pref('network.proxy.ssl_port', 9);
        user_pref('network.dns.disabled', true);";
    dir.file("home/user.js", settings, 0o644);
    let firefox = tool("firefox-esr");
    let page = format!("http://{}/", site.address);
    let screenshot = format!("{home}/screenshot.png");
    let args = [
        pin,
        "--",
        shown(&firefox),
        "--headless",
        "--no-remote",
        "--profile",
        home,
        "--window-size",
        "320,240",
        "--screenshot",
        &screenshot,
        &page,
    ];
    let mut launch = Launch::through(dir.join("oomexec"), args)
        .path(&[b"/usr/bin", b"/bin"])
        .env(format!("HOME={home}"))
        .env(format!("TMPDIR={home}"))
        .unprivileged();
    for entry in environment {
        launch = launch.env(entry);
    }
    Running::start(dir, launch)
}

/// Without it Firefox makes user namespaces for its children: it must write uid_map.
const NO_USER_NAMESPACES: &str = "MOZ_ASSUME_USER_NS=0";

/// Returns its processes whose last argument says that they show pages.
fn tabs(firefox: &Running) -> Vec<Process> {
    let all = firefox.processes().into_values();
    all.filter(|process| process.line.ends_with(" tab"))
        .collect()
}

/// Lets the page load and asserts that the screenshot shows it.
#[track_caller]
fn finishes(mut firefox: Running, site: &Site) {
    site.release();
    let status = firefox.wait();
    assert!(status.success(), "{status}: {}", firefox.log());
    shows_the_page(&firefox.dir.join("home/screenshot.png"));
}

#[test]
fn every_process_of_firefox_stays_at_1000_under_pin_write_and_a_page_is_shown() {
    if lacks_landlock(3) {
        return;
    }
    let _alone = alone();
    let site = Site::new();
    let mut firefox = firefox(&site, "--pin=write", &[NO_USER_NAMESPACES]);
    let watch = firefox.watch();
    // It sets scores when it starts a process, and when a tab comes to the front: long
    // before this many looks.
    let mut looks = 0;
    firefox.until("the page is shown", |firefox| {
        if site.picture_is_wanted() && !tabs(firefox).is_empty() {
            looks += 1;
        }
        looks == 40
    });
    for tab in tabs(&firefox) {
        assert_eq!(tab.status["Seccomp"], "2", "its sandbox: {tab:#?}");
    }
    finishes(firefox, &site);
    watch.held();
}

#[test]
fn firefox_under_the_plain_pin_sets_its_scores_as_ever_and_a_page_is_shown() {
    if lacks_landlock(3) || lacks_floor_of_zero() {
        return;
    }
    let _alone = alone();
    let site = Site::new();
    let mut firefox = firefox(&site, "--pin", &[]);
    firefox.until(
        "it lowers its own score, and those of its tabs",
        |firefox| {
            let tabs = tabs(firefox);
            // 133 in front, 200 and more behind.
            let lowered = |tab: &Process| ["0", "133", "200", "233"].contains(&&tab.score[..]);
            let own = &firefox.processes()[&firefox.pid()];
            site.picture_is_wanted()
                && own.score == "0"
                && !tabs.is_empty()
                && tabs.iter().all(lowered)
        },
    );
    finishes(firefox, &site);
}

#[test]
fn firefox_with_user_namespaces_shows_no_page_under_pin_write_and_says_so() {
    if lacks_landlock(3) || lacks_user_namespaces() {
        return;
    }
    let _alone = alone();
    let site = Site::new();
    let mut firefox = firefox(&site, "--pin=write", &[]);
    firefox.until("a child cannot write its uid_map", |firefox| {
        firefox
            .log()
            .contains("Sandbox: writing /proc/self/uid_map: EACCES")
    });
    // Each of its children crashes so, and the one that would fetch the page among them.
    assert!(!site.picture_is_wanted());
}

/// A PostgreSQL server with a cluster of its own, on a socket in its directory. It tells
/// its children to write 0 to their score.
struct Postgres {
    server: Running,
    programs: PathBuf,
    libraries: String,
}

impl Postgres {
    fn start(pin: &str) -> Self {
        let (dir, home) = with_home();
        // The unprivileged user may not be able to reach the original.
        let usr = dir.dir("usr");
        for part in ["lib", "share"] {
            let original = servers().join(part);
            run(Command::new("cp").arg("-r").args([&original, &usr]));
        }
        let versions = fs::read_dir(usr.join("lib/postgresql")).expect("PostgreSQL");
        let version = versions.flatten().next().expect("a version");
        let programs = version.path().join("bin");
        let libraries = libraries(&usr);
        let data = home.join("data");

        let initdb = programs.join("initdb");
        let args = [
            shown(&initdb),
            "--no-sync",
            "--locale=C",
            "--username=test",
            "--pgdata",
            shown(&data),
        ];
        let initdb = Launch::new(&initdb, args).env(&libraries).unprivileged();
        said(&initdb.or_alarm().output());

        let postgres = programs.join("postgres");
        let args = [
            pin,
            "--",
            shown(&postgres),
            "-D",
            shown(&data),
            "-k",
            shown(&home),
            "-c",
            "listen_addresses=",
            "-c",
            "fsync=off",
            "-c",
            "jit=off",
        ];
        let launch = Launch::through(dir.join("oomexec"), args)
            .env(&libraries)
            .env(format!("PG_OOM_ADJUST_FILE={SCORE}"))
            .env("PG_OOM_ADJUST_VALUE=0")
            .unprivileged();
        let mut server = Running::start(dir, launch);
        server.until("it is ready", |server| {
            server.log().contains("ready to accept connections")
        });
        Self {
            server,
            programs,
            libraries,
        }
    }

    /// Runs a transaction, and this while it is open.
    #[track_caller]
    fn transaction(&mut self, while_open: impl FnOnce(&mut Running)) {
        let mut psql = Command::new(self.programs.join("psql"));
        let (name, value) = self.libraries.split_once('=').expect("an entry");
        let mut psql = psql
            .args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1"])
            .args(["-U", "test", "postgres"])
            // Not an argument, which would make it one of the server's processes.
            .env("PGHOST", self.server.dir.join("home"))
            .env(name, value)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("psql");
        let mut stdin = psql.stdin.take().expect("a pipe");
        let rows = "BEGIN; CREATE TABLE t (n int); INSERT INTO t SELECT generate_series(1, 1000);";
        writeln!(stdin, "{rows}").expect("a reader");
        while_open(&mut self.server);
        let sum = "COMMIT; BEGIN; DELETE FROM t; ROLLBACK; SELECT sum(n) FROM t;";
        writeln!(stdin, "{sum}").expect("a reader");
        drop(stdin);
        assert_eq!(said(&psql.wait_with_output().expect("psql")), "500500\n");
    }

    /// Asks it to end, which takes a checkpoint, and waits.
    #[track_caller]
    fn stop(&mut self) {
        // SAFETY: the call takes numbers; the server has not been waited for.
        unsafe { libc::kill(self.server.pid(), libc::SIGINT) };
        let status = self.server.wait();
        assert!(status.success(), "{status}: {}", self.server.log());
    }
}

/// A server's process for one connection.
const BACKEND: &str = "idle in transaction";

#[test]
fn every_child_of_postgresql_stays_at_1000_under_pin_write_and_a_transaction_works() {
    if lacks_landlock(3) {
        return;
    }
    let mut postgres = Postgres::start("--pin=write");
    let watch = postgres.server.watch();
    postgres.transaction(|server| {
        server.until("its processes have been seen", |_| {
            ["checkpointer", "walwriter", BACKEND]
                .into_iter()
                .all(|process| watch.saw(process))
        });
    });
    postgres.stop();
    watch.held();
}

#[test]
fn postgresql_under_the_plain_pin_lowers_its_childrens_score_and_a_transaction_works() {
    if lacks_landlock(3) || lacks_floor_of_zero() {
        return;
    }
    let mut postgres = Postgres::start("--pin");
    postgres.transaction(|server| {
        server.until("all but the server itself are at 0", |server| {
            let mut all = server.processes();
            let own = all.remove(&server.pid()).expect("the server");
            let backend = |process: &Process| process.line.contains(BACKEND);
            own.score == "1000"
                && all.values().any(backend)
                && all.values().all(|process| process.score == "0")
        });
    });
    postgres.stop();
}

/// An sshd on loopback, which root must start, as the unprivileged user's only way in: with
/// a key, and with PAM or without.
struct Sshd {
    server: Running,
    port: u16,
}

/// Makes the account, then becomes oomexec: in mounts of its own.
const WITH_ACCOUNTS: &str = "set -e
cd \"$0\"
for file in passwd shadow pam.d; do mount --bind $file /etc/$file; done
mount -t tmpfs tmpfs /run
mkdir /run/sshd
exec \"$@\"";

impl Sshd {
    fn start(pin: Option<&str>, pam: bool) -> Self {
        let (dir, home) = with_home();
        let servers = servers();
        let at = shown(dir.path());
        let passwd = format!(
            "root:x:0:0::/root:/bin/sh\nsshd:x:65533:{NOBODY}::/:/bin/false\n\
             test:x:{NOBODY}:{NOBODY}::{}:/bin/sh\n",
            shown(&home)
        );
        dir.file("passwd", passwd, 0o644);
        dir.file(
            "shadow",
            "root:*::::::\nsshd:*::::::\ntest:*::::::\n",
            0o600,
        );
        // What Debian's own /etc/pam.d/sshd requires of a session, and nothing else.
        let service = "account required pam_permit.so\nsession required pam_loginuid.so\n";
        dir.file("pam.d/sshd", service, 0o644);
        for key in ["host", "user"] {
            let mut keygen = Command::new(servers.join("bin/ssh-keygen"));
            keygen.args(["-q", "-t", "ed25519", "-N", "", "-f"]);
            run(keygen.arg(dir.join(key)));
        }
        let port = TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr());
        let port = port.expect("a port on loopback").port();
        let pam = if pam { "yes" } else { "no" };
        let mut config = format!(
            "ListenAddress 127.0.0.1:{port}\nHostKey {at}/host\nPidFile none\n\
             AuthorizedKeysFile {at}/user.pub\nStrictModes no\nUsePAM {pam}\nLogLevel DEBUG\n"
        );
        // Since 9.8 it is several programs, which it looks for where Debian installs them.
        for (option, program) in [
            ("SshdSessionPath", "sshd-session"),
            ("SshdAuthPath", "sshd-auth"),
        ] {
            let program = servers.join("lib/openssh").join(program);
            if program.exists() {
                config += &format!("{option} {}\n", program.display());
            }
        }
        let config = dir.file("config", config, 0o644);
        let sshd = servers.join("sbin/sshd");
        let oomexec = dir.join("oomexec");
        let mut args = vec!["sh", "-c", WITH_ACCOUNTS, at, shown(&oomexec)];
        args.extend(pin);
        args.extend(["--", shown(&sshd), "-D", "-e", "-f", shown(&config)]);
        let launch = Launch::new("/bin/sh", args)
            .path(&[b"/usr/sbin", b"/usr/bin", b"/sbin", b"/bin"])
            .env(libraries(&servers))
            .own_mounts();
        let mut server = Running::start(dir, launch);
        server.until("it listens", |_| {
            TcpStream::connect(("127.0.0.1", port)).is_ok()
        });
        Self { server, port }
    }

    fn score(&self) -> String {
        let all = self.server.processes();
        all[&self.server.pid()].score.clone()
    }

    /// Logs in and runs a command.
    fn login(&self, command: &str) -> Output {
        let ssh = servers().join("bin/ssh");
        let (key, port) = (self.server.dir.join("user"), self.port.to_string());
        let args = [
            shown(&ssh),
            "-F",
            "none",
            "-i",
            shown(&key),
            "-o",
            "BatchMode=yes",
            "-o",
            "IdentitiesOnly=yes",
            "-o",
            "StrictHostKeyChecking=no",
            "-o",
            "UserKnownHostsFile=/dev/null",
            "-o",
            "LogLevel=ERROR",
            "-p",
            &port,
            "test@127.0.0.1",
            command,
        ];
        let launch = Launch::new(&ssh, args).env(libraries(&servers()));
        launch.or_alarm().output()
    }
}

#[must_use]
fn lacks_root() -> bool {
    lacks("root", is_root()) || lacks_own_mounts()
}

/// Whether this process, and so an sshd that it starts, has CAP_SYS_RESOURCE.
fn has_cap_sys_resource() -> bool {
    const CAP_SYS_RESOURCE: u32 = 24;
    let status = fs::read_to_string("/proc/self/status").expect("/proc");
    let mut lines = status.lines();
    let set = lines.find_map(|line| line.strip_prefix("CapEff:\t"));
    let set = u64::from_str_radix(set.expect("capabilities"), 16).expect("a number");
    set >> CAP_SYS_RESOURCE & 1 == 1
}

#[test]
fn a_login_works_under_either_strength_and_only_pin_write_keeps_sshd_from_its_score() {
    if lacks_landlock(3) || lacks_root() {
        return;
    }
    let command = format!("cat {SCORE}; echo written > file; cat file; exit 3");
    // sshd opens its score for reading and writing, writes -1000, and has each session
    // truncate and write what it was. Without CAP_SYS_RESOURCE the -1000 has no effect.
    let (own, kept) = match has_cap_sys_resource() {
        true => ("-1000", "-1000"),
        false => ("1000", "1000"),
    };
    for (pin, own, session, opened) in [
        (None, own, "1000", true),
        // It cannot restore the score: the session keeps sshd's own.
        (Some("--pin"), own, kept, true),
        (Some("--pin=write"), "1000", "1000", false),
    ] {
        let sshd = Sshd::start(pin, false);
        assert_eq!(sshd.score(), own, "{pin:?}");
        let output = sshd.login(&command);
        assert_eq!(output.status.code(), Some(3), "{pin:?}: {output:?}");
        let stdout = text(&output.stdout);
        assert_eq!(stdout, format!("{session}\nwritten\n"), "{pin:?}");
        let log = sshd.server.log();
        let wrote = log.contains("Set /proc/self/oom_score_adj from 1000 to -1000");
        assert_eq!(wrote, opened, "{pin:?}: {log}");
    }
}

#[test]
fn a_login_with_pam_is_refused_under_either_strength() {
    if lacks_landlock(3) || lacks_root() {
        return;
    }
    // pam_loginuid.so truncates this file, and fails if it cannot; it does nothing on a
    // kernel without it.
    let refused = Path::new("/proc/self/loginuid").exists();
    for (pin, refused) in [
        (None, false),
        (Some("--pin"), refused),
        (Some("--pin=write"), refused),
    ] {
        let sshd = Sshd::start(pin, true);
        let output = sshd.login("echo there");
        let log = sshd.server.log();
        assert_eq!(output.status.success(), !refused, "{pin:?}: {log}");
        assert_eq!(
            log.contains("pam_open_session()"),
            refused,
            "{pin:?}: {log}"
        );
    }
}

/// A container without a mount namespace: in the machine's own root.
const WITHOUT_MOUNTS: &str = r#"
    "process": {"args": ["/bin/cat", "/proc/self/oom_score_adj"], "cwd": "/",
        "user": {"uid": 0, "gid": 0}, "oomScoreAdj": 300},
    "root": {"path": "/"}, "mounts": [], "linux": {}"#;

/// A container with one, and with tests/programs/show.c in its root.
const WITH_MOUNTS: &str = r#"
    "process": {"args": ["/show"], "cwd": "/",
        "user": {"uid": 0, "gid": 0}, "oomScoreAdj": 300},
    "root": {"path": "root"},
    "mounts": [{"destination": "/proc", "type": "proc", "source": "proc"}],
    "linux": {"namespaces": [{"type": "mount"}]}"#;

/// Runs a container of crun's, which prints its score; returns crun's output.
fn crun(pin: Option<&str>, config: &str) -> Output {
    let dir = TempDir::new();
    let config = format!("{{\"ociVersion\": \"1.0.0\", {config}}}");
    dir.file("bundle/config.json", config, 0o644);
    dir.dir("bundle/root/dev");
    dir.copy(program("show"), "bundle/root/show");
    // crun refuses to start where this hierarchy is empty beside those of cgroup v1. It
    // makes /dev/ptmx and others in the root's /dev, which must not be the machine's.
    let script = "umount -q /sys/fs/cgroup/unified
        mount -t tmpfs tmpfs /dev
        for device in null:3 zero:5 full:7 random:8 urandom:9; do
            mknod -m 666 \"/dev/${device%:*}\" c 1 \"${device#*:}\"
        done
        mknod -m 666 /dev/tty c 5 0
        exec \"$@\"";
    let oomexec = dir.copy(oomexec(), "oomexec");
    let (crun, state, bundle) = (tool("crun"), dir.dir("state"), dir.join("bundle"));
    let mut args = vec!["sh", "-c", script, "sh", shown(&oomexec)];
    args.extend(pin);
    args.extend(["--", shown(&crun), "--cgroup-manager=disabled", "--root"]);
    args.extend([shown(&state), "run", "--bundle", shown(&bundle), "test"]);
    let launch = Launch::new("/bin/sh", args).path(&[b"/usr/bin", b"/bin"]);
    launch.own_mounts().or_alarm().output()
}

#[test]
fn crun_sets_a_containers_score_under_the_plain_pin_and_runs_none_under_pin_write() {
    if lacks_landlock(3) || lacks_root() || lacks_floor_of_zero() {
        return;
    }
    assert_eq!(said(&crun(None, WITHOUT_MOUNTS)), "300\n");
    assert_eq!(said(&crun(Some("--pin"), WITHOUT_MOUNTS)), "300\n");
    let output = crun(Some("--pin=write"), WITHOUT_MOUNTS);
    assert_eq!(text(&output.stdout), "");
    let stderr = text(&output.stderr);
    assert!(stderr.contains("oom_score_adj"), "{stderr}");
    assert!(!output.status.success());
}

#[test]
fn crun_runs_no_container_with_mounts_under_either_strength() {
    if lacks_landlock(3) || lacks_root() || lacks_floor_of_zero() {
        return;
    }
    let stdout = said(&crun(None, WITH_MOUNTS));
    assert!(stdout.starts_with("score 300\n"), "{stdout}");
    for pin in ["--pin", "--pin=write"] {
        let output = crun(Some(pin), WITH_MOUNTS);
        assert!(!output.status.success(), "{pin}: {output:?}");
        assert_eq!(text(&output.stdout), "", "{pin}");
    }
}
