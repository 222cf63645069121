//! The entries of a directory, as getdents64(2) reads them.

use libc::{DT_DIR, DT_LNK, DT_UNKNOWN};

use crate::sys::ThinCStr;

/// Where an entry has its `d_reclen` and its `d_type`, and where its name begins:
/// `struct linux_dirent64`, the same on every machine.
const LENGTH_AT: usize = 16;
const TYPE_AT: usize = 18;
const NAME_AT: usize = 19;

/// An entry of a directory.
#[derive(Debug, PartialEq, Eq, Clone, Copy)]
pub struct Entry<'a> {
    /// What it is, as far as the file system says.
    pub kind: Kind,
    /// Its name.
    pub name: ThinCStr<'a>,
}

/// What an entry is.
#[derive(Debug, PartialEq, Eq, Clone, Copy)]
pub enum Kind {
    /// A directory.
    Directory,
    /// A symbolic link.
    Link,
    /// Anything else.
    File,
    /// Any of these: not every file system tells.
    Unknown,
}

/// Returns the entries in what one call has read, `.` and `..` among them.
pub fn entries(mut bytes: &[u8]) -> impl Iterator<Item = Entry<'_>> {
    core::iter::from_fn(move || {
        let length = [*bytes.get(LENGTH_AT)?, *bytes.get(LENGTH_AT + 1)?];
        let (entry, rest) = bytes.split_at_checked(u16::from_ne_bytes(length).into())?;
        bytes = rest;
        let kind = match *entry.get(TYPE_AT)? {
            DT_DIR => Kind::Directory,
            DT_LNK => Kind::Link,
            DT_UNKNOWN => Kind::Unknown,
            _ => Kind::File,
        };
        let name = ThinCStr::from_bytes_until_nul(entry.get(NAME_AT..)?)?;
        Some(Entry { kind, name })
    })
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::{Entry, Kind, entries};
    use crate::sys::ThinCStr;
    use libc::{DT_BLK, DT_CHR, DT_DIR, DT_FIFO, DT_LNK, DT_REG, DT_SOCK, DT_UNKNOWN};
    use std::ffi::CStr;
    use std::vec::Vec;

    /// Returns an entry as the kernel makes it: aligned to 8 bytes, with leftovers
    /// of memory behind the name.
    fn entry(kind: u8, name: &CStr) -> Vec<u8> {
        let name = name.to_bytes_with_nul();
        let length = (super::NAME_AT + name.len()).next_multiple_of(8);
        let mut entry = Vec::from([0xff; 16]);
        entry.extend((length as u16).to_ne_bytes());
        entry.push(kind);
        entry.extend(name);
        entry.resize(length, b'x');
        entry
    }

    #[test]
    fn every_name_is_seen_whatever_its_length() {
        let long = std::ffi::CString::new([b'a'; 255]).unwrap();
        let all = [c".", c"..", c"proc", c"\xff", c"1234567", &long];
        let bytes: Vec<u8> = all.iter().flat_map(|name| entry(DT_DIR, name)).collect();
        let names = entries(&bytes).map(|entry| entry.name);
        assert!(names.eq(all.map(ThinCStr::from)));
        assert_eq!(entries(b"").next(), None);
    }

    #[test]
    fn a_directory_a_link_and_a_file_are_told_apart_where_the_file_system_tells() {
        for (kind, expected) in [
            (DT_DIR, Kind::Directory),
            (DT_LNK, Kind::Link),
            (DT_REG, Kind::File),
            (DT_FIFO, Kind::File),
            (DT_SOCK, Kind::File),
            (DT_CHR, Kind::File),
            (DT_BLK, Kind::File),
            (DT_UNKNOWN, Kind::Unknown),
        ] {
            let (kind, name) = (expected, entry(kind, c"a"));
            let expected = Entry {
                kind,
                name: c"a".into(),
            };
            assert!(entries(&name).eq([expected]), "{expected:?}");
        }
    }

    #[test]
    fn an_entry_that_is_cut_short_ends_the_list() {
        let whole = entry(DT_DIR, c"etc");
        for len in 0..whole.len() {
            assert_eq!(entries(&whole[..len]).next(), None, "{len}");
        }
        // A length of zero would give the same entry for ever.
        let mut bytes = whole.clone();
        bytes[16..18].fill(0);
        assert_eq!(entries(&bytes).next(), None);
    }
}
