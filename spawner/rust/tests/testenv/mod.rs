//! Makes real files, children and cgroups for the tests.
#![allow(dead_code, reason = "each test file uses a part of it")]

use std::env;
use std::fs;
use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

mod oomexec;

pub use oomexec::oomexec;
use oomexec_spawner::{Launch, OomKills, Prepared};

/// Creates a launch that ignores an opt-out of whoever runs the tests.
pub fn launch(program: impl AsRef<std::ffi::OsStr>) -> Launch {
    let mut launch = Launch::new(program);
    launch.env("OPENCLAW_CHILD_OOM_SCORE_ADJ", "1");
    launch
}

/// Reports a test that cannot run here; fails it if CI is set.
///
/// Writes to stderr directly: the harness hides what a passing test prints.
pub fn not_tested(why: &str) {
    assert!(env::var_os("CI").is_none(), "{why}");
    let thread = thread::current();
    let test = thread.name().unwrap_or("a test");
    let _ = writeln!(io::stderr(), "NOT TESTED HERE: {test}: {why}");
}

/// Returns whether this is root, who alone can make a child of another user.
pub fn is_root(test: &str) -> bool {
    let is_root = fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0);
    if !is_root {
        not_tested(test);
    }
    is_root
}

pub fn score_of(process: impl std::fmt::Display) -> i32 {
    let score = fs::read_to_string(format!("/proc/{process}/oom_score_adj")).expect("it runs");
    score.trim().parse().expect("a number")
}

pub fn own_score() -> i32 {
    score_of("self")
}

/// A child that is killed when this is dropped.
pub struct Running {
    pub child: Child,
    stdout: BufReader<std::process::ChildStdout>,
}

impl Running {
    pub fn start(command: &mut Command) -> Self {
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("it starts");
        let stdout = BufReader::new(child.stdout.take().expect("a pipe"));
        Self { child, stdout }
    }

    pub fn line(&mut self) -> String {
        let mut line = String::new();
        self.stdout.read_line(&mut line).expect("a line");
        line.trim_end().to_owned()
    }

    pub fn send_line(&mut self) {
        let stdin = self.child.stdin.as_mut().expect("a pipe");
        stdin.write_all(b"\n").expect("it reads");
    }

    pub fn end(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.end();
    }
}

pub fn stdout_of(prepared: &Prepared) -> String {
    let output = prepared.command().output().expect("it starts");
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    String::from_utf8(output.stdout).expect("text")
}

pub struct Directory(pub PathBuf);

impl Directory {
    pub fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("oomexec-rust-{}-{count}", std::process::id());
        let base = fs::canonicalize(env::temp_dir()).expect("a directory for temporary files");
        let path = base.join(name);
        fs::create_dir(&path).expect("a new directory");
        Self(path)
    }

    /// Makes a file of a kind in ../../../cases.json.
    pub fn make(&self, path: &str, kind: &str) -> PathBuf {
        let path = self.0.join(path);
        fs::create_dir_all(path.parent().expect("it is below")).expect("a directory");
        let write = |bytes: &[u8], mode| write_executable(&path, bytes, mode);
        let patched = |patches: &[(usize, u8)]| {
            let mut program = fs::read(oomexec()).expect("oomexec is read");
            for &(offset, byte) in patches {
                program[offset] = byte;
            }
            write(&program, 0o755);
        };
        let is_little = cfg!(target_endian = "little");
        match kind {
            "executable" => write(b"#!/bin/sh\n", 0o755),
            "plain" => write(b"", 0o644),
            "directory" => fs::create_dir(&path).expect("a directory"),
            "oomexec" => patched(&[]),
            "other-machine" => {
                let machine: u16 = if cfg!(target_arch = "x86_64") {
                    183
                } else {
                    62
                };
                let [first, second] = machine.to_ne_bytes();
                patched(&[(18, first), (19, second)]);
            }
            "other-class" => patched(&[(
                4,
                if cfg!(target_pointer_width = "64") {
                    1
                } else {
                    2
                },
            )]),
            "other-order" => patched(&[(5, if is_little { 2 } else { 1 })]),
            "script" => write(b"#!/bin/sh\necho oomexec 0.1.0\n", 0o755),
            "other-program" => {
                let own = env::current_exe().expect("it runs");
                symlink(own, &path).expect("a link");
            }
            "older-oomexec" => {
                let source = concat!(env!("CARGO_MANIFEST_DIR"), "/../older-oomexec.c");
                let mut compiler = Command::new("cc");
                let made = compiler.args([source, "-o"]).arg(&path).status();
                assert!(made.is_ok_and(|made| made.success()), "cc makes {source}");
            }
            "no-interpreter" => write(b"#!/nonexistent/interpreter\n", 0o755),
            "hanging" => write(&hanging_program(), 0o755),
            _ => panic!("no such kind: {kind}"),
        }
        path
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Writes an executable file from another process.
///
/// If this process wrote it, a child that another test forks could inherit the file open for writing, and then the
/// kernel would not run it.
pub fn write_executable(path: &Path, bytes: &[u8], mode: u32) {
    let mut cat = Command::new("sh")
        .args(["-c", "cat >\"$0\" && chmod $1 \"$0\""])
        .arg(path)
        .arg(format!("{mode:o}"))
        .stdin(Stdio::piped())
        .spawn()
        .expect("sh starts");
    let mut stdin = cat.stdin.take().expect("a pipe");
    stdin.write_all(bytes).expect("it reads");
    drop(stdin);
    assert!(cat.wait().expect("it ends").success());
}

/// Returns a program that never ends: the header of the real binary, with an endless loop at the entry point.
fn hanging_program() -> Vec<u8> {
    let endless_loop: &[u8] = match env::consts::ARCH {
        "x86_64" => &[0xb8, 34, 0, 0, 0, 0x0f, 0x05, 0xeb, 0xf7], // mov eax, SYS_pause; syscall; jmp back
        "aarch64" => &[0x00, 0x00, 0x00, 0x14],                   // b .
        "riscv64" => &[0x6f, 0x00, 0x00, 0x00],                   // j .
        arch => panic!("no endless loop for {arch}"),
    };
    const BASE: u64 = 0x40_0000;
    let header = fs::read(oomexec()).expect("oomexec is read");
    let mut program = header[..64].to_vec();
    let length = 120 + endless_loop.len() as u64;
    program[16..18].copy_from_slice(&2u16.to_le_bytes()); // ET_EXEC
    program[24..32].copy_from_slice(&(BASE + 120).to_le_bytes()); // entry
    program[32..40].copy_from_slice(&64u64.to_le_bytes()); // program headers
    program[40..48].fill(0); // no sections
    program[56..58].copy_from_slice(&1u16.to_le_bytes());
    program[60..64].fill(0);
    program.extend(1u32.to_le_bytes()); // PT_LOAD
    program.extend(5u32.to_le_bytes()); // read, execute
    for field in [0, BASE, BASE, length, length, 0x1000] {
        program.extend(field.to_le_bytes());
    }
    program.extend(endless_loop);
    program
}

/// A memory cgroup below our own, or below the nearest ancestor that allows it.
///
/// On v2 a cgroup that contains processes gives its children no memory controller.
pub struct Cgroup(pub PathBuf);

impl Cgroup {
    pub fn new(limit: u64) -> Option<Self> {
        let own = OomKills::read().map(|kills| kills.file);
        let parent = own.unwrap_or_else(|| PathBuf::from("/sys/fs/cgroup/none"));
        for parent in parent.ancestors().skip(1) {
            if !parent.join("cgroup.procs").exists() {
                break;
            }
            let cgroup = parent.join(format!("oomexec-rust-{}", std::process::id()));
            if fs::create_dir(&cgroup).is_err() {
                continue;
            }
            let cgroup = Self(cgroup);
            if cgroup.set_limit(limit) {
                return Some(cgroup);
            }
        }
        None
    }

    fn set_limit(&self, limit: u64) -> bool {
        for (memory, swap, swap_limit) in [
            ("memory.max", "memory.swap.max", 0),
            (
                "memory.limit_in_bytes",
                "memory.memsw.limit_in_bytes",
                limit,
            ),
        ] {
            if self.0.join(memory).exists() {
                // Not every kernel accounts swap.
                let is_set = fs::write(self.0.join(memory), limit.to_string()).is_ok();
                let _ = fs::write(self.0.join(swap), swap_limit.to_string());
                return is_set;
            }
        }
        false
    }
}

impl Drop for Cgroup {
    fn drop(&mut self) {
        // The kernel takes a moment to release the last process.
        for _ in 0..100 {
            if fs::remove_dir(&self.0).is_ok() {
                return;
            }
            thread::sleep(Duration::from_millis(50));
        }
    }
}

/// Runs one ignored test of this program in a new process, with its own environment, directory or cgroup.
pub fn again(test: &str) -> Command {
    let mut command = Command::new(env::current_exe().expect("it runs"));
    command.args([
        "--exact",
        test,
        "--ignored",
        "--nocapture",
        "--test-threads=1",
    ]);
    command
}
