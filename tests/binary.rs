//! The shipped file is small, has one segment and no relocations, cannot panic, is the
//! same wherever it is built, and adds little to a launch.
//!
//! These tests build it as a user does, or look at another machine's that
//! scripts/test-emulated provides.

#[path = "testenv/environment.rs"]
mod environment;
mod testenv;
#[path = "testenv/trace.rs"]
mod trace;

use std::fs;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, OnceLock, PoisonError};

use environment::VARIABLES;
use object::elf;
use object::read::elf::{ElfFile64, FileHeader, ProgramHeader, SectionHeader};
use object::{Endianness, FileKind, Object, ObjectSymbol};
use testenv::{Launch, TempDir, failed, oomexec, program, run, shown, text, tool};

/// The largest size of the file in bytes, on every machine. Up to here it costs a
/// launch nothing: the kernel maps that much around one page fault
/// (`fault_around_bytes`, mm/memory.c).
const SIZE_MAX: usize = 64 * 1024;

/// The most user-space instructions of a launch with [`VARIABLES`].
const INSTRUCTIONS_MAX: usize = 200;

/// The most page faults that oomexec adds to a launch.
const FAULTS_MAX: libc::c_long = 2;

/// Builds the program from the sources in `dir` as a user does; returns its path.
fn build(dir: &Path, target: &Path, options: &[&str]) -> PathBuf {
    let mut cargo = cargo(dir, target);
    cargo.args(["build", "--release", "--locked", "--bin", "oomexec"]);
    run(cargo.args(options));
    target.join("release/oomexec")
}

/// Builds the program from the sources in `dir` with one more option of rustc; returns its
/// bytes. These builds share a directory, and with it the crates that they depend on.
fn variant(dir: &Path, option: &str) -> Vec<u8> {
    static LOCK: Mutex<()> = Mutex::new(());
    let _guard = LOCK.lock().unwrap_or_else(PoisonError::into_inner);
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("variants");
    let mut cargo = cargo(dir, &target);
    cargo.args(["rustc", "--release", "--locked", "--bin", "oomexec", "--"]);
    run(cargo.arg(option));
    fs::read(target.join("release/oomexec")).unwrap()
}

/// Returns Cargo in `dir` with this target directory.
fn cargo(dir: &Path, target: &Path) -> Command {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.current_dir(dir).env("CARGO_TARGET_DIR", target);
    // With Cargo's variables of this test, the build would differ from a user's.
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy().into_owned();
        if name.starts_with("CARGO_") && !["CARGO_HOME", "CARGO_TARGET_DIR"].contains(&&*name) {
            cargo.env_remove(name);
        }
    }
    cargo
}

/// Returns the program in OOMEXEC_TEST_BINARY, a release build, or else makes one.
fn release() -> &'static Path {
    static MADE: OnceLock<PathBuf> = OnceLock::new();
    MADE.get_or_init(|| {
        if std::env::var_os("OOMEXEC_TEST_BINARY").is_some() {
            return oomexec().into();
        }
        build(
            &root(),
            &Path::new(env!("CARGO_TARGET_TMPDIR")).join("release"),
            &[],
        )
    })
}

/// Returns the top directory of the sources.
fn root() -> PathBuf {
    env!("CARGO_MANIFEST_DIR").into()
}

#[test]
fn it_is_small() {
    let size = fs::metadata(release()).unwrap().len() as usize;
    assert!(size <= SIZE_MAX, "{size} bytes");
}

#[test]
fn it_is_static_with_one_read_only_segment_and_no_relocations() {
    let file = fs::read(release()).unwrap();
    match FileKind::parse(&*file).unwrap() {
        FileKind::Elf32 => is_static_of_one_segment::<elf::FileHeader32<Endianness>>(&file),
        FileKind::Elf64 => is_static_of_one_segment::<elf::FileHeader64<Endianness>>(&file),
        other => panic!("{other:?}"),
    }
}

fn is_static_of_one_segment<Header: FileHeader<Endian = Endianness>>(file: &[u8]) {
    let header = Header::parse(file).unwrap();
    let endian = header.endian().unwrap();
    assert_eq!(header.e_type(endian), elf::ET_EXEC);
    // No PT_INTERP, no PT_DYNAMIC, no PT_TLS; a stack that is not executable.
    let headers = header.program_headers(endian, file).unwrap();
    let headers = headers
        .iter()
        .map(|header| (header.p_type(endian), header.p_flags(endian)));
    let read_execute = elf::PF_R | elf::PF_X;
    let stack = (elf::PT_GNU_STACK, elf::PF_R | elf::PF_W);
    assert_eq!(
        headers.collect::<Vec<_>>(),
        [(elf::PT_LOAD, read_execute), stack]
    );
    let sections = header.sections(endian, file).unwrap();
    for section in sections.iter() {
        let kind = section.sh_type(endian);
        assert!(
            ![
                elf::SHT_REL,
                elf::SHT_RELA,
                elf::SHT_DYNAMIC,
                elf::SHT_NOBITS
            ]
            .contains(&kind)
        );
        let both = u64::from(elf::SHF_WRITE | elf::SHF_EXECINSTR);
        assert_ne!(section.sh_flags(endian).into() & both, both);
    }
}

#[test]
fn nothing_in_it_can_panic() {
    let file = variant(&root(), "-Cstrip=none");
    let elf = ElfFile64::<Endianness>::parse(&*file).unwrap();
    let symbols: Vec<_> = elf
        .symbols()
        .filter_map(|symbol| symbol.name().ok())
        .collect();
    // The file has symbols, so a panic's would be there too.
    assert!(symbols.contains(&"_start"));
    assert!(
        symbols.iter().any(|name| name.contains("exec")),
        "{symbols:#?}"
    );
    let panics = |name: &&&str| name.contains("panic") || name.contains("rust_begin_unwind");
    assert_eq!(symbols.iter().find(panics), None);
    let words = text(&file);
    for phrase in [
        "panicked at",
        "index out of bounds",
        "attempt to ",
        "called `Option::unwrap",
    ] {
        assert!(!words.contains(phrase), "{phrase}");
    }
}

#[test]
fn the_check_for_panics_finds_a_panic() {
    // The check above, on the same program with a possible panic.
    let dir = TempDir::new();
    let tree = copy_sources(&dir, "tree");
    let main = tree.join("src/main.rs");
    let source = fs::read_to_string(&main).unwrap();
    let place = "let mut request = Request::LAUNCH;";
    let panic = format!("{place}\n    if stack.args().count() == 99 {{\n        panic!();\n    }}");
    let source = source.replacen(place, &panic, 1);
    assert!(source.contains("panic!()"));
    fs::write(&main, source).unwrap();
    let file = variant(&tree, "-Cstrip=none");
    let elf = ElfFile64::<Endianness>::parse(&*file).unwrap();
    let mut names = elf.symbols().filter_map(|symbol| symbol.name().ok());
    assert!(names.any(|name| name.contains("panic")));
}

/// Copies the sources, without build output, to another directory.
fn copy_sources(dir: &TempDir, name: &str) -> PathBuf {
    let tree = dir.dir(name);
    for part in ["Cargo.toml", "Cargo.lock", "build.rs", "src", "benches"] {
        let from = Path::new(env!("CARGO_MANIFEST_DIR")).join(part);
        run(Command::new("cp").arg("-r").arg(from).arg(&tree));
    }
    // Cargo needs the members of the workspace.
    for member in ["spawner/rust", "spawner/examples/rust"] {
        let from = Path::new(env!("CARGO_MANIFEST_DIR")).join(member);
        let to = tree.join(member);
        dir.dir(&format!("{name}/{member}"));
        run(Command::new("cp").arg("-rT").arg(from).arg(to));
    }
    tree
}

#[test]
fn two_build_directories_give_the_same_bytes() {
    let dir = TempDir::new();
    let tree = copy_sources(&dir, "some/other-place");
    let other = fs::read(build(&tree, &tree.join("target"), &[])).unwrap();
    let one = fs::read(release()).unwrap();
    assert!(one == other, "{} and {} bytes", one.len(), other.len());
}

#[test]
fn it_links_with_gnu_ld_and_with_mold() {
    // scripts/build-binary links with LLD.
    for (linker, tool_name) in [("bfd", "ld.bfd"), ("mold", "mold")] {
        tool(tool_name);
        let flags = format!("build.rustflags=['-Clink-arg=-fuse-ld={linker}']");
        let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join(linker);
        let program = build(&root(), &target, &["--config", &flags]);
        let score = run(Command::new(program).args(["cat", "/proc/self/oom_score_adj"]));
        assert_eq!(score, "1000\n", "{linker}");
    }
}

#[test]
fn cargo_install_installs_a_program_that_works() {
    let dir = TempDir::new();
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args([
        "install",
        "--locked",
        "--quiet",
        "--path",
        env!("CARGO_MANIFEST_DIR"),
        "--root",
    ]);
    cargo.arg(dir.path()).env(
        "CARGO_TARGET_DIR",
        Path::new(env!("CARGO_TARGET_TMPDIR")).join("install"),
    );
    run(&mut cargo);
    let installed = dir.join("bin/oomexec");
    let score = run(Command::new(&installed).args(["cat", "/proc/self/oom_score_adj"]));
    assert_eq!(score, "1000\n");
    let size = fs::metadata(installed).unwrap().len() as usize;
    assert!(size <= SIZE_MAX, "{size} bytes");
}

/// Returns a launch of a static program by oomexec with this argv\[0\].
fn launch(argv0: &str) -> Command {
    let mut command = Command::new(release());
    command.arg0(argv0).arg("--").arg(program("true"));
    command.env_clear().envs(VARIABLES);
    command
}

#[test]
fn a_launch_is_three_system_calls() {
    for argv0 in ["oomexec", "/usr/local/bin/oomexec"] {
        assert_eq!(trace::system_calls(launch(argv0)), 3, "{argv0}");
    }
}

#[test]
fn a_launch_is_few_instructions_however_long_the_path_that_it_is_invoked_by() {
    let count = |argv0: &str| trace::instructions(launch(argv0));
    let short = count("/oomexec");
    if cfg!(target_arch = "x86_64") {
        assert!(short <= INSTRUCTIONS_MAX, "{short}");
        assert!(count("oomexec") <= INSTRUCTIONS_MAX);
    }
    for name in ["oomexec", "other"] {
        let [short, long] = [10, 4000].map(|len| count(&format!("/{}/{name}", "d".repeat(len))));
        assert_eq!(short, long, "{name}");
    }
}

/// Runs a process; returns the number of its page faults.
fn faults(mut command: Command) -> libc::c_long {
    let pid = command.spawn().expect("spawned").id() as libc::pid_t;
    // SAFETY: the call fills in two variables of this function's own.
    unsafe {
        let mut usage = std::mem::zeroed::<libc::rusage>();
        let mut status = 0;
        assert_eq!(libc::wait4(pid, &mut status, 0, &mut usage), pid);
        assert_eq!(status, 0);
        usage.ru_minflt
    }
}

#[test]
fn a_launch_adds_two_page_faults_at_most() {
    let direct = || {
        let mut command = Command::new(program("true"));
        command.env_clear().envs(VARIABLES);
        command
    };
    // A random stack address can cost one fault more or less.
    // SAFETY: the call takes a number, and affects this thread and its children.
    unsafe { libc::personality(libc::ADDR_NO_RANDOMIZE as libc::c_ulong) };
    let median = |launch: &dyn Fn() -> Command| {
        let mut faults: Vec<_> = (0..101).map(|_| faults(launch())).collect();
        faults.sort_unstable();
        faults[50]
    };
    let added = median(&|| launch("oomexec")) - median(&direct);
    assert!(added <= FAULTS_MAX, "{added}");
}

#[test]
fn a_search_runs_in_16_kib_of_stack_as_env_does() {
    let dir = TempDir::new();
    dir.copy(program("show"), "good/cmd");
    dir.file("lacking/cmd", "#!/nonexistent/sh\n", 0o755);
    dir.file("script/cmd", ":\n", 0o755);
    let little = |launcher: &Path, path: &[&[u8]]| {
        let launch = Launch::through(launcher, ["cmd"]);
        let launch = launch.path(path).dir(dir.path()).prepare(|| {
            let size = 16 * 1024;
            let limit = libc::rlimit {
                rlim_cur: size,
                rlim_max: size,
            };
            // SAFETY: the limit is this function's own.
            testenv::check(unsafe { libc::setrlimit(libc::RLIMIT_STACK, &limit) })
        });
        launch.output()
    };
    let (env, oomexec) = (tool("env"), release());
    let path: &[&[u8]] = &[b"nonexistent", b"good"];
    // Where the kernel puts the stack is random, and takes up to half of it.
    for _ in 0..50 {
        assert_eq!(little(&env, path).status.code(), Some(0));
        assert_eq!(shown(&little(oomexec, path)).file, "good/cmd");
        assert_eq!(little(oomexec, &[b"script"]).status.code(), Some(0));
        // A failed search and its message need no more.
        let line = "oomexec: cannot run 'cmd': No such file or directory";
        failed(&little(oomexec, &[b"nonexistent"]), 127, line);
        let line = "oomexec: cannot run 'cmd': its interpreter '/nonexistent/sh' does not exist";
        failed(&little(oomexec, &[b"lacking"]), 127, line);
    }
}
