//! The model: what execve(2) does with a path, and what both searches do then.

use std::ffi::c_int;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use libc::{EACCES, ELOOP, ENAMETOOLONG, ENOENT, ENOEXEC, ENOTDIR};
use oomexec::exec::reason::{Need, Path as NeededPath, Reason};
use oomexec::sys::Errno;

use crate::case::{Case, Direct, Element, Leads, Node, TOOL};
use crate::files::{BODY_STATUS, Content};
use crate::{Difference, Forecast, LOCAL, NAME_MAX, PATH_MAX, Run};

pub struct Model<'a> {
    pub case: &'a Case,
    /// The interpreter of [`Content::ShowScript`].
    pub show: &'a Path,
}

/// A path to try, the node there if it is reachable, and execve(2)'s result.
pub struct Candidate<'a> {
    pub path: Vec<u8>,
    pub node: Option<&'a Node>,
    pub verdict: Result<Run, c_int>,
}

impl Model<'_> {
    /// Predicts glibc's execvp(3) (posix/execvpe.c), and oomexec's differences.
    pub fn glibc(&self) -> (Forecast, Vec<Difference>) {
        let mut differences = Vec::new();
        let end = match &self.case.direct {
            _ if self.case.command.is_empty() => Err(ENOENT),
            Some(direct) => {
                let candidate = self.direct(direct);
                let lacks = self.lacks(&candidate).is_some();
                if lacks && !matches!(candidate.verdict, Err(ELOOP)) {
                    differences.push(Difference::Lacking);
                }
                self.glibc_tries(candidate, &mut differences)
            }
            None => self.glibc_searches(&mut differences),
        };
        let forecast = match end {
            Ok(run) => Forecast::Runs(run),
            Err(errno) => Forecast::Fails(errno),
        };
        (forecast, differences)
    }

    pub fn glibc_searches(&self, differences: &mut Vec<Difference>) -> Result<Run, c_int> {
        let path = self.case.path.clone().unwrap_or_else(|| {
            differences.push(Difference::DefaultPath);
            ["/bin", "/usr/bin"]
                .map(|text| Element::new(text, Leads::Elsewhere))
                .into()
        });
        // glibc has room for this much of PATH.
        let room = path
            .iter()
            .map(|element| element.text.len() + 1)
            .sum::<usize>();
        let room = room.min(PATH_MAX);
        let here = Element::new("", Leads::To(0));
        let (mut last, mut denied, mut lacking) = (0, false, false);
        for (index, element) in path.iter().enumerate() {
            let mut element = element;
            if element.text.len() >= room {
                differences.push(Difference::LongElement);
                if index + 1 == path.len() {
                    break;
                }
                element = &here;
            }
            let candidate = self.candidate(element, NAME_MAX + 1);
            // glibc reads a name only up to one byte more than NAME_MAX; the path may
            // not be too long then.
            let whole = self.candidate(element, usize::MAX);
            if candidate.verdict.as_ref().err() != whole.verdict.as_ref().err() {
                differences.push(Difference::GoesOn);
            }
            lacking |= self.lacks(&candidate).is_some();
            last = match self.glibc_tries(candidate, differences) {
                Err(errno @ (EACCES | ENOENT | ENOTDIR)) => errno,
                Err(errno @ (ELOOP | ENAMETOOLONG)) => {
                    differences.push(Difference::GoesOn);
                    return Err(errno);
                }
                end => return end,
            };
            denied |= last == EACCES;
        }
        if denied {
            return Err(EACCES);
        }
        if last == ENOTDIR {
            differences.push(Difference::NotFound);
        }
        if lacking {
            differences.push(Difference::Lacking);
        }
        Err(last)
    }

    /// Predicts execve(2), and the shell if the kernel knows no such format.
    pub fn glibc_tries(
        &self,
        candidate: Candidate<'_>,
        differences: &mut Vec<Difference>,
    ) -> Result<Run, c_int> {
        match candidate.verdict {
            Err(ENOEXEC) if self.is_elf(&candidate) => {
                differences.push(Difference::OtherMachine);
                Ok(Run::Anything)
            }
            Err(ENOEXEC) => {
                if is_option(&candidate.path) {
                    differences.push(Difference::Option);
                }
                Ok(self.shell(&candidate, &candidate.path))
            }
            verdict => verdict,
        }
    }

    /// Predicts what oomexec does.
    pub fn oomexec(&self) -> Forecast {
        match &self.case.direct {
            _ if self.case.command.is_empty() => just(ENOENT),
            Some(direct) => self.oomexec_ends(self.direct(direct)),
            None => self.oomexec_searches(),
        }
    }

    pub fn oomexec_searches(&self) -> Forecast {
        let path = self.case.path.clone().unwrap_or_else(|| {
            let leads = [self.case.local, Leads::Elsewhere, Leads::Elsewhere];
            let path = [LOCAL, "/bin", "/usr/bin"].into_iter().zip(leads);
            path.map(|(text, leads)| Element::new(text, leads))
                .collect()
        });
        let (mut end, mut lacks) = (ENOENT, None);
        for element in &path {
            let candidate = self.candidate(element, usize::MAX);
            match candidate.verdict {
                Err(EACCES) => end = EACCES,
                // oomexec skips an element too long for the kernel.
                Err(ENAMETOOLONG)
                    if candidate.path.len() >= PATH_MAX && self.case.name.len() <= NAME_MAX => {}
                Err(errno @ (ELOOP | ENAMETOOLONG)) if end == ENOENT => end = errno,
                Err(ELOOP | ENAMETOOLONG) => {}
                Err(ENOENT | ENOTDIR) => {
                    let reason = || self.lacks_after(&candidate, ENOENT);
                    lacks = lacks.or_else(reason);
                }
                _ => return self.oomexec_ends(candidate),
            }
        }
        match lacks {
            Some(reason) if end == ENOENT => refuses(reason),
            _ => just(end),
        }
    }

    /// Predicts what oomexec does where its search ends.
    pub fn oomexec_ends(&self, candidate: Candidate<'_>) -> Forecast {
        match candidate.verdict {
            Err(ENOEXEC) if self.is_elf(&candidate) => {
                let machine = candidate.node.and_then(Node::machine);
                refuses(Reason::OtherMachine(machine))
            }
            Err(ENOEXEC) => {
                let mut operand = candidate.path.clone();
                if is_option(&operand) {
                    operand.splice(..0, *b"./");
                }
                if operand.len() < PATH_MAX {
                    Forecast::Runs(self.shell(&candidate, &operand))
                } else {
                    just(ENAMETOOLONG)
                }
            }
            Err(errno) => {
                let lacks = self.lacks(&candidate).filter(|_| errno != ELOOP);
                lacks.map_or_else(|| just(errno), refuses)
            }
            Ok(run) => Forecast::Runs(run),
        }
    }

    /// Returns the candidate for a command that is a path.
    pub fn direct(&self, direct: &Direct) -> Candidate<'_> {
        let path = self.case.command.to_vec();
        let node = self.lookup(direct.leads, path.len());
        let node = node.and_then(|node| node.followed_by(direct.tail));
        self.tried(path, node)
    }

    /// Returns the command, up to `name_max` bytes, in an element's directory.
    pub fn candidate(&self, element: &Element, name_max: usize) -> Candidate<'_> {
        let mut path = element.text.to_vec();
        if !path.is_empty() {
            path.push(b'/');
        }
        path.extend(self.case.name.iter().take(name_max));
        let node = self.lookup(element.leads, path.len());
        self.tried(path, node)
    }

    /// Looks up the command's name in a directory; the path has this length.
    pub fn lookup(&self, leads: Leads, length: usize) -> Result<&Node, c_int> {
        if length >= PATH_MAX {
            return Err(ENAMETOOLONG);
        }
        let node = match leads {
            Leads::Nowhere(errno) => return Err(errno),
            Leads::Elsewhere => &Node::Absent,
            Leads::To(place) => {
                let place = &self.case.places[place];
                place.enter(self.case.user)?;
                &place.node
            }
        };
        match &self.case.name[..] {
            b"." | b".." => Ok(&Node::Directory),
            name if name.len() > NAME_MAX => Err(ENAMETOOLONG),
            _ => Ok(node),
        }
    }

    pub fn tried<'a>(&self, path: Vec<u8>, node: Result<&'a Node, c_int>) -> Candidate<'a> {
        let argv: Vec<&[u8]> = [&self.case.command]
            .into_iter()
            .chain(&self.case.args)
            .map(|arg| &arg[..])
            .collect();
        let verdict = node.and_then(|node| self.execve(node, &path, &path, &argv));
        let node = node.ok();
        Candidate {
            path,
            node,
            verdict,
        }
    }

    /// Predicts execve(2) for `node` at `path`. `file` is the path given to it,
    /// `path` can be that of an interpreter.
    pub fn execve(
        &self,
        node: &Node,
        file: &[u8],
        path: &[u8],
        argv: &[&[u8]],
    ) -> Result<Run, c_int> {
        let (content, mode) = node.open()?;
        if !self.case.user.may(mode, 1) {
            return Err(EACCES);
        }
        let rest = &argv[1..];
        match content {
            Content::Program => Ok(Run::Prints(self.shown(file, argv), 0)),
            Content::ShowScript => {
                let show = self.show.as_os_str().as_bytes();
                let argv = [&[show, b"-x y", path], rest].concat();
                Ok(Run::Prints(self.shown(file, &argv), 0))
            }
            Content::ShellScript => Ok(self.shell_reads(content, mode, path, rest)),
            Content::ToolScript if path == TOOL => Err(ELOOP),
            Content::ToolScript => {
                let argv = [&[TOOL, path], rest].concat();
                self.execve(&self.case.tool, file, TOOL, &argv)
            }
            _ => Err(content.errno()),
        }
    }

    /// Predicts what the shell does with a candidate as its `operand`.
    pub fn shell(&self, candidate: &Candidate<'_>, operand: &[u8]) -> Run {
        let args: Vec<&[u8]> = self.case.args.iter().map(|arg| &arg[..]).collect();
        match candidate.node.map(Node::open) {
            Some(Ok((content, mode))) => self.shell_reads(content, mode, operand, &args),
            _ => Run::Anything,
        }
    }

    pub fn shell_reads(&self, content: Content, mode: u32, operand: &[u8], args: &[&[u8]]) -> Run {
        if is_option(operand) || !self.case.user.may(mode, 4) {
            Run::Anything
        } else if content == Content::Empty {
            Run::Nothing
        } else {
            let mut printed = [b"script ", operand, b"\n"].concat();
            for arg in args {
                printed.extend([b"arg ", *arg, b"\n"].concat());
            }
            for entry in &self.case.environment {
                printed.extend([entry, &b"\0"[..]].concat());
            }
            Run::Prints(printed, BODY_STATUS)
        }
    }

    /// Returns what `tests/programs/show_env.c` prints after the score.
    pub fn shown(&self, file: &[u8], argv: &[&[u8]]) -> Vec<u8> {
        let mut shown = [b"file ", file, b"\0"].concat();
        for arg in argv {
            shown.extend([b"argv ", *arg, b"\0"].concat());
        }
        for entry in &self.case.environment {
            shown.extend([b"env ", &entry[..], b"\0"].concat());
        }
        shown
    }

    /// Returns whether a candidate is a program that the user may read.
    pub fn is_elf(&self, candidate: &Candidate<'_>) -> bool {
        let opened = candidate.node.and_then(|node| node.open().ok());
        opened.is_some_and(|(content, mode)| content.is_elf() && self.case.user.may(mode, 4))
    }

    /// Returns the reason for what an existing candidate lacks, if anything.
    pub fn lacks(&self, candidate: &Candidate<'_>) -> Option<Reason> {
        match candidate.verdict {
            Err(errno) => self.lacks_after(candidate, errno),
            Ok(_) => None,
        }
    }

    /// The same, after execve(2) or a search failed with `errno`.
    pub fn lacks_after(&self, candidate: &Candidate<'_>, errno: c_int) -> Option<Reason> {
        match candidate.verdict {
            Err(ENOENT | ENOTDIR | ELOOP) => self.node_lacks(candidate.node?, errno),
            _ => None,
        }
    }

    pub fn node_lacks(&self, node: &Node, errno: c_int) -> Option<Reason> {
        let unreachable = Reason::Unreachable(Errno(errno));
        let (content, mode) = node.open().ok()?;
        Some(match content {
            _ if !self.case.user.may(mode, 4) => unreachable,
            Content::ToolScript => match &self.case.tool {
                Node::Absent | Node::Dangling => {
                    let path = NeededPath::new(TOOL);
                    Reason::Missing(Need::Interpreter, path, Errno(ENOENT))
                }
                // oomexec follows an interpreter only once.
                Node::File(Content::ToolScript, ..) => unreachable,
                tool => self.node_lacks(tool, errno).unwrap_or(unreachable),
            },
            _ => content.lacks(errno),
        })
    }
}

/// Predicts that oomexec fails with this errno and no other reason.
fn just(errno: c_int) -> Forecast {
    refuses(Reason::Errno(Errno(errno)))
}

fn refuses(reason: Reason) -> Forecast {
    Forecast::Refuses(Box::new(reason))
}

/// Returns whether a shell takes an operand for options.
fn is_option(operand: &[u8]) -> bool {
    matches!(operand, [b'-' | b'+', ..])
}
