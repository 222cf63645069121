//! What is really missing, or wrong, when execve(2) refuses a file that is
//! there: the commonest confusion on images without a shell or a libc.

use core::ffi::c_int;

use libc::{EACCES, ENOENT, ENOTDIR};
use oomexec::binfmt::{Format, HEAD_MAX, PROGRAM_HEADER_MAX, format};
use oomexec::buffer::Buffer;
use oomexec::c_text::CText;
use oomexec::reason::Reason;
use oomexec::words::Message;
use rustix::fs::OFlags;

use crate::kernel::{self, File};

/// The name, and its NUL, of what a file needs to be run.
pub type Needed = Buffer;

/// How a file is opened to look into it. Without O_NONBLOCK a FIFO that came in
/// its place meanwhile would hold this program up for ever.
const READ: OFlags = OFlags::RDONLY.union(OFlags::NONBLOCK);

/// How often the kernel follows from a file to its interpreter (`exec_binprm`,
/// fs/exec.c).
const DEPTH: usize = 5;

/// Why execve(2) said `errno`, ENOENT or ENOTDIR, of `file`: just that, if the
/// file itself is not there.
pub fn missing<'a>(file: CText<'_>, errno: c_int, needed: &'a mut Needed) -> Reason<'a> {
    let mut file = match kernel::open(file, READ) {
        Ok(file) => file,
        Err(EACCES) => return Reason::incomplete(),
        Err(_) => return Reason::errno(errno),
    };
    for _ in 0..DEPTH {
        let Some(need) = read_need(&file, needed) else {
            break;
        };
        let Some(path) = needed.as_c_text() else {
            break;
        };
        file = match kernel::open(path, READ) {
            Ok(file) => file,
            Err(ENOENT | ENOTDIR) => {
                return Reason::lacks(need, needed.as_c_text().unwrap_or(CText::EMPTY));
            }
            Err(_) => break,
        };
    }
    Reason::incomplete()
}

/// If `file`, of which execve(2) said ENOEXEC, is an ELF file: that it is for
/// another machine.
pub fn other_machine(file: CText<'_>) -> Option<Reason<'static>> {
    let file = kernel::open(file, READ).ok()?;
    let mut head = [0; HEAD_MAX];
    read_at(&file, 0, &mut head)?;
    match format(&head) {
        Format::Elf(elf) => Some(Reason::other_machine(elf.other_machine())),
        _ => None,
    }
}

/// What `file` needs to be run, if that is anything.
fn read_need(file: &File, needed: &mut Needed) -> Option<Message> {
    let mut head = [0; HEAD_MAX];
    read_at(file, 0, &mut head)?;
    let (name, need) = match format(&head) {
        Format::Script(name) => (name, Message::NoInterpreter),
        Format::Elf(elf) => {
            let mut header = [0; PROGRAM_HEADER_MAX];
            let at = elf.program_headers().find_map(|at| {
                read_at(file, at, &mut header)?;
                elf.loader(&header)
            })?;
            read_at(file, at, &mut head)?;
            (head.split(|byte| *byte == 0).next()?, Message::NoLoader)
        }
        Format::Other => return None,
    };
    needed.clear();
    (needed.extend(name) && needed.push(0)).then_some(need)
}

/// Fills `bytes` from what the file has at `offset`; leaves them as they are
/// behind its end.
#[inline(never)]
fn read_at(file: &File, offset: u64, bytes: &mut [u8]) -> Option<u32> {
    kernel::seek(file, offset).ok()?;
    kernel::read(file, bytes).ok()
}
