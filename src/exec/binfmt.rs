//! The format of a file, by its first bytes: enough of the kernel's binary formats to
//! say what a file needs (fs/binfmt_script.c, fs/binfmt_elf.c, elf(5)).

use libc::{EM_386, EM_AARCH64, EM_ARM, EM_PPC64, EM_RISCV, EM_S390, EM_X86_64, PT_INTERP};

/// How much of a file tells its format: all that the kernel reads of a `#!` line
/// (`BINPRM_BUF_SIZE`, linux/binfmts.h), and an ELF header several times over.
pub const HEAD_MAX: usize = 256;

/// The most bytes of a program header in either class of ELF.
pub const PROGRAM_HEADER_MAX: usize = 56;

/// `EI_CLASS` of a file with 64-bit addresses (elf(5)).
const ELFCLASS64: u8 = 2;

/// `EI_DATA` of a file in this machine's byte order (elf(5)).
const NATIVE_DATA: u8 = if cfg!(target_endian = "little") { 1 } else { 2 };

/// The format of a file.
#[derive(Debug, PartialEq, Eq)]
pub enum Format<'a> {
    /// Text with a `#!` line that names this interpreter.
    Script(&'a [u8]),
    /// A program for some machine.
    Elf(Elf),
    /// Anything else.
    Other,
}

/// The parts of an ELF header that lead to the loader's name.
#[derive(Debug, PartialEq, Eq, Clone, Copy)]
pub struct Elf {
    wide: bool,
    machine: u16,
    table: u64,
    entry_size: u16,
    entries: u16,
}

/// Returns the format of a file by its first bytes; those that a shorter file lacks
/// are zeros.
pub fn format(head: &[u8; HEAD_MAX]) -> Format<'_> {
    match head {
        [b'#', b'!', line @ ..] => interpreter(line).map_or(Format::Other, Format::Script),
        [0x7f, b'E', b'L', b'F', ..] => Format::Elf(Elf::parse(head)),
        _ => Format::Other,
    }
}

/// Returns the first word of a `#!` line, as `load_script` cuts it out.
fn interpreter(line: &[u8]) -> Option<&[u8]> {
    line.split(|byte| matches!(byte, b'\n' | b'\0'))
        .next()?
        .split(|byte| matches!(byte, b' ' | b'\t'))
        .find(|word| !word.is_empty())
}

impl Elf {
    /// Parses a header in this machine's byte order. One in the other order is that of
    /// another machine, and only its name matters.
    fn parse(head: &[u8; HEAD_MAX]) -> Self {
        let wide = head[4] == ELFCLASS64;
        let foreign = head[5] != NATIVE_DATA;
        let short = |at| u16::from_ne_bytes(bytes_at(head, at));
        let machine = short(18);
        Self {
            wide,
            machine: if foreign {
                machine.swap_bytes()
            } else {
                machine
            },
            table: address(head, wide, if wide { 32 } else { 28 }),
            entry_size: short(if wide { 54 } else { 42 }),
            entries: short(if wide { 56 } else { 44 }),
        }
    }

    /// Returns the name of the machine that the file was built for; `None` if that is
    /// this one, or has no name here.
    pub const fn other_machine(&self) -> Option<&'static str> {
        match self.machine {
            EM_386 if cfg!(not(target_arch = "x86")) => Some("i386"),
            EM_AARCH64 if cfg!(not(target_arch = "aarch64")) => Some("aarch64"),
            EM_ARM if cfg!(not(target_arch = "arm")) => Some("arm"),
            EM_PPC64 => Some("ppc64"),
            EM_RISCV if cfg!(not(target_arch = "riscv64")) => Some("riscv"),
            EM_S390 => Some("s390x"),
            EM_X86_64 if cfg!(not(target_arch = "x86_64")) => Some("x86_64"),
            _ => None,
        }
    }

    /// Returns where in the file each program header is.
    pub fn program_headers(&self) -> impl Iterator<Item = u64> {
        let (table, size) = (self.table, u64::from(self.entry_size));
        (0..u64::from(self.entries)).map(move |index| table.wrapping_add(index * size))
    }

    /// Returns where in the file the loader's name is; `None` unless `header` is the
    /// program header that says so.
    pub fn loader(&self, header: &[u8; PROGRAM_HEADER_MAX]) -> Option<u64> {
        let kind = u32::from_ne_bytes(bytes_at(header, 0));
        (kind == PT_INTERP).then(|| address(header, self.wide, if self.wide { 8 } else { 4 }))
    }
}

/// Reads an offset in the file, of the width that the ELF class has.
fn address(bytes: &[u8], wide: bool, at: usize) -> u64 {
    if wide {
        u64::from_ne_bytes(bytes_at(bytes, at))
    } else {
        u32::from_ne_bytes(bytes_at(bytes, at)).into()
    }
}

fn bytes_at<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    let bytes = bytes.get(at..).and_then(<[u8]>::first_chunk);
    bytes.copied().unwrap_or([0; N])
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::{Elf, Format, HEAD_MAX, format};
    use std::vec::Vec;

    /// The head of a file that begins so and is shorter than a head.
    fn head(bytes: &[u8]) -> [u8; HEAD_MAX] {
        let mut head = [0; HEAD_MAX];
        head[..bytes.len()].copy_from_slice(bytes);
        head
    }

    #[test]
    fn the_interpreter_of_a_script_is_the_first_word_of_its_first_line() {
        for (bytes, name) in [
            (&b"#!/bin/sh\n"[..], &b"/bin/sh"[..]),
            (b"#!/bin/sh -e\n", b"/bin/sh"),
            (b"#! \t /bin/sh\t-e\n", b"/bin/sh"),
            (b"#!/bin/sh", b"/bin/sh"),
            (b"#!/bin/sh\r\n", b"/bin/sh\r"),
            (b"#!sh\0x\n", b"sh"),
        ] {
            assert_eq!(format(&head(bytes)), Format::Script(name), "{bytes:?}");
        }
    }

    #[test]
    fn what_names_no_interpreter_and_is_no_elf_is_neither() {
        for bytes in [
            &b""[..],
            b"#",
            b"#!",
            b"#!\n",
            b"#!  \n/bin/sh",
            b"\x7f",
            b"\x7fEL",
            b"echo hi\n",
            b" #!/bin/sh\n",
        ] {
            assert_eq!(format(&head(bytes)), Format::Other, "{bytes:?}");
        }
    }

    /// A header and two program headers in this machine's byte order, as a linker
    /// writes them.
    fn elf(wide: bool, machine: u16) -> [u8; HEAD_MAX] {
        let mut file = [0; HEAD_MAX];
        let mut put = |at: usize, bytes: &[u8]| file[at..at + bytes.len()].copy_from_slice(bytes);
        let (table, size) = if wide { (64_u16, 56_u16) } else { (52, 32) };
        put(
            0,
            &[
                0x7f,
                b'E',
                b'L',
                b'F',
                1 + u8::from(wide),
                super::NATIVE_DATA,
            ],
        );
        put(18, &machine.to_ne_bytes());
        put(if wide { 32 } else { 28 }, &u32::from(table).to_ne_bytes());
        put(if wide { 54 } else { 42 }, &size.to_ne_bytes());
        put(if wide { 56 } else { 44 }, &2_u16.to_ne_bytes());
        put(table.into(), &6_u32.to_ne_bytes()); // PT_PHDR
        let second = usize::from(table + size);
        put(second, &3_u32.to_ne_bytes()); // PT_INTERP
        if wide {
            put(second + 8, &0x1_0000_0238_u64.to_ne_bytes());
        } else {
            put(second + 4, &0x154_u32.to_ne_bytes());
        }
        file
    }

    fn read(file: &[u8; HEAD_MAX]) -> Elf {
        match format(file) {
            Format::Elf(elf) => elf,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_loader_is_found_in_both_classes() {
        for (wide, loader) in [(true, 0x1_0000_0238), (false, 0x154)] {
            let file = elf(wide, 22);
            let elf = read(&file);
            let found: Vec<_> = elf
                .program_headers()
                .filter_map(|at| elf.loader(file[at as usize..].first_chunk().unwrap()))
                .collect();
            assert_eq!(found, [loader], "wide {wide}");
        }
    }

    #[test]
    fn another_machine_is_named_whatever_its_byte_order() {
        let mut file = elf(true, 22);
        assert_eq!(read(&file).other_machine(), Some("s390x"));
        file[5] = 3 - file[5];
        file[18..20].reverse();
        assert_eq!(read(&file).other_machine(), Some("s390x"));
    }

    #[test]
    #[cfg_attr(miri, ignore = "Miri's program is no ELF file")]
    fn a_program_for_this_machine_is_not_said_to_be_for_another() {
        let own = std::fs::read(std::env::current_exe().unwrap()).unwrap();
        assert_eq!(read(own.first_chunk().unwrap()).other_machine(), None);
        assert_eq!(read(&elf(true, 0xfefe)).other_machine(), None);
    }

    #[test]
    fn a_header_cut_short_leads_nowhere() {
        for length in 4..32 {
            let elf = read(&head(&elf(true, 62)[..length]));
            assert_eq!(elf.program_headers().count(), 0, "{length}");
        }
    }
}
