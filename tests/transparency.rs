//! oomexec changes nothing that a child can observe except its `oom_score_adj`.
//! A probe dumps all it observes of itself, launched directly and through oomexec
//! from many prepared states: the two dumps differ in one line.

mod testenv;

use std::collections::HashSet;
use std::ffi::OsString;
use std::fs::{self, File};
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};
use std::ptr;

use testenv::{
    Launch, TempDir, check, emulated, lacks_landlock, lacks_own_mounts, oomexec, own_score, program,
};

const SCORE_LINE: &str = "/proc/self/oom_score_adj: ";

/// The probe and oomexec, in a directory that every user may write to.
struct Probe {
    dir: TempDir,
    probe: PathBuf,
    oomexec: PathBuf,
}

impl Probe {
    fn new() -> Self {
        let dir = TempDir::new();
        testenv::set_mode(dir.path(), 0o777);
        let probe = dir.copy(program("probe"), "probe");
        let oomexec = dir.copy(oomexec(), "oomexec");
        Self {
            dir,
            probe,
            oomexec,
        }
    }

    /// Launches the probe and returns the lines it dumps.
    #[track_caller]
    fn dump(&self, launch: Launch) -> Vec<String> {
        let _ = fs::remove_file(self.dir.join("dump"));
        // Files, because the pipes of two launches have different inodes.
        let [out, err] = ["out", "err"].map(|name| self.dir.join(name));
        let create = |path| File::create(path).expect("a file");
        let launch = launch.stdout(create(&out)).stderr(create(&err));
        let status = launch.output().status;
        assert_eq!(
            (status.code(), read(&out), read(&err)),
            (Some(0), String::new(), String::new())
        );
        let dump = read(&self.dir.join("dump"));
        dump.lines().map(without_lock_owner).collect()
    }

    /// Asserts that a direct and a wrapped launch differ only in the score.
    #[track_caller]
    fn same(&self, args: &[&str], prepare: impl Fn(Launch) -> Launch) {
        let argv = |first: &Path| {
            let args = args.iter().map(|arg| OsString::from(*arg));
            std::iter::once(first.as_os_str().to_owned())
                .chain(args)
                .collect::<Vec<_>>()
        };
        let direct = self.dump(prepare(Launch::new(&self.probe, argv(&self.probe))));
        let args = [vec!["--".into()], argv(&self.probe)].concat();
        let wrapped = self.dump(prepare(Launch::through(&self.oomexec, args)));
        self.same_but_score(&direct, &wrapped);
    }

    #[track_caller]
    fn same_but_score(&self, direct: &[String], wrapped: &[String]) {
        self.same_but_score_and(&[], &[], direct, wrapped);
    }

    /// Asserts that the dumps differ only in the score and these lines.
    #[track_caller]
    fn same_but_score_and(
        &self,
        of_direct: &[&str],
        of_wrapped: &[&str],
        direct: &[String],
        wrapped: &[String],
    ) {
        assert!(direct.len() > 150, "the dump is too short: {direct:#?}");
        let but = |lines: &[String], others: &[String]| -> Vec<String> {
            let others: HashSet<_> = others.iter().collect();
            let differing = lines.iter().filter(|line| !others.contains(line));
            differing.cloned().collect()
        };
        let line = |score: &str| format!("{SCORE_LINE}{}", score.trim());
        let (own, raised) = (line(&own_score()), line("1000"));
        // If the caller is at 1000, there is no difference.
        let scores = usize::from(own != raised);
        let expected = |lines: &[&str], score| {
            let lines = lines.iter().map(|line| (*line).to_owned());
            lines.chain(vec![score; scores]).collect::<Vec<_>>()
        };
        assert_eq!(but(direct, wrapped), expected(of_direct, own));
        assert_eq!(but(wrapped, direct), expected(of_wrapped, raised));
        assert_eq!(direct.len(), wrapped.len());
    }
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Removes the PID of the lock holder from a line of fdinfo.
fn without_lock_owner(line: &str) -> String {
    let words = line.split_whitespace().enumerate();
    match line.contains("lock:") {
        true => words
            .filter(|(at, _)| *at != 6)
            .map(|(_, word)| format!("{word} "))
            .collect(),
        false => line.to_owned(),
    }
}

/// Returns a preparation by calls that return -1 on failure.
fn state(
    step: impl Fn() -> libc::c_int + Copy + Send + Sync + 'static,
) -> impl Fn(Launch) -> Launch {
    move |launch| launch.prepare(move || check(step()))
}

#[test]
fn an_ordinary_launch_changes_only_the_score() {
    Probe::new().same(&["a", "", "--", "-x", "b c"], |launch| {
        launch.env("PATH=/bin").env("A=b")
    });
}

#[test]
fn a_launch_by_name_with_another_argv0_changes_only_the_score() {
    let probe = Probe::new();
    let path = |launch: Launch| {
        launch.path(&[
            b"/nonexistent",
            probe.dir.path().as_os_str().as_encoded_bytes(),
        ])
    };
    let direct = probe.dump(path(Launch::new(&probe.probe, ["-name", "a"])));
    let args = ["-a", "-name", "probe", "a"];
    let wrapped = probe.dump(path(Launch::through(&probe.oomexec, args)));
    probe.same_but_score(&direct, &wrapped);
}

#[test]
fn any_environment_does_not_change() {
    if emulated("qemu passes only one variable of each name") {
        return;
    }
    let entries: &[&[u8]] = &[
        b"A=1",
        b"A=2",
        b"A=1",
        b"MY-VAR=x",
        b"npm_config_//registry/:_authToken=secret",
        b"spring.datasource.url=jdbc",
        b"BASH_FUNC_echo%%=() { :; }",
        b"SHELLOPTS=noexec",
        b"PS4=$(exit 1)",
        b"\xff\xfe=\x80\x01\n",
        b"NOEQUALS",
        b"",
        b"=leading",
        b"EMPTY=",
        b"OPENCLAW_CHILD_OOM_SCORE_ADJ",
        b"OPENCLAW_CHILD_OOM_SCORE_ADJ_X=0",
        b"XOPENCLAW_CHILD_OOM_SCORE_ADJ=0",
        b"OPENCLAW_CHILD_OOM_SCORE_ADJ=1",
        b"OPENCLAW_CHILD_OOM_SCORE_ADJ=0",
        b"PATH=/nonexistent",
    ];
    Probe::new().same(&[], |launch| {
        entries.iter().fold(launch, |launch, entry| {
            launch.env(OsString::from_vec(entry.to_vec()))
        })
    });
    Probe::new().same(&[], |launch| launch);
}

#[test]
fn ignored_signals_stay_ignored() {
    if emulated("qemu handles SIGQUIT") {
        return;
    }
    Probe::new().same(
        &[],
        state(|| {
            for signal in [
                libc::SIGPIPE,
                libc::SIGCHLD,
                libc::SIGINT,
                libc::SIGHUP,
                libc::SIGQUIT,
                libc::SIGTSTP,
                40,
                64,
            ] {
                // SAFETY: no handler is installed.
                if unsafe { libc::signal(signal, libc::SIG_IGN) } == libc::SIG_ERR {
                    return -1;
                }
            }
            0
        }),
    );
}

/// Blocks these signals.
fn block(signals: &[libc::c_int]) -> libc::c_int {
    // SAFETY: the set is this function's own, and initialized before its use.
    unsafe {
        let mut set = std::mem::zeroed();
        libc::sigemptyset(&mut set);
        for signal in signals {
            libc::sigaddset(&mut set, *signal);
        }
        libc::sigprocmask(libc::SIG_BLOCK, &set, ptr::null_mut())
    }
}

#[test]
fn blocked_and_pending_signals_stay_so() {
    Probe::new().same(
        &[],
        state(|| block(&[libc::SIGUSR1, libc::SIGTERM, libc::SIGCHLD, 40, 64])),
    );
    Probe::new().same(
        &[],
        state(|| {
            block(&[libc::SIGUSR1, libc::SIGTERM, 40]);
            for signal in [libc::SIGUSR1, libc::SIGTERM, 40, 40] {
                // SAFETY: the call takes a number; the signal is blocked.
                unsafe { libc::raise(signal) };
            }
            0
        }),
    );
}

#[test]
fn closed_standard_descriptors_stay_closed() {
    for closed in 0..8 {
        Probe::new().same(
            &[],
            state(move || {
                for fd in (0..3).filter(|fd| closed >> fd & 1 == 1) {
                    // SAFETY: the descriptor is this process's own.
                    if unsafe { libc::close(fd) } == -1 {
                        return -1;
                    }
                }
                0
            }),
        );
    }
}

#[test]
fn open_descriptors_keep_their_flags_and_offsets() {
    let probe = Probe::new();
    let file = testenv::c_string(probe.dir.file("file", "0123456789", 0o666));
    let file: &'static std::ffi::CStr = Box::leak(file.into_boxed_c_str());
    probe.same(
        &[],
        state(move || {
            // SAFETY: the path is a C string, and the descriptors are this process's
            // own.
            unsafe {
                let flags = libc::O_RDWR | libc::O_APPEND | libc::O_NONBLOCK | libc::O_CLOEXEC;
                let fd = libc::open(file.as_ptr(), flags);
                if libc::lseek(fd, 5, libc::SEEK_SET) != 5 || libc::flock(fd, libc::LOCK_EX) == -1 {
                    return -1;
                }
                for at in [40, 63, 64, 900, 901] {
                    if libc::dup3(fd, at, 0) == -1 {
                        return -1;
                    }
                }
                libc::fcntl(901, libc::F_SETFD, libc::FD_CLOEXEC)
            }
        }),
    );
}

#[test]
fn resource_limits_do_not_change() {
    Probe::new().same(
        &[],
        state(|| {
            let limits = [
                (libc::RLIMIT_NOFILE, 10, 20),
                (libc::RLIMIT_CORE, 0, 0),
                (libc::RLIMIT_STACK, 1 << 20, 1 << 21),
                (libc::RLIMIT_CPU, 1000, 2000),
                (libc::RLIMIT_FSIZE, 1 << 20, 1 << 30),
                (libc::RLIMIT_DATA, 1 << 28, 1 << 29),
                (libc::RLIMIT_MEMLOCK, 4096, 8192),
            ];
            for (resource, rlim_cur, rlim_max) in limits {
                let limit = libc::rlimit { rlim_cur, rlim_max };
                // SAFETY: the limit is this function's own.
                if unsafe { libc::setrlimit(resource, &limit) } == -1 {
                    return -1;
                }
            }
            0
        }),
    );
}

#[test]
fn umask_niceness_priorities_and_affinity_do_not_change() {
    Probe::new().same(
        &[],
        state(|| {
            // SAFETY: the calls take numbers and structures of this function's own.
            unsafe {
                libc::umask(0o27);
                libc::setpriority(libc::PRIO_PROCESS, 0, 7);
                // IOPRIO_WHO_PROCESS; class best effort, level 7.
                libc::syscall(libc::SYS_ioprio_set, 1, 0, 2 << 13 | 7);
                let parameters = std::mem::zeroed::<libc::sched_param>();
                libc::sched_setscheduler(0, libc::SCHED_BATCH, &parameters);
                let mut cpus = std::mem::zeroed();
                libc::CPU_SET(0, &mut cpus);
                libc::sched_setaffinity(0, size_of_val(&cpus), &cpus)
            }
        }),
    );
}

#[test]
fn running_timers_keep_running() {
    Probe::new().same(
        &[],
        state(|| {
            let seconds = |tv_sec| libc::timeval { tv_sec, tv_usec: 0 };
            let timer = libc::itimerval {
                it_interval: seconds(7),
                it_value: seconds(590),
            };
            for which in [libc::ITIMER_REAL, libc::ITIMER_VIRTUAL, libc::ITIMER_PROF] {
                // SAFETY: the timer is this function's own.
                if unsafe { libc::setitimer(which, &timer, ptr::null_mut()) } == -1 {
                    return -1;
                }
            }
            0
        }),
    );
}

#[test]
fn session_and_process_group_do_not_change() {
    // SAFETY: the calls take numbers.
    Probe::new().same(&[], state(|| unsafe { libc::setsid() }));
    // SAFETY: the same.
    Probe::new().same(&[], state(|| unsafe { libc::setpgid(0, 0) }));
}

#[test]
fn prctl_and_personality_settings_do_not_change() {
    Probe::new().same(
        &[],
        state(|| {
            // SAFETY: the calls take numbers.
            unsafe {
                libc::personality(libc::ADDR_NO_RANDOMIZE as libc::c_ulong);
                for (option, value) in [
                    (libc::PR_SET_PDEATHSIG, libc::SIGTERM),
                    (libc::PR_SET_CHILD_SUBREAPER, 1),
                    (libc::PR_SET_TIMERSLACK, 123_456),
                    (libc::PR_SET_THP_DISABLE, 1),
                    (libc::PR_SET_KEEPCAPS, 1),
                ] {
                    if libc::prctl(option, value, 0, 0, 0) == -1 {
                        return -1;
                    }
                }
            }
            0
        }),
    );
    // SAFETY: the call takes numbers.
    Probe::new().same(
        &[],
        state(|| unsafe { libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) }),
    );
}

#[test]
fn an_unprivileged_user_and_a_deleted_directory_do_not_change() {
    Probe::new().same(&[], Launch::unprivileged);
    Probe::new().same(
        &[],
        state(|| {
            // SAFETY: the template is this function's own and has room for the result.
            unsafe {
                let mut name = *b"/tmp/oomexec-gone-XXXXXX\0";
                if libc::mkdtemp(name.as_mut_ptr().cast()).is_null()
                    || libc::chdir(name.as_ptr().cast()) == -1
                {
                    return -1;
                }
                libc::rmdir(name.as_ptr().cast())
            }
        }),
    );
}

#[test]
fn dropped_capabilities_stay_dropped() {
    if lacks_own_mounts() {
        return;
    }
    // In its own namespaces every user has capabilities to drop.
    let dropped = state(|| {
        const KEEP_ON_SETUID: libc::c_ulong = 1 << 2; // SECBIT_NO_SETUID_FIXUP
        for capability in [12, 13, 23] {
            // SAFETY: the call takes numbers.
            if unsafe { libc::prctl(libc::PR_CAPBSET_DROP, capability, 0, 0, 0) } == -1 {
                return -1;
            }
        }
        // SAFETY: the same.
        unsafe { libc::prctl(libc::PR_SET_SECUREBITS, KEEP_ON_SETUID, 0, 0, 0) }
    });
    let probe = Probe::new();
    let dump = |launch: Launch| without_namespaces(probe.dump(dropped(launch.own_mounts())));
    let direct = dump(Launch::new(&probe.probe, [&probe.probe]));
    let args = ["--".as_ref(), probe.probe.as_os_str()];
    let wrapped = dump(Launch::through(&probe.oomexec, args));
    probe.same_but_score(&direct, &wrapped);
}

/// Removes the lines that differ because each launch has its own namespaces.
fn without_namespaces(dump: Vec<String>) -> Vec<String> {
    let differing = [
        "/proc/self/ns/mnt",
        "/proc/self/ns/user",
        "/proc/self/fdinfo/",
    ];
    let differs = |line: &String| differing.iter().any(|other| line.starts_with(other));
    dump.into_iter().filter(|line| !differs(line)).collect()
}

/// Returns the dumps of a direct launch and of a pinned one.
fn pinned(probe: &Probe, prepare: impl Fn(Launch) -> Launch) -> [Vec<String>; 2] {
    let args = ["--pin".as_ref(), "--".as_ref(), probe.probe.as_os_str()];
    [
        Launch::new(&probe.probe, [&probe.probe]),
        Launch::through(&probe.oomexec, args),
    ]
    .map(|launch| probe.dump(prepare(launch)))
}

#[test]
fn a_pin_for_an_unprivileged_user_also_sets_no_new_privs() {
    if emulated("qemu lacks the Landlock calls") {
        return;
    }
    if lacks_landlock(3) {
        return;
    }
    let probe = Probe::new();
    let [direct, wrapped] = pinned(&probe, Launch::unprivileged);
    let lines = |value| {
        [
            format!("no_new_privs: {value}"),
            format!("/proc/self/status: NoNewPrivs:\t{value}"),
        ]
    };
    let (unset, set) = (lines(0), lines(1));
    probe.same_but_score_and(
        &unset.each_ref().map(String::as_str),
        &set.each_ref().map(String::as_str),
        &direct,
        &wrapped,
    );
}

#[test]
fn a_pin_for_a_caller_with_cap_sys_admin_changes_only_the_score() {
    if emulated("qemu lacks the Landlock calls") {
        return;
    }
    if lacks_landlock(3) || lacks_own_mounts() {
        return;
    }
    let probe = Probe::new();
    let dumps = pinned(&probe, Launch::own_mounts);
    let [direct, wrapped] = dumps.map(without_namespaces);
    probe.same_but_score(&direct, &wrapped);
}

#[test]
fn argv_and_environment_near_the_kernels_limit_do_not_change() {
    let probe = Probe::new();
    let long = "x".repeat(131_000);
    let args: Vec<&str> = std::iter::repeat_n("y", 20_000)
        .chain([long.as_str(); 3])
        .collect();
    probe.same(&args, |launch| {
        (0..8).fold(launch, |launch, count| {
            launch.env(format!("LARGE{count}={long}"))
        })
    });
}

#[test]
fn a_launch_that_only_just_fits_directly_fits_through_oomexec() {
    if emulated("qemu adds arguments of its own") {
        return;
    }
    // execve(2) takes up to a quarter of the stack limit; oomexec adds only its
    // name and `--`.
    let dir = TempDir::new();
    let show = dir.copy(program("show"), "s");
    let runs = |launch: Launch, bytes: usize| {
        let mut launch = launch;
        for at in 0..bytes / 100_000 {
            launch = launch.env(format!("L{at:09}={}", "x".repeat(100_000 - 12)));
        }
        let launch = launch.env(format!("LAST={}", "x".repeat(bytes % 100_000)));
        let launch = launch.prepare(|| {
            let limit = libc::rlimit {
                rlim_cur: 8 << 20,
                rlim_max: 8 << 20,
            };
            // SAFETY: the limit is this function's own.
            check(unsafe { libc::setrlimit(libc::RLIMIT_STACK, &limit) })
        });
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| launch.output()))
            .is_ok_and(|output| output.status.success())
    };
    let most = |launch: &dyn Fn() -> Launch| {
        let (mut fits, mut fails) = (1_000_000, 3_000_000);
        while fails - fits > 1 {
            let middle = (fits + fails) / 2;
            if runs(launch(), middle) {
                fits = middle;
            } else {
                fails = middle;
            }
        }
        fits
    };
    let direct = most(&|| Launch::new(&show, [&show]));
    let wrapped = most(&|| Launch::through(oomexec(), ["--".as_ref(), show.as_path()]));
    // `oomexec`, `--`, their pointers, and the longer file name.
    let own = "oomexec".len() + 1 + "--".len() + 1 + 2 * 8 + oomexec().len();
    assert!(
        wrapped <= direct && direct - wrapped <= own + 16,
        "{direct} {wrapped}"
    );
}
