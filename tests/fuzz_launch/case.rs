//! A case: the files, and the launch.

use std::ffi::{OsStr, c_int};
use std::fmt::{self, Debug};
use std::ops::Deref;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Output;
use std::{fs, ptr};

use libc::{EACCES, ELOOP, ENAMETOOLONG, ENOENT, ENOTDIR};

use crate::files::{Content, MISSING, OTHER_MACHINE, OTHER_ORDER, Stock, mode};
use crate::random::Random;
use crate::testenv::{Launch, c_string, check, is_root, set_mode};
use crate::{LAUNCH_SECONDS_MAX, LOCAL, NAME_MAX, OPT_OUT, PATH_MAX};

/// The number of bytes shown of a byte string; longer ones repeat themselves.
pub const SHOWN_MAX: usize = 200;

/// A byte string with readable debug output.
#[derive(Clone, PartialEq, Eq)]
pub struct Text(pub Vec<u8>);

impl Deref for Text {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl<T: Into<Vec<u8>>> From<T> for Text {
    fn from(bytes: T) -> Self {
        Self(bytes.into())
    }
}

impl AsRef<OsStr> for Text {
    fn as_ref(&self) -> &OsStr {
        OsStr::from_bytes(self)
    }
}

impl AsRef<Path> for Text {
    fn as_ref(&self) -> &Path {
        Path::new(OsStr::from_bytes(self))
    }
}

impl Debug for Text {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = &self[..self.len().min(SHOWN_MAX)];
        write!(formatter, "b\"{}\"", shown.escape_ascii())?;
        match self.len() - shown.len() {
            0 => Ok(()),
            more => write!(formatter, " and {more} bytes more"),
        }
    }
}

/// One case of the fuzz.
#[derive(Debug)]
pub struct Case {
    /// The current directory of the launch.
    pub dir: PathBuf,
    pub user: User,
    pub command: Text,
    /// Set if the command is a path.
    pub direct: Option<Direct>,
    /// The name of the command's file.
    pub name: Text,
    pub args: Vec<Text>,
    pub environment: Vec<Text>,
    /// The first PATH in the environment.
    pub path: Option<Vec<Element>>,
    /// Where [`LOCAL`] leads.
    pub local: Leads,
    pub places: Vec<Place>,
    /// The file at [`TOOL`].
    pub tool: Node,
}

/// The user who launches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum User {
    Root,
    /// The owner of the files, who is not root.
    Owner,
    /// Another user.
    Other,
}

/// A directory that may hold the command; the first is the current directory.
#[derive(Debug)]
pub struct Place {
    /// Its name in the current directory.
    pub name: Text,
    pub state: State,
    /// The command in it.
    pub node: Node,
}

#[derive(Clone, Copy, Debug)]
pub enum State {
    Directory,
    /// A symbolic link to a directory.
    Linked,
    /// A directory that may not be entered.
    Closed,
    /// A symbolic link to itself.
    Loop,
    /// A symbolic link to a path that does not exist.
    Dangling,
    File,
    Absent,
}

/// The type of the command or of the tool.
#[derive(Debug)]
pub enum Node {
    /// A file with this mode, or a symbolic link to one.
    File(Content, u32, Link),
    Directory,
    Fifo,
    /// A symbolic link to itself.
    Loop,
    /// A symbolic link to a path that does not exist.
    Dangling,
    Absent,
}

#[derive(Clone, Copy, Debug)]
pub enum Link {
    Hard,
    Symbolic,
}

/// An element of PATH.
#[derive(Clone, Debug)]
pub struct Element {
    pub text: Text,
    pub leads: Leads,
}

/// The target of a path to a directory.
#[derive(Clone, Copy, Debug)]
pub enum Leads {
    /// A place of the case.
    To(usize),
    /// A directory without the command.
    Elsewhere,
    /// The path fails with this errno.
    Nowhere(c_int),
}

/// A command that is a path: the target of its directory part, and the text after
/// its name.
#[derive(Debug)]
pub struct Direct {
    pub leads: Leads,
    pub tail: &'static str,
}

/// The interpreter of a script, relative to the current directory.
pub const TOOL: &[u8] = b"tool";

impl Case {
    pub fn random(random: &mut Random, dir: PathBuf) -> Self {
        let name = Text::name(random);
        let mut places = vec![Place {
            name: Text::from(""),
            state: State::Directory,
            node: Node::random(random),
        }];
        places.extend((0..random.below(5)).map(|index| Place::random(random, index)));
        let direct = (!name.is_empty() && random.one_in(5))
            .then(|| Direct::random(random, &places, &name, &dir));
        let (command, direct) = match direct {
            Some((command, direct)) => (command, Some(direct)),
            None => (name.clone(), None),
        };
        let path = (!random.one_in(8)).then(|| {
            let length = 1 + random.below(5);
            (0..length)
                .map(|_| Element::random(random, &places, &name, &dir))
                .collect()
        });
        Self {
            user: User::random(random),
            args: (0..random.below(5))
                .map(|_| Text::argument(random))
                .collect(),
            environment: environment(random, path.as_deref()),
            local: local(random, &places),
            tool: Node::random(random),
            dir,
            command,
            direct,
            name,
            path,
            places,
        }
    }

    /// Creates the files.
    pub fn make(&self, stock: &Stock) {
        fs::create_dir(&self.dir).expect("a new directory");
        self.tool
            .make(&self.dir.join(OsStr::from_bytes(TOOL)), stock);
        for place in &self.places {
            place.make(&self.dir, &self.name, stock);
        }
    }

    pub fn remove(&self) {
        for place in &self.places {
            if let State::Closed = place.state {
                set_mode(&self.dir.join(&place.name), 0o755);
            }
        }
        fs::remove_dir_all(&self.dir).expect("removed");
    }

    pub fn launch(&self, launcher: &Path) -> Output {
        let args = [Text::from("--"), self.command.clone()];
        let mut launch = Launch::through(launcher, args.iter().chain(&self.args))
            .dir(&self.dir)
            .prepare(|| {
                // SAFETY: the calls take a number and nothing. In the caller's
                // session, a shell that takes a name for options may stop the
                // terminal.
                unsafe {
                    libc::alarm(LAUNCH_SECONDS_MAX);
                    check(libc::setsid())
                }
            });
        for entry in &self.environment {
            launch = launch.env(entry);
        }
        if let (None, Leads::To(place)) = (&self.path, self.local) {
            launch = self.mount(launch, &self.places[place]);
        }
        if self.user == User::Other {
            launch = launch.unprivileged();
        }
        launch.output()
    }

    /// Mounts a place at [`LOCAL`] for this launch alone.
    pub fn mount(&self, launch: Launch, place: &Place) -> Launch {
        let (place, local) = (c_string(self.dir.join(&place.name)), c_string(LOCAL));
        launch.own_mounts().prepare(move || {
            // SAFETY: the paths are C strings, and a bind mount takes no more.
            check(unsafe {
                let (source, target) = (place.as_ptr(), local.as_ptr());
                libc::mount(source, target, ptr::null(), libc::MS_BIND, ptr::null())
            })
        })
    }
}

/// Returns the target of [`LOCAL`]: root mounts one of the places there.
pub fn local(random: &mut Random, places: &[Place]) -> Leads {
    let place = random.below(places.len());
    match places[place].state {
        State::Directory if is_root() && Path::new(LOCAL).is_dir() => Leads::To(place),
        _ => Leads::Elsewhere,
    }
}

/// Returns an environment with this PATH and with similar entries.
pub fn environment(random: &mut Random, path: Option<&[Element]>) -> Vec<Text> {
    let mut entries: Vec<_> = (0..random.below(8)).map(|_| Text::entry(random)).collect();
    if let Some(path) = path {
        let texts: Vec<_> = path.iter().map(|element| &element.text[..]).collect();
        let entry = [b"PATH=", &texts.join(&b':')[..]].concat();
        entries.insert(random.below(entries.len() + 1), entry.into());
        if random.one_in(8) {
            entries.push("PATH=/nonexistent/second".into());
        }
    }
    for _ in 0..random.below(3) {
        let entry = [OPT_OUT, *random.pick(&OPT_OUT_VALUES)].concat();
        entries.insert(random.below(entries.len() + 1), entry.into());
    }
    entries
}

pub const OPT_OUT_VALUES: [&[u8]; 14] = [
    b"0",
    b"false",
    b"no",
    b"off",
    b"FALSE",
    b" oFf\t",
    b"\x0b0\x0c\r\n",
    b"",
    b" ",
    b"1",
    b"00",
    b"0 0",
    b"nope",
    b"\xc2\xa00",
];

impl User {
    pub fn random(random: &mut Random) -> Self {
        match is_root() {
            false => Self::Owner,
            true if random.one_in(2) => Self::Root,
            true => Self::Other,
        }
    }

    /// Returns whether a mode grants a right: 1 to run or enter, 4 to read.
    pub fn may(self, mode: u32, right: u32) -> bool {
        let bits = match self {
            // With CAP_DAC_OVERRIDE, one x bit is enough (capabilities(7)).
            Self::Root if right == 1 => mode | mode >> 3 | mode >> 6,
            Self::Root => return true,
            Self::Owner => mode >> 6,
            Self::Other => mode,
        };
        bits & right != 0
    }
}

impl State {
    pub fn random(random: &mut Random) -> Self {
        match random.below(12) {
            0..6 => Self::Directory,
            6 => Self::Linked,
            7 => Self::Closed,
            8 => Self::Loop,
            9 => Self::Dangling,
            10 => Self::File,
            _ => Self::Absent,
        }
    }
}

impl Place {
    pub fn random(random: &mut Random, index: usize) -> Self {
        let begin = *random.pick(&[
            &b"d"[..],
            b"-d",
            b"-d",
            b"+d",
            b"d d",
            b"\xff",
            b"=d",
            b"\n",
        ]);
        Self {
            name: [begin, index.to_string().as_bytes()].concat().into(),
            state: State::random(random),
            node: Node::random(random),
        }
    }

    pub fn make(&self, dir: &Path, command: &Text, stock: &Stock) {
        let path = dir.join(&self.name);
        let inside = |path: &Path| {
            // Other names exist already or cannot exist.
            if !matches!(&command[..], b"" | b"." | b"..") && command.len() <= NAME_MAX {
                self.node.make(&path.join(command), stock);
            }
        };
        match self.state {
            State::Directory if self.name.is_empty() => inside(&path),
            State::Directory => {
                fs::create_dir(&path).expect("a new directory");
                inside(&path);
            }
            State::Linked => {
                let target = [b"target of ", &self.name[..]].concat();
                let target = dir.join(Text::from(target));
                fs::create_dir(&target).expect("a new directory");
                inside(&target);
                symlink(target, &path).expect("a new link");
            }
            State::Closed => {
                fs::create_dir(&path).expect("a new directory");
                inside(&path);
                set_mode(&path, CLOSED);
            }
            State::Loop => Node::Loop.make(&path, stock),
            State::Dangling => Node::Dangling.make(&path, stock),
            State::File => Node::File(Content::Text, 0o755, Link::Hard).make(&path, stock),
            State::Absent => {}
        }
    }

    /// Returns the errno of a lookup in it, if it fails.
    pub fn enter(&self, user: User) -> Result<(), c_int> {
        match self.state {
            State::Directory | State::Linked => Ok(()),
            State::Closed if user.may(CLOSED, 1) => Ok(()),
            // Root may enter any directory (capabilities(7)).
            State::Closed if user == User::Root => Ok(()),
            State::Closed => Err(EACCES),
            State::Loop => Err(ELOOP),
            State::File => Err(ENOTDIR),
            State::Dangling | State::Absent => Err(ENOENT),
        }
    }
}

/// The mode of a directory that may not be entered.
pub const CLOSED: u32 = 0o600;

impl Node {
    pub fn random(random: &mut Random) -> Self {
        match random.below(16) {
            0..3 => Self::Absent,
            3 => Self::Directory,
            4 => Self::Fifo,
            5 => Self::Loop,
            6 => Self::Dangling,
            7 | 8 => Self::File(Content::random(random), mode(random), Link::Symbolic),
            _ => Self::File(Content::random(random), mode(random), Link::Hard),
        }
    }

    pub fn make(&self, path: &Path, stock: &Stock) {
        match self {
            Self::File(content, mode, link) => {
                let file = stock.file(*content, *mode);
                match link {
                    Link::Hard => fs::hard_link(file, path),
                    Link::Symbolic => symlink(file, path),
                }
            }
            Self::Directory => fs::create_dir(path),
            Self::Fifo => {
                let path = c_string(path);
                // SAFETY: the path is a C string.
                check(unsafe { libc::mkfifo(path.as_ptr(), 0o755) })
            }
            Self::Loop => symlink(path, path),
            Self::Dangling => symlink(MISSING, path),
            Self::Absent => Ok(()),
        }
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    }

    /// Returns the file to run; its mode is not checked yet.
    pub fn open(&self) -> Result<(Content, u32), c_int> {
        match self {
            Self::File(content, mode, _) => Ok((*content, *mode)),
            Self::Directory | Self::Fifo => Err(EACCES),
            Self::Loop => Err(ELOOP),
            Self::Dangling | Self::Absent => Err(ENOENT),
        }
    }

    /// Returns the node at its name followed by `tail`.
    pub fn followed_by(&self, tail: &str) -> Result<&Self, c_int> {
        match (tail, self) {
            ("", _) | ("/", Self::Directory | Self::Absent | Self::Dangling | Self::Loop) => {
                Ok(self)
            }
            (_, Self::Loop) => Err(ELOOP),
            (_, Self::File(..) | Self::Fifo) => Err(ENOTDIR),
            _ => Err(ENOENT),
        }
    }

    pub fn machine(&self) -> Option<&'static str> {
        match self {
            Self::File(Content::OtherMachine, ..) => Some(OTHER_MACHINE.1),
            Self::File(Content::OtherOrder, ..) => Some(OTHER_ORDER.1),
            _ => None,
        }
    }
}

impl Element {
    pub fn new(text: &str, leads: Leads) -> Self {
        let text = text.into();
        Self { text, leads }
    }

    pub fn random(random: &mut Random, places: &[Place], name: &Text, dir: &Path) -> Self {
        let (text, leads) = match random.below(24) {
            0 => ("/nonexistent/dir".into(), Leads::Nowhere(ENOENT)),
            1 => ("/proc/version".into(), Leads::Nowhere(ENOTDIR)),
            2 => (
                "n".repeat(NAME_MAX + 1).into(),
                Leads::Nowhere(ENAMETOOLONG),
            ),
            3 => (
                Text::from(*random.pick(&["/", "/bin", "/usr/bin"])),
                Leads::Elsewhere,
            ),
            choice => {
                let place = random.below(places.len());
                let text = spelled(random, &places[place], dir);
                let length = match choice {
                    // Too long for the kernel.
                    4 => PATH_MAX + random.below(3),
                    5 => 2 * PATH_MAX,
                    // The candidate is about as long as the kernel allows.
                    6 | 7 if name.len() <= NAME_MAX => near_path_max(random, name.len() + 1),
                    _ => 0,
                };
                (padded(random, text, length), Leads::To(place))
            }
        };
        Self { text, leads }
    }
}

impl Direct {
    pub fn random(random: &mut Random, places: &[Place], name: &Text, dir: &Path) -> (Text, Self) {
        if random.one_in(8) {
            let (text, errno) = *random.pick(&[
                ("/", EACCES),
                ("/proc/", EACCES),
                ("/proc/version/x", ENOTDIR),
                ("/nonexistent/x", ENOENT),
            ]);
            let leads = Leads::Nowhere(errno);
            return (text.into(), Self { leads, tail: "" });
        }
        let place = random.below(places.len());
        let tail = *random.pick(&["", "", "", "", "/", "/below"]);
        let length = match random.below(8) {
            0 => near_path_max(random, 1 + name.len() + tail.len()),
            // Never empty, so that the command has a slash.
            _ => 1,
        };
        let text = spelled(random, &places[place], dir);
        let text = padded(random, text, length);
        let command = [&text, &b"/"[..], name, tail.as_bytes()].concat();
        let leads = Leads::To(place);
        (command.into(), Self { leads, tail })
    }
}

/// Returns one of several spellings of a place's path.
pub fn spelled(random: &mut Random, place: &Place, dir: &Path) -> Text {
    let name = &place.name[..];
    let absolute = dir.as_os_str().as_bytes();
    match random.below(6) {
        0 | 1 => place.name.clone(),
        2 => [b"./", name].concat().into(),
        3 if !name.is_empty() => [name, b"/"].concat().into(),
        3 => ".".into(),
        4 => [b"././/", name].concat().into(),
        _ => [absolute, b"/", name].concat().into(),
    }
}

/// Pads a path to at least `length` bytes; it leads to the same place.
pub fn padded(random: &mut Random, text: Text, length: usize) -> Text {
    let missing = length.saturating_sub(text.len());
    if missing == 0 {
        return text;
    }
    let text: &[u8] = if text.is_empty() { b"." } else { &text };
    let slashes = |count| b"/".repeat(count);
    if text[0] != b'/' && missing > 1 && random.one_in(2) {
        let dots = b"./".repeat(missing / 2);
        [dots, slashes(missing % 2), text.into()].concat().into()
    } else {
        [text, &slashes(missing)].concat().into()
    }
}

/// Returns a length that, with `more` bytes, is near the kernel's limit.
pub fn near_path_max(random: &mut Random, more: usize) -> usize {
    (PATH_MAX - 3 + random.below(5)).saturating_sub(more)
}

impl Text {
    /// Returns the name of a command. A shell takes none for a command or, after a
    /// dash, for an option that runs something.
    pub fn name(random: &mut Random) -> Self {
        const ODD: [&[u8]; 16] = [
            b"x.sh",
            b"--x",
            b"-",
            b"--",
            b"+x",
            b"x x",
            b"x\n",
            b"\xff\xfex",
            b"x=y",
            b"=x",
            b"x:y",
            b"'x",
            b"$x",
            b"",
            b".",
            b"..",
        ];
        const LENGTHS: [usize; 5] = [NAME_MAX, NAME_MAX + 1, 1000, PATH_MAX - 1, 5000];
        match random.below(20) {
            0..8 => "x".into(),
            8..12 => "-x".into(),
            12 => "x".repeat(*random.pick(&LENGTHS)).into(),
            // Never empty, and never the name of a file in /bin.
            13 => [random.bytes(b"-+=x .\"\xc3\xa9\x7f", 6), b"=x".into()]
                .concat()
                .into(),
            _ => Self::from(*random.pick(&ODD)),
        }
    }

    /// Returns an argument. A shell may get it, so no byte redirects output.
    pub fn argument(random: &mut Random) -> Self {
        const ARGS: [&str; 8] = ["", "-", "--", "-n", "500", "-h", "--argv0=a", "-p"];
        match random.below(10) {
            0 => b"a".repeat(random.below(20_000)).into(),
            1..=4 => Self::from(*random.pick(&ARGS)),
            _ => random
                .bytes(b"-=+ab \n\t\r\"'$\\*;&\xff\x80\x88:%", 8)
                .into(),
        }
    }

    /// Returns an entry of the environment that has no effect.
    pub fn entry(random: &mut Random) -> Self {
        const ENTRIES: [&[u8]; 14] = [
            b"",
            b"=",
            b"=x",
            b"a",
            b"a=",
            b"a=1",
            b"a=2",
            b"PATH",
            b"PATHS=/bin",
            b"path=/bin",
            b"OPENCLAW_CHILD_OOM_SCORE_ADJ",
            b"OPENCLAW_CHILD_OOM_SCORE_ADJS=0",
            b"npm_config_//registry/:_authToken=a",
            b"MY-VAR=\xff",
        ];
        match random.below(8) {
            0 => [&b"a="[..], &b"b".repeat(random.below(20_000))]
                .concat()
                .into(),
            1..=3 => random.bytes(b"ab=- \n\xff\x80%/", 12).into(),
            _ => Self::from(*random.pick(&ENTRIES)),
        }
    }
}
