//! The files of a case: their content, and what execve(2) does with it.

use std::ffi::c_int;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use libc::{EACCES, EIO, ELIBBAD, ELOOP, ENOENT, ENOEXEC, ENOTDIR};
use oomexec::exec::reason::{Need, Path as NeededPath, Reason};
use oomexec::sys::Errno;

use crate::random::Random;
use crate::testenv::{TempDir, oomexec, program};

/// The content of a file.
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
    /// A script whose interpreter line is empty.
    UnnamedInterpreter,
    /// A script whose interpreter line is longer than the kernel reads.
    LongInterpreter,
    Empty,
    // Scripts whose interpreter does not exist.
    MissingInterpreter,
    DosInterpreter,
    InterpreterUnderFile,
    // Scripts whose interpreter cannot be run.
    DirectoryInterpreter,
    PlainInterpreter,
    LoopInterpreter,
    /// A program for a machine that oomexec knows by name.
    OtherMachine,
    /// The same with the other byte order.
    OtherOrder,
    /// A program for a machine that nobody knows.
    UnknownMachine,
    /// Only the magic number of a program.
    OnlyMagic,
    /// Only the ELF header of a program.
    OnlyHeader,
    /// A program whose loader name lacks its NUL.
    UnendedLoader,
    /// A program that ends before its loader name does.
    CutLoader,
    /// A program whose loader does not exist.
    MissingLoader,
    // Programs whose loader cannot be run.
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

    /// Returns a random content, often one that can be run.
    pub fn random(random: &mut Random) -> Self {
        let count = if random.one_in(2) {
            RUNNING
        } else {
            Self::ALL.len()
        };
        Self::ALL[random.below(count)]
    }

    /// Returns the errno of execve(2) for a file that cannot be run.
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

    /// Returns the reason for a missing part after execve(2) failed with `errno`.
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

/// The number of contents at the start of [`Content::ALL`] that can be run.
pub const RUNNING: usize = 8;

/// The body of every script: it prints all that it gets.
pub const BODY: &str = r#"
read score </proc/self/oom_score_adj
printf '%s\n' "score $score" "script $0"
for arg do printf 'arg %s\n' "$arg"; done
/bin/cat /proc/$$/environ
exit 7
"#;
pub const BODY_STATUS: i32 = 7;

/// A path that does not exist, and a path below a file.
pub const MISSING: &str = "/nonexistent/needed";
pub const UNDER_FILE: &str = "/proc/version/needed";

/// The number of bytes that the kernel reads first (`BINPRM_BUF_SIZE`,
/// linux/binfmts.h).
pub const HEAD_MAX: usize = 256;

/// Executable by all, by nobody, by the owner, by others who may not read; no rights.
pub const MODES: [u32; 5] = [0o755, 0o644, 0o700, 0o711, 0];

pub fn mode(random: &mut Random) -> u32 {
    match random.below(12) {
        0..8 => MODES[0],
        index => MODES[index - 7],
    }
}

/// The number and the name of machines other than this one.
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
    /// Returns the class and the machine of oomexec itself.
    pub fn native() -> Self {
        let own = fs::read(oomexec()).expect("oomexec");
        Self {
            wide: own[4] == 2,
            machine: u16::from_ne_bytes([own[18], own[19]]),
        }
    }

    /// Returns the same for another machine.
    pub fn of(self, machine: u16) -> Self {
        Self { machine, ..self }
    }

    /// Returns an ELF header that announces one program header.
    pub fn header(&self) -> Vec<u8> {
        let data = if cfg!(target_endian = "little") { 1 } else { 2 };
        // A nonzero byte of padding keeps emulators (binfmt_misc) from taking the
        // file; the kernel itself ignores it.
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

    /// Returns the same with the other byte order in the fields that are read.
    pub fn other_order(&self) -> Vec<u8> {
        let mut header = self.header();
        header[5] = 3 - header[5];
        header[18..20].reverse();
        header
    }

    /// Returns a file that names its loader.
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

    /// Encodes numbers in the word size of the class.
    pub fn words(&self, numbers: &[u32]) -> Vec<u8> {
        let word = |number: &u32| match self.wide {
            true => u64::from(*number).to_ne_bytes().to_vec(),
            false => number.to_ne_bytes().to_vec(),
        };
        numbers.iter().flat_map(word).collect()
    }
}

/// The files that the cases link to, and the launchers, readable by every user.
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
        let oomexec = dir.copy(oomexec(), "oomexec");
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
