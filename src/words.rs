//! Every message of oomexec: one list, in the words that people read.
//!
//! build.rs packs it ([`crate::packed`]); a message is known by its place in the
//! list. In a message the [`MARKS`] stand for what is put in, and a tab for spaces
//! up to the next column of `--check`.

/// In a message, and in a packed one.
pub const MARKS: [(&str, u8); 5] = [
    ("%n", NAME),
    ("%t", TEXT),
    ("%a", FIRST),
    ("%b", SECOND),
    ("%e", ERRNO),
];

/// A name, in quotes and without control characters.
pub const NAME: u8 = 1;
/// A name as it is.
pub const TEXT: u8 = 2;
/// The first number.
pub const FIRST: u8 = 3;
/// The second number.
pub const SECOND: u8 = 4;
/// The words of the errno that is the first number.
pub const ERRNO: u8 = 5;

/// In a packed message, the first byte that stands for two others.
pub const PAIR: u8 = 128;

/// What `--help` prints.
pub const HELP: &str = "\
Usage: oomexec [-n SCORE] [-a NAME] [--pin] [--] COMMAND [ARG]...
       oomexec -p PID [-n SCORE] | --check [PID] | -h | -V

Run COMMAND as the first that the kernel kills when memory runs out.

  -n, --adjust SCORE  its oom_score_adj, -1000 to 1000 (default 1000)
  -a, --argv0 NAME    its argv[0]
      --pin           hold the score of programs that set their own: browsers
  -p, --pid PID       print the score of PID (self: its own); set it with -n
      --check         tell whether the server, PID or the parent, would survive
  -h, --help          print this
  -V, --version       print the version

COMMAND runs all the same where the score cannot be written, and with the score
as it is where OPENCLAW_CHILD_OOM_SCORE_ADJ is 0, false, no or off.

Exit status: that of COMMAND; 125 oomexec itself failed, 126 COMMAND cannot be
run, 127 it was not found. Of --check: 0 yes, 1 no, 125 not known.
";

/// What `--version` prints.
pub const VERSION: &str = concat!("oomexec ", env!("CARGO_PKG_VERSION"), "\n");

macro_rules! messages {
    ($($(#[$doc:meta])* $name:ident = $text:expr;)*) => {
        /// A message, by its place in the list.
        #[derive(Debug, PartialEq, Eq, Clone, Copy)]
        #[repr(u8)]
        #[allow(missing_docs)] // the words are beside each
        pub enum Message { $($(#[$doc])* $name,)* }

        impl Message {
            /// Every one, in the order of the list.
            pub const ALL: &[Self] = &[$(Self::$name,)*];
        }

        /// The messages in their order.
        pub const MESSAGES: &[&str] = &[$($text,)*];
    };
}

messages! {
    Help = HELP;
    Version = VERSION;

    // Before any complaint, and behind that of a command line.
    Oomexec = "oomexec: ";
    Usage = "; usage: oomexec [-n SCORE] [-a NAME] [--pin] [--] COMMAND [ARG]... \
             | -p PID [-n SCORE] | --check [PID] | -h | -V";

    // A command line that means nothing.
    NoCommand = "no COMMAND to run";
    UnknownOption = "unknown option %n";
    NoValue = "%n needs a value";
    UnwantedValue = "%n: the option takes no value";
    BadScore = "bad SCORE %n (-1000 to 1000)";
    BadPid = "bad PID %n (a process id; for --pid also self)";
    PidAnd = "--pid takes nothing but --adjust";
    CheckAnd = "--check takes nothing but a PID";

    // Under the name of a shell.
    NotAShell = "not a shell: it runs the oom_score_adj shim alone";

    // A command that cannot be run.
    CannotRun = "cannot run %n: ";
    JustErrno = "%e";
    NoInterpreter = "its interpreter %n does not exist";
    NoLoader = "its ELF loader %n does not exist";
    Incomplete = "the file is there, but its interpreter or ELF loader cannot be reached";
    Aarch64 = "it was built for another machine (aarch64)";
    Arm = "it was built for another machine (arm)";
    I386 = "it was built for another machine (i386)";
    Ppc64 = "it was built for another machine (ppc64)";
    Riscv = "it was built for another machine (riscv)";
    S390x = "it was built for another machine (s390x)";
    X86 = "it was built for another machine (x86_64)";
    UnknownMachine = "it was built for another machine, or is damaged";
    NoShell = "the script has no interpreter line and there is no shell to run it (/bin/sh)";
    ShellFailed = "the script has no interpreter line and /bin/sh cannot run it: %e";

    // A request that could not be met.
    CannotRead = "cannot read the oom_score_adj of process ";
    CannotSet = "cannot set the oom_score_adj of process ";
    Own = "self";
    Number = "%a";
    AndErrno = ": %e";
    NotMounted = ": /proc is not mounted here";
    NoProcess = ": there is no such process";
    NotBelow = ": to go below the lowest score it may take needs CAP_SYS_RESOURCE";
    CannotPrint = "cannot write to stdout: %e";
    Nothing = "";

    // Paths.
    OwnFile = "/proc/self/%t";
    ProcessFile = "/proc/%a/%t";

    // What --check finds.
    Ok = "ok\t";
    Note = "note\t";
    Fail = "FAIL\t";
    Raise = "raise\t%a, then %b";
    RaiseInVain = "raise\t%a, then %b: the write has no effect";
    NoRaise = "raise\tcannot write '/proc/self/oom_score_adj': %e";
    OptedOut = "raise\tOPENCLAW_CHILD_OOM_SCORE_ADJ turns it off";
    MountNamespace = " (mount the /proc of this pid namespace)";
    MountWritable = " (mount /proc read-write)";
    InstallReadable = " (install oomexec with mode 0755)";
    SecurityModule = " (Landlock, AppArmor, SELinux)";
    OpenFiles = " (limit of open files)";
    Seccomp = " (seccomp)";
    Floor = "floor\tcan be lowered to %a again; --pin holds programs that do";
    FloorFixed = "floor\tcannot be lowered again";
    FloorMoved = "floor\t1000 for a child without CAP_SYS_RESOURCE";
    Pin = "pin\tLandlock ABI %a";
    PinTooOld = "pin\tLandlock ABI %a; it needs %b (Linux 6.2)";
    NoPin = "pin\tno Landlock: %e";
    NewerKernel = " (Linux 6.2 has it; or seccomp)";
    BootParameter = " (add landlock to the kernel's lsm=)";
    Gateway = "gateway\tprocess %a %n at %b";
    BiasLeft = ": %a per mille of the limit left as bias, start it lower";
    Limit = "memory limit\t%n: %a MiB of %b MiB";
    NoLimit = "memory limit\tnone but the host's memory: %a MiB";
    GroupKill = "group kill\t%n is 1: all in it dies together \
                 (Kubernetes: singleProcessOOMKill, systemd: OOMPolicy=continue)";
    NoGroupKill = "group kill\tno";
    Kills = "kills so far\t%n: %a";
    Sysctl = "sysctl\t%n is %a: set it to 0";
    Shell = "fallback\t/bin/sh";
    NoFallback = "fallback\tno /bin/sh";
    OfGateway = "gateway";
    OfLimit = "memory limit";
    OfGroupKill = "group kill";
    OfKills = "kills so far";
    OfSysctl = "sysctl";
    Unread = "\tcannot read %n: %e";
    NoCgroup = "\tno memory cgroup in %n";

    // The words of glibc's strerror(3).
    Errno = "errno %a";
    Eperm = "Operation not permitted";
    Enoent = "No such file or directory";
    Esrch = "No such process";
    Eio = "Input/output error";
    E2big = "Argument list too long";
    Enoexec = "Exec format error";
    Ebadf = "Bad file descriptor";
    Eagain = "Resource temporarily unavailable";
    Enomem = "Cannot allocate memory";
    Eacces = "Permission denied";
    Enotdir = "Not a directory";
    Eisdir = "Is a directory";
    Einval = "Invalid argument";
    Enfile = "Too many open files in system";
    Emfile = "Too many open files";
    Etxtbsy = "Text file busy";
    Enospc = "No space left on device";
    Erofs = "Read-only file system";
    Epipe = "Broken pipe";
    Enametoolong = "File name too long";
    Enosys = "Function not implemented";
    Eloop = "Too many levels of symbolic links";
    Elibbad = "Accessing a corrupted shared library";
    Eopnotsupp = "Operation not supported";
}
