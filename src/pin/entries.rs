//! The entries of a directory, as getdents64(2) reads them.

use crate::sys::ThinCStr;

/// Where an entry has its `d_reclen`, and where its name begins: `struct
/// linux_dirent64`, the same on every machine.
const LENGTH_AT: usize = 16;
const NAME_AT: usize = 19;

/// Returns the names in what one call has read, `.` and `..` among them.
pub fn names(mut entries: &[u8]) -> impl Iterator<Item = ThinCStr<'_>> {
    core::iter::from_fn(move || {
        let length = [*entries.get(LENGTH_AT)?, *entries.get(LENGTH_AT + 1)?];
        let (entry, rest) = entries.split_at_checked(u16::from_ne_bytes(length).into())?;
        entries = rest;
        ThinCStr::from_bytes_until_nul(entry.get(NAME_AT..)?)
    })
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::names;
    use crate::sys::ThinCStr;
    use std::ffi::CStr;
    use std::vec::Vec;

    /// Returns an entry as the kernel makes it: aligned to 8 bytes, with leftovers
    /// of memory behind the name.
    fn entry(name: &CStr) -> Vec<u8> {
        let name = name.to_bytes_with_nul();
        let length = (super::NAME_AT + name.len()).next_multiple_of(8);
        let mut entry = Vec::from([0xff; 16]);
        entry.extend((length as u16).to_ne_bytes());
        entry.push(4);
        entry.extend(name);
        entry.resize(length, b'x');
        entry
    }

    #[test]
    fn every_name_is_seen_whatever_its_length() {
        let long = std::ffi::CString::new([b'a'; 255]).unwrap();
        let all = [c".", c"..", c"proc", c"\xff", c"1234567", &long];
        let entries: Vec<u8> = all.iter().flat_map(|name| entry(name)).collect();
        assert!(names(&entries).eq(all.map(ThinCStr::from)));
        assert_eq!(names(b"").next(), None);
    }

    #[test]
    fn an_entry_that_is_cut_short_ends_the_list() {
        let whole = entry(c"etc");
        for len in 0..whole.len() {
            assert_eq!(names(&whole[..len]).next(), None, "{len}");
        }
        // A length of zero would give the same entry for ever.
        let mut entries = whole.clone();
        entries[16..18].fill(0);
        assert_eq!(names(&entries).next(), None);
    }
}
