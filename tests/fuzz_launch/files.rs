//! The files of a case: what is in them, and what execve(2) makes of that.

use std::ffi::c_int;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use libc::{EACCES, EIO, ELIBBAD, ELOOP, ENOENT, ENOEXEC, ENOTDIR};
use oomexec::exec::reason::{Need, Path as NeededPath, Reason};
use oomexec::sys::Errno;

use crate::random::Random;
use crate::testenv::{OOMEXEC, TempDir, program};

/// What is in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content {
    /// `tests/programs/show_env.c`.
    Program,
    /// A script for that program.
    ShowScript,
    /// A script for the shell.
    ShellScript,
    /// A script for whatever is at [`TOOL`].
    ToolScript,
    /// A script without an interpreter line.
    Text,
    /// One whose line names none.
    UnnamedInterpreter,
    /// One whose line is longer than the kernel reads.
    LongInterpreter,
    Empty,
    /// Scripts whose interpreter is not there,
    MissingInterpreter,
    DosInterpreter,
    InterpreterUnderFile,
    /// or cannot be run.
    DirectoryInterpreter,
    PlainInterpreter,
    LoopInterpreter,
    /// Programs for a machine known by name,
    OtherMachine,
    /// with the other byte order,
    OtherOrder,
    /// and for one that nobody knows.
    UnknownMachine,
    /// Programs for this machine: nothing but the magic number,
    OnlyMagic,
    /// the header without what it leads to,
    OnlyHeader,
    /// a loader's name without its NUL,
    UnendedLoader,
    /// or behind the end of the file.
    CutLoader,
    /// Programs whose loader is not there,
    MissingLoader,
    /// or is none.
    DirectoryLoader,
    TextLoader,
}

impl Content {
    pub const ALL: [Self; 24] = [
        Self::Program,
        Self::ShowScript,
        Self::ShellScript,
        Self::ToolScript,
        Self::Text,
        Self::UnnamedInterpreter,
        Self::LongInterpreter,
        Self::Empty,
        Self::MissingInterpreter,
        Self::DosInterpreter,
        Self::InterpreterUnderFile,
        Self::DirectoryInterpreter,
        Self::PlainInterpreter,
        Self::LoopInterpreter,
        Self::OtherMachine,
        Self::OtherOrder,
        Self::UnknownMachine,
        Self::OnlyMagic,
        Self::OnlyHeader,
        Self::UnendedLoader,
        Self::CutLoader,
        Self::MissingLoader,
        Self::DirectoryLoader,
        Self::TextLoader,
    ];

    /// Often one of the first, which can be run.
    pub fn random(random: &mut Random) -> Self {
        let count = if random.one_in(2) {
            RUNNING
        } else {
            Self::ALL.len()
        };
        Self::ALL[random.below(count)]
    }

    /// What execve(2) says of a file that cannot be run.
    pub fn errno(self) -> c_int {
        match self {
            Self::MissingInterpreter | Self::DosInterpreter | Self::MissingLoader => ENOENT,
            Self::InterpreterUnderFile => ENOTDIR,
            Self::DirectoryInterpreter | Self::PlainInterpreter | Self::DirectoryLoader => EACCES,
            Self::LoopInterpreter => ELOOP,
            Self::CutLoader => EIO,
            Self::TextLoader => ELIBBAD,
            _ => ENOEXEC,
        }
    }

    /// What is said of one of which something is missing, where execve(2) said `errno`.
    pub fn lacks(self, errno: c_int) -> Reason {
        let missing = |need, path: &str, errno| {
            Reason::Missing(need, NeededPath::new(path.as_bytes()), Errno(errno))
        };
        match self {
            Self::MissingInterpreter => missing(Need::Interpreter, MISSING, ENOENT),
            Self::DosInterpreter => missing(Need::Interpreter, "/bin/sh\r", ENOENT),
            Self::InterpreterUnderFile => missing(Need::Interpreter, UNDER_FILE, ENOTDIR),
            Self::MissingLoader => missing(Need::Loader, MISSING, ENOENT),
            _ => Reason::Unreachable(Errno(errno)),
        }
    }

    pub fn is_elf(self) -> bool {
        use Content::*;
        matches!(
            self,
            OtherMachine | OtherOrder | UnknownMachine | OnlyMagic | OnlyHeader | UnendedLoader
        )
    }

    pub fn bytes(self, dir: &Path, show: &Path) -> Vec<u8> {
        let script = |line: &str| [line, BODY].concat().into_bytes();
        let path = |name: &str| dir.join(name).to_str().expect("UTF-8").to_owned();
        let loader = |name: &str| Elf::native().with_loader(&format!("{name}\0"));
        match self {
            Self::Program => fs::read(show).expect("the program"),
            Self::ShowScript => script(&format!("#!{} -x y", show.display())),
            Self::ShellScript => script("#!/bin/sh"),
            Self::ToolScript => script("#!tool"),
            Self::Text => script(""),
            Self::UnnamedInterpreter => script("#! \t"),
            Self::LongInterpreter => script(&format!("#!/{}", "i".repeat(HEAD_MAX))),
            Self::Empty => Vec::new(),
            Self::MissingInterpreter => script(&format!("#! {MISSING} x")),
            Self::DosInterpreter => script("#!/bin/sh\r"),
            Self::InterpreterUnderFile => script(&format!("#!{UNDER_FILE}")),
            Self::DirectoryInterpreter => script("#!/proc"),
            Self::PlainInterpreter => script("#!/proc/version"),
            Self::LoopInterpreter => script(&format!("#!{}", path(LOOP))),
            Self::OtherMachine => Elf::native().of(OTHER_MACHINE.0).header(),
            Self::OtherOrder => Elf::native().of(OTHER_ORDER.0).other_order(),
            Self::UnknownMachine => Elf::native().of(0xfefe).header(),
            Self::OnlyMagic => Elf::native().header()[..4].into(),
            Self::OnlyHeader => Elf::native().header(),
            Self::UnendedLoader => Elf::native().with_loader(MISSING),
            Self::CutLoader => {
                let whole = loader(MISSING);
                whole[..whole.len() - MISSING.len()].into()
            }
            Self::MissingLoader => loader(MISSING),
            Self::DirectoryLoader => loader("/proc"),
            Self::TextLoader => loader(&path(&stock_name(Self::Text, 0o755))),
        }
    }
}

/// How many of [`Content::ALL`], from the first, can be run.
pub const RUNNING: usize = 8;

/// What every script does, whatever its first line: says what it knows.
pub const BODY: &str = r#"
read score </proc/self/oom_score_adj
printf '%s\n' "score $score" "script $0"
for arg do printf 'arg %s\n' "$arg"; done
/bin/cat /proc/$$/environ
exit 7
"#;
pub const BODY_STATUS: i32 = 7;

/// What is not there; and where a file is on the way.
pub const MISSING: &str = "/nonexistent/needed";
pub const UNDER_FILE: &str = "/proc/version/needed";

/// How much of a file the kernel reads first (`BINPRM_BUF_SIZE`,
/// linux/binfmts.h).
pub const HEAD_MAX: usize = 256;

/// For everybody; not to be run; for the owner; for others to run but not to read;
/// nothing.
pub const MODES: [u32; 5] = [0o755, 0o644, 0o700, 0o711, 0];

pub fn mode(random: &mut Random) -> u32 {
    match random.below(12) {
        0..8 => MODES[0],
        index => MODES[index - 7],
    }
}

/// Machines that this is not: the number and the name.
pub const OTHER_MACHINE: (u16, &str) = if cfg!(target_arch = "aarch64") {
    (libc::EM_X86_64, "x86_64")
} else {
    (libc::EM_AARCH64, "aarch64")
};
pub const OTHER_ORDER: (u16, &str) = (libc::EM_PPC64, "ppc64");

/// The parts of a small ELF file (elf(5)).
pub struct Elf {
    pub wide: bool,
    pub machine: u16,
}

impl Elf {
    /// Of the class and for the machine that oomexec was built for.
    pub fn native() -> Self {
        let own = fs::read(OOMEXEC).expect("oomexec");
        Self {
            wide: own[4] == 2,
            machine: u16::from_ne_bytes([own[18], own[19]]),
        }
    }

    /// The same for another machine.
    pub fn of(self, machine: u16) -> Self {
        Self { machine, ..self }
    }

    /// An ELF header that says that one program header follows.
    pub fn header(&self) -> Vec<u8> {
        let data = if cfg!(target_endian = "little") { 1 } else { 2 };
        // No emulator that the kernel may know takes a file with a byte of padding
        // that is not zero; the kernel itself does not look at it.
        let padding = [0, 0, 1, 0, 0, 0, 0, 0, 0];
        let mut header = b"\x7fELF".to_vec();
        header.extend([1 + u8::from(self.wide), data, 1]);
        header.extend(padding);
        let (size, entry) = if self.wide { (64, 56) } else { (52, 32) };
        header.extend([2_u16, self.machine].map(u16::to_ne_bytes).concat()); // ET_EXEC
        header.extend(1_u32.to_ne_bytes());
        header.extend(self.words(&[0, size, 0]));
        header.extend(0_u32.to_ne_bytes());
        header.extend(
            [size as u16, entry, 1, 0, 0, 0]
                .map(u16::to_ne_bytes)
                .concat(),
        );
        header
    }

    /// The same with the other byte order, as far as anybody reads it.
    pub fn other_order(&self) -> Vec<u8> {
        let mut header = self.header();
        header[5] = 3 - header[5];
        header[18..20].reverse();
        header
    }

    /// A file that names its loader.
    pub fn with_loader(&self, name: &str) -> Vec<u8> {
        let mut file = self.header();
        let length = name.len() as u32;
        let at = file.len() as u32 + if self.wide { 56 } else { 32 };
        file.extend(libc::PT_INTERP.to_ne_bytes());
        let flags = 4_u32.to_ne_bytes();
        let words = self.words(&[at, 0, 0, length, length]);
        let parts = if self.wide {
            [&flags[..], &words]
        } else {
            [&words[..], &flags]
        };
        file.extend(parts.concat());
        file.extend(self.words(&[1]));
        file.extend(name.as_bytes());
        file
    }

    /// Numbers of the width that the class has.
    pub fn words(&self, numbers: &[u32]) -> Vec<u8> {
        let word = |number: &u32| match self.wide {
            true => u64::from(*number).to_ne_bytes().to_vec(),
            false => number.to_ne_bytes().to_vec(),
        };
        numbers.iter().flat_map(word).collect()
    }
}

/// The files that the cases link to, and the launchers, where every user can
/// reach them.
pub struct Stock {
    pub dir: TempDir,
    pub execvp: PathBuf,
    pub oomexec: PathBuf,
    pub show: PathBuf,
}

/// A symbolic link to itself, in the stock.
pub const LOOP: &str = "loop";

impl Stock {
    pub fn new() -> Self {
        let dir = TempDir::new();
        let show = dir.copy(program("show_env"), "show_env");
        for content in Content::ALL {
            let bytes = content.bytes(dir.path(), &show);
            for mode in MODES {
                dir.file(&stock_name(content, mode), &bytes, mode);
            }
        }
        symlink(LOOP, dir.join(LOOP)).expect("a new link");
        let execvp = dir.copy(program("execvp"), "execvp");
        let oomexec = dir.copy(OOMEXEC, "oomexec");
        Self {
            dir,
            execvp,
            oomexec,
            show,
        }
    }

    pub fn file(&self, content: Content, mode: u32) -> PathBuf {
        self.dir.join(stock_name(content, mode))
    }
}

pub fn stock_name(content: Content, mode: u32) -> String {
    format!("{content:?}-{mode:o}")
}
