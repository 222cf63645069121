//! `--check`: will it work here? What it looks at; how much each finding weighs
//! and the words for it are in [`oomexec::finding`].
//!
//! It reads, and writes to its own score alone.

use core::ffi::{CStr, c_int};
use core::ops::Range;

use libc::{EINVAL, ENAMETOOLONG, ENODATA, ENOENT};
use oomexec::buffer::Buffer;
use oomexec::c_text::CText;
use oomexec::cgroup::{self, Version};
use oomexec::cli::{OWN, Pid};
use oomexec::finding::{Check, Rank};
use oomexec::message::Line;
use oomexec::number::{SCORE_MAX, SCORE_MIN, Score, parse_amount};
use oomexec::status::Status;
use oomexec::words::Message;
use rustix::fs::OFlags;

use crate::{kernel, landlock, report, score};

/// Tells whether a child would be killed before the process `gateway`: by default
/// the parent, or process 1 where that is outside of this pid namespace.
#[cold]
#[inline(never)]
pub fn check(gateway: Pid, opted_out: bool) -> Status {
    let mut check = Check::new(report::print);
    let gateway = match (gateway, kernel::parent()) {
        (OWN, 0) => 1,
        (OWN, parent) => parent,
        (gateway, _) => gateway,
    };
    // Before the raise: the gateway may be this process itself.
    let score = score::get(gateway);

    raise(&mut check, opted_out);
    check.pin(landlock::abi());
    self::gateway(&mut check, gateway, score);
    let limited = memory(&mut check);
    // 2 panics also where a cgroup's limit is met (check_panic_on_oom).
    sysctl(&mut check, limited, c"/proc/sys/vm/panic_on_oom", 1);
    let allocating = c"/proc/sys/vm/oom_kill_allocating_task";
    sysctl(&mut check, limited, allocating, u64::MAX);
    check.fallback(kernel::open(c"/bin/sh".into(), OFlags::PATH).is_ok());
    check.status()
}

fn raise(check: &mut Check, opted_out: bool) {
    if opted_out {
        check.opted_out();
    } else if let Err(errno) = raised(check) {
        check.no_raise(errno, kernel::is_dumpable());
    }
}

fn raised(check: &mut Check) -> Result<(), c_int> {
    let before = score::get(OWN)?;
    score::put(OWN, SCORE_MAX)?;
    let after = score::get(OWN)?;
    check.raise(before, after);
    if after == SCORE_MAX {
        floor(check);
    }
    Ok(())
}

/// The lowest score that can be written again, by halves.
fn floor(check: &mut Check) {
    let (mut lowest, mut writable) = (SCORE_MIN, SCORE_MAX);
    while lowest < writable {
        let middle = (lowest + writable) >> 1;
        match score::put(OWN, middle) {
            Ok(()) => writable = middle,
            Err(_) => lowest = middle + 1,
        }
    }
    // A capability of a user namespace's own does not count here, and would not
    // have come as low.
    if lowest == SCORE_MIN && kernel::has_capability(kernel::CAP_SYS_RESOURCE) {
        check.floor_moved();
    } else {
        check.floor(lowest);
    }
}

fn gateway(check: &mut Check, pid: Pid, score: Result<Score, c_int>) {
    let mut path = Line::new();
    match score {
        Ok(score) => {
            let mut name = Buffer::new();
            let _ = kernel::each_line(path.in_proc(pid, c"comm"), &mut |line| {
                name.extend(line);
            });
            name.push(0);
            let name = name.as_c_text().unwrap_or(CText::EMPTY);
            check.gateway(pid, name, score);
        }
        Err(errno) => {
            let file = path.in_proc(pid, c"oom_score_adj");
            check.unread(Rank::Unknown, Message::OfGateway, file, errno);
        }
    }
}

/// From here on a limit is none: with cgroup v1 that is the most pages that there
/// can be (`PAGE_COUNTER_MAX`, linux/page_counter.h), with v2 the word `max`.
const NO_LIMIT: u64 = if cfg!(target_pointer_width = "64") {
    (i64::MAX as u64) >> 16 << 16
} else {
    (i32::MAX as u64) << 12
};

/// Says whether there is a limit that will be met before the host's.
fn memory(check: &mut Check) -> bool {
    let mut cgroup = Cgroup {
        version: None,
        dir: Buffer::new(),
        top: 0,
        file: Buffer::new(),
    };
    if let Err(errno) = cgroup.find() {
        let file = cgroup.last();
        if cgroup.version.is_none() && errno == ENODATA {
            check.no_limit(kernel::host_memory());
            check.group_kill(None);
        } else {
            check.unread(Rank::Note, Message::OfLimit, file, errno);
            check.unread(Rank::Note, Message::OfGroupKill, file, errno);
        }
        check.unread(Rank::Note, Message::OfKills, file, errno);
        return false;
    }
    let [limit_file, used, kills] = match cgroup.version {
        Some(Version::V1) => [
            c"/memory.limit_in_bytes",
            c"/memory.usage_in_bytes",
            c"/memory.oom_control",
        ],
        _ => [c"/memory.max", c"/memory.current", c"/memory.events"],
    };

    let limit = cgroup.nearest(limit_file, 0..NO_LIMIT);
    match limit {
        Ok(Some((limit, dir))) => match amount(cgroup.file(dir, used), b"") {
            Ok(used) => check.limit(cgroup.file(dir, limit_file), used, limit),
            Err(errno) => check.unread(Rank::Note, Message::OfLimit, cgroup.last(), errno),
        },
        Ok(None) => check.no_limit(kernel::host_memory()),
        Err(errno) => check.unread(Rank::Note, Message::OfLimit, cgroup.last(), errno),
    }
    match cgroup.nearest(c"/memory.oom.group", 1..2) {
        Ok(None) => check.group_kill(None),
        Ok(Some(_)) => check.group_kill(Some(cgroup.last())),
        Err(errno) => check.unread(Rank::Unknown, Message::OfGroupKill, cgroup.last(), errno),
    }
    let file = cgroup.file(usize::MAX, kills);
    match amount(file, b"oom_kill ") {
        Ok(kills) => check.kills(file, kills),
        Err(errno) => check.unread(Rank::Note, Message::OfKills, file, errno),
    }
    matches!(limit, Ok(Some(_)))
}

/// This process's memory cgroup, and those above it as far as they can be seen.
struct Cgroup {
    /// Of the hierarchy that it is in, if it is in one.
    version: Option<Version>,
    /// Its directory, and how much of that is the topmost one: the mount point.
    dir: Buffer,
    top: usize,
    /// The file that was looked at last.
    file: Buffer,
}

impl Cgroup {
    /// Finds it; if the file that was looked at last tells. ENODATA if that says
    /// nothing of it.
    fn find(&mut self) -> Result<(), c_int> {
        let mut own = Buffer::new();
        self.file.extend(b"/proc/self/cgroup\0");
        kernel::each_line(last(&self.file), &mut |line| {
            if let (Some((version, path)), None | Some(Version::V2)) =
                (cgroup::membership(line), self.version)
            {
                self.version = Some(version);
                own.clear();
                own.extend(path);
            }
        })?;
        let version = self.version.ok_or(ENODATA)?;

        self.file.clear();
        self.file.extend(b"/proc/self/mountinfo\0");
        kernel::each_line(last(&self.file), &mut |line| {
            if self.top == 0 {
                if let Some((root, point)) = cgroup::mount(line, version) {
                    cgroup::unescape(root, &mut self.dir);
                    if let Some(rest) = cgroup::beneath(self.dir.as_bytes(), own.as_bytes()) {
                        cgroup::unescape(point, &mut self.dir);
                        self.top = self.dir.as_bytes().len();
                        self.dir.extend(rest);
                    }
                }
            }
        })?;
        if self.top == 0 {
            return Err(ENODATA);
        }
        Ok(())
    }

    /// The first number within `wanted` that a file of this name has, from the own
    /// directory upwards, and how much of that is the directory with it.
    fn nearest(&mut self, name: &CStr, wanted: Range<u64>) -> Result<Option<(u64, usize)>, c_int> {
        let mut len = self.dir.as_bytes().len();
        loop {
            match amount(self.file(len, name), b"") {
                Ok(number) if wanted.contains(&number) => return Ok(Some((number, len))),
                // Not where the controller is off, nor in the root cgroup.
                Ok(_) | Err(ENOENT) => {}
                Err(errno) => return Err(errno),
            }
            if self.file.as_c_text().is_none() {
                return Err(ENAMETOOLONG);
            }
            if len <= self.top {
                return Ok(None);
            }
            len -= 1;
            while len > self.top && self.dir.as_bytes().get(len) != Some(&b'/') {
                len -= 1;
            }
        }
    }

    /// A file in the directory that is the first `len` bytes of the own one.
    fn file(&mut self, len: usize, name: &CStr) -> CText<'_> {
        let dir = self.dir.as_bytes();
        self.file.clear();
        self.file.extend(dir.get(..len).unwrap_or(dir));
        self.file.extend(name.to_bytes_with_nul());
        self.last()
    }

    fn last(&self) -> CText<'_> {
        last(&self.file)
    }
}

fn last(file: &Buffer) -> CText<'_> {
    file.as_c_text().unwrap_or(CText::EMPTY)
}

/// A setting of the kernel's: up to `most` it does not reach a cgroup's limit.
#[inline(never)]
fn sysctl(check: &mut Check, limited: bool, file: &'static CStr, most: u64) {
    let file = file.into();
    match amount(file, b"") {
        Ok(0) => {}
        Ok(value) if limited && value <= most => check.sysctl(Rank::Note, file, value),
        Ok(value) => check.sysctl(Rank::Fail, file, value),
        Err(errno) => check.unread(Rank::Note, Message::OfSysctl, file, errno),
    }
}

/// The number behind `prefix` in the first line that has one.
#[inline(never)]
fn amount(file: CText<'_>, prefix: &[u8]) -> Result<u64, c_int> {
    let mut number = None;
    kernel::each_line(file, &mut |line| {
        if number.is_none() {
            number = line.strip_prefix(prefix).and_then(parse_amount);
        }
    })?;
    number.ok_or(EINVAL)
}
