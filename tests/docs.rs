//! The documents: each link leads somewhere, each block of code runs and prints what it shows,
//! and each figure is that of a table.
//!
//! A block of `sh` or `console` runs in the clone, in the order of its document, unless a
//! comment in front of it says otherwise. The comment is not rendered:
//!
//! - `<!-- not run: WHY -->`
//! - `<!-- from: FILE -->`: a part of FILE, for which there are other tests.
//! - `<!-- last line: TEXT -->`: it runs, and its output ends with this line.

mod testenv;

use std::collections::HashMap;
use std::ffi::OsString;
use std::fmt::Write as _;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{env, fs, thread};

use testenv::{TempDir, lacks, lacks_landlock, oomexec, run, text, tool};

fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(name: &str) -> String {
    let path = repository().join(name);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// Returns the documents whose blocks run.
fn guides() -> Vec<String> {
    let entries = fs::read_dir(repository().join("docs")).expect("docs/");
    let names = entries.map(|entry| entry.expect("an entry").file_name());
    let names = names.filter_map(|name| name.into_string().ok());
    let mut guides: Vec<_> = names
        .filter(|name| name.ends_with(".md"))
        .map(|name| format!("docs/{name}"))
        .collect();
    guides.sort();
    guides.insert(0, "README.md".to_owned());
    guides
}

/// Returns all documents.
fn documents() -> Vec<String> {
    let others = [
        "CONTRIBUTING.md",
        "SECURITY.md",
        "CHANGELOG.md",
        "packaging/npm/README.md",
        "spawner/node/README.md",
        "spawner/python/README.md",
        "spawner/rust/README.md",
    ];
    guides()
        .into_iter()
        .chain(others.map(String::from))
        .collect()
}

/// A fenced block of code.
#[derive(Debug, PartialEq, Eq)]
struct Block {
    /// The number of its first line.
    line: usize,
    language: String,
    /// The comment in front of it.
    comment: Option<String>,
    code: String,
}

/// Splits a document into its blocks of code and its other lines.
fn split(document: &str) -> (Vec<Block>, Vec<&str>) {
    let (mut blocks, mut prose) = (Vec::<Block>::new(), Vec::new());
    let mut inside = false;
    for (number, line) in document.lines().enumerate() {
        if let Some(language) = line.trim_start().strip_prefix("```") {
            inside = !inside;
            if inside {
                let comment = prose.last().and_then(|line: &&str| {
                    let comment = line.trim().strip_prefix("<!--")?;
                    Some(comment.strip_suffix("-->")?.trim().to_owned())
                });
                blocks.push(Block {
                    line: number + 2,
                    language: language.to_owned(),
                    comment,
                    code: String::new(),
                });
            }
        } else if inside {
            let block = blocks.last_mut().expect("a block");
            block.code.push_str(line);
            block.code.push('\n');
        } else {
            prose.push(line);
        }
    }
    assert!(!inside, "a block of code has no end");
    (blocks, prose)
}

/// Removes what stands in `code`.
fn without_code(line: &str) -> String {
    line.split('`').step_by(2).collect()
}

/// Returns the anchors of a document's headings, as GitHub makes them.
fn anchors(document: &str) -> Vec<String> {
    let mut seen = HashMap::<String, usize>::new();
    let (_, prose) = split(document);
    let headings = prose.iter().filter(|line| line.starts_with('#'));
    headings
        .map(|line| {
            let words = line.trim_start_matches('#').trim().to_lowercase();
            let kept = |c: &char| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_');
            let slug = words.chars().filter(kept).collect::<String>();
            let slug = slug.replace(' ', "-");
            let count = seen.entry(slug.clone()).or_default();
            *count += 1;
            match *count {
                1 => slug,
                more => format!("{slug}-{}", more - 1),
            }
        })
        .collect()
}

/// Returns where a document's links lead, in Markdown and in HTML.
fn links(document: &str) -> Vec<String> {
    let (_, prose) = split(document);
    // Some links go on over the end of a line.
    let prose: String = prose.iter().map(|line| without_code(line) + "\n").collect();
    let after = |start: &'static str, end: char| {
        let rests = prose.split(start).skip(1);
        rests.filter_map(move |rest| rest.split_once(end).map(|(link, _)| link.to_owned()))
    };
    after("](", ')')
        .chain(after(" src=\"", '"'))
        .chain(after(" srcset=\"", '"'))
        .collect()
}

/// Returns the links of a document of this name and text that lead nowhere, and the number of
/// all links into the repository.
fn broken(name: &str, document: &str) -> (Vec<String>, usize) {
    let directory = Path::new(name).parent().expect("a directory");
    let links = links(document);
    let inner = links.iter().filter(|link| !link.contains("://"));
    let leads_nowhere = |link: &&String| {
        let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
        let file = match file {
            "" => PathBuf::from(name),
            file => directory.join(file),
        };
        let path = repository().join(&file);
        let own = file == Path::new(name);
        if !own && !path.exists() {
            return true;
        }
        if anchor.is_empty() {
            return false;
        }
        let text = match own {
            true => document.to_owned(),
            false => fs::read_to_string(&path).unwrap_or_default(),
        };
        !anchors(&text).iter().any(|one| one == anchor)
    };
    let count = inner.clone().count();
    (inner.filter(leads_nowhere).cloned().collect(), count)
}

#[test]
fn every_link_leads_to_a_file_and_to_a_heading_in_it() {
    let mut count = 0;
    for name in documents() {
        let (broken, inner) = broken(&name, &read(&name));
        assert_eq!(broken, [""; 0], "{name}");
        count += inner;
    }
    assert!(count > 80, "only {count} links were found");
}

#[test]
fn a_link_that_leads_nowhere_is_found() {
    let document = "# A `--b`: c\n[a](#a---b-c) [b](#a---b) [c](pin.md#the-pin) [d](pin.md#pin)\n\
                    [e](none.md) [f](https://example.com) `[g](none)` [h\n i](../none)\n\
                    ```sh\n[j](none)\n# none\n```\n<img src=\"none.svg\"> [k](#none)\n\
                    # Twice\n# Twice\n[l](#twice-1) [m](#twice-2)\n";
    let (broken, count) = broken("docs/made-up.md", document);
    let expected = [
        "#a---b",
        "pin.md#pin",
        "none.md",
        "../none",
        "#none",
        "#twice-2",
        "none.svg",
    ];
    assert_eq!(broken, expected);
    assert_eq!(count, 10);
}

#[test]
fn the_readme_leads_to_every_document_and_is_short() {
    let readme = read("README.md");
    let links = links(&readme);
    for document in documents() {
        let own = ["README.md", "packaging/npm/README.md"].contains(&&*document);
        assert!(own || links.contains(&document), "{document}");
    }
    let lines = readme.lines().count();
    assert!(lines <= 200, "{lines}");
}

/// What the files of the repository that a document names begin with.
const DIRECTORIES: [&str; 9] = [
    ".ci/",
    ".github/",
    "deploy/",
    "docs/",
    "packaging/",
    "scripts/",
    "spawner/",
    "src/",
    "tests/",
];

#[test]
fn every_file_that_a_document_names_exists() {
    for document in documents() {
        let text = read(&document);
        let (blocks, prose) = split(&text);
        let prose = prose.join("\n");
        let quoted = prose.split('`').skip(1).step_by(2);
        let commands = blocks.iter().filter(|block| block.language == "sh");
        let names: Vec<_> = quoted
            .chain(commands.flat_map(|block| block.code.lines()))
            .filter_map(|text| text.split([' ', '#', '\n']).next())
            .filter(|name| DIRECTORIES.iter().any(|dir| name.starts_with(dir)))
            .filter(|name| !name.contains("NAME"))
            .collect();
        for name in &names {
            assert!(repository().join(name).exists(), "{document} names {name}");
        }
        let named = ["README.md", "CONTRIBUTING.md", "docs/proof.md"];
        assert!(!named.contains(&&*document) || names.len() > 1, "{names:?}");
    }
}

/// A user's home, with the clone in it and oomexec on PATH.
struct Home(TempDir);

impl Home {
    fn new() -> Self {
        let home = TempDir::new();
        symlink(oomexec(), home.dir("bin").join("oomexec")).expect("a link");
        symlink(repository(), home.join("oomexec")).expect("a link");
        // What pip would install needs the network.
        run(Command::new(tool("python3"))
            .args(["-m", "venv", "--without-pip"])
            .arg(home.join("gateway/venv")));
        Self(home)
    }

    /// Runs a script in the clone; returns its status and its output.
    fn run(&self, script: &str) -> (Option<i32>, String) {
        let own = env::var_os("PATH").unwrap_or_default();
        let mut path = self.0.join("bin").into_os_string();
        path.push(":");
        path.push(own);
        let mut command = Command::new("sh");
        command
            .args(["-c", &format!("exec 2>&1\n{script}")])
            .current_dir(self.0.join("oomexec"))
            .env_clear()
            .env("PATH", path)
            .env("HOME", self.0.path())
            .env("LANG", "C.UTF-8")
            // Nothing is loaded from a registry.
            .env("npm_config_offline", "true")
            .env("npm_config_update_notifier", "false")
            .env("CARGO_NET_OFFLINE", "true")
            .env("PYTHONPATH", repository().join("spawner/python/src"))
            .env("PYTHONDONTWRITEBYTECODE", "1");
        // Of the Rust that runs this test.
        if let Some(toolchain) = env::var_os("RUSTUP_TOOLCHAIN") {
            command.env("RUSTUP_TOOLCHAIN", toolchain);
        }
        for (name, directory) in [("CARGO_HOME", ".cargo"), ("RUSTUP_HOME", ".rustup")] {
            let own = env::var_os(name).or_else(|| {
                let home = PathBuf::from(env::var_os("HOME")?);
                Some(OsString::from(home.join(directory)))
            });
            if let Some(own) = own {
                command.env(name, own);
            }
        }
        let output = command.stdin(Stdio::null()).output().expect("sh");
        (output.status.code(), text(&output.stdout))
    }
}

/// Returns whether `part` stands in `whole`, each line behind the same indentation or comment
/// sign.
fn is_part(part: &str, whole: &str) -> bool {
    let (part, whole): (Vec<_>, Vec<_>) = (part.lines().collect(), whole.lines().collect());
    whole.windows(part.len()).any(|lines| {
        let Some(prefix) = lines[0].strip_suffix(part[0]) else {
            return false;
        };
        prefix.chars().all(|c| c == ' ' || c == '#')
            && lines
                .iter()
                .zip(&part)
                .all(|(line, part)| line.strip_prefix(prefix) == Some(*part))
    })
}

/// Whether this machine lacks what a block needs.
fn lacks_need(code: &str) -> bool {
    if code.contains("--pin") && lacks_landlock(3) {
        return true;
    }
    if !code.contains("node ") {
        return false;
    }
    let version = run(Command::new(tool("node")).args(["-p", "process.versions.node"]));
    let mut numbers = version.trim().split('.').map(|n| n.parse().unwrap_or(0));
    let version: (u32, u32) = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
    let new = version >= (22, 12) || version.0 == 20 && version.1 >= 19;
    lacks("Node 20.19, 22.12 or later", new)
}

/// Returns each command of a `console` block, and the output below it.
fn sessions(code: &str) -> Vec<(String, String)> {
    let mut sessions: Vec<(String, String)> = Vec::new();
    for line in code.lines() {
        match line.strip_prefix("$ ") {
            Some(command) => sessions.push((command.to_owned(), String::new())),
            None => {
                let (_, printed) = sessions.last_mut().expect("a command first");
                writeln!(printed, "{line}").expect("a string");
            }
        }
    }
    sessions
}

/// What became of the blocks of a document.
#[derive(Debug, Default, PartialEq, Eq)]
struct Count {
    run: usize,
    parts: usize,
    not_run: usize,
    lacking: usize,
}

/// Runs the blocks of a document.
///
/// # Errors
///
/// What a block did instead of what it says.
fn run_blocks(name: &str, document: &str) -> Result<Count, String> {
    let mut count = Count::default();
    let mut home = None;
    for block in split(document).0 {
        let at = format!("{name}:{}", block.line);
        let comment = block.comment.as_deref();
        let (kind, said) = comment
            .and_then(|comment| comment.split_once(": "))
            .unwrap_or(("", ""));
        match kind {
            "not run" => {
                count.not_run += 1;
                continue;
            }
            "from" => {
                if !is_part(&block.code, &read(said)) {
                    return Err(format!("{at}: is no part of {said}"));
                }
                count.parts += 1;
                continue;
            }
            "last line" | "" => {}
            other => return Err(format!("{at}: says '{other}'")),
        }
        if lacks_need(&block.code) {
            count.lacking += 1;
            continue;
        }
        let home = home.get_or_insert_with(Home::new);
        match &*block.language {
            "sh" => {
                let (status, output) = home.run(&format!("set -e\n{}", block.code));
                if status != Some(0) {
                    return Err(format!("{at}: ended with {status:?}: {output}"));
                }
                if kind == "last line" && output.lines().last() != Some(said) {
                    return Err(format!("{at}: printed {output}"));
                }
            }
            "console" => {
                let sessions = sessions(&block.code);
                if sessions.is_empty() {
                    return Err(format!("{at}: has no command"));
                }
                for (command, printed) in sessions {
                    let (_, output) = home.run(&command);
                    if output != printed {
                        return Err(format!("{at}: {command} printed {output}"));
                    }
                }
            }
            language => {
                return Err(format!("{at}: '{language}' neither runs nor says why not"));
            }
        }
        count.run += 1;
    }
    Ok(count)
}

#[test]
fn every_block_of_code_runs_and_prints_what_it_shows_or_says_why_not() {
    let counts = thread::scope(|scope| {
        let name = thread::current().name().unwrap_or_default().to_owned();
        let start = |guide: String| {
            let thread = thread::Builder::new().name(name.clone());
            let run = move || (run_blocks(&guide, &read(&guide)), guide);
            thread.spawn_scoped(scope, run).expect("a thread")
        };
        let threads: Vec<_> = guides().into_iter().map(start).collect();
        let joined = threads
            .into_iter()
            .map(|thread| thread.join().expect("no panic"));
        joined.collect::<Vec<_>>()
    });
    let mut all = Count::default();
    for (count, guide) in counts {
        let count = count.unwrap_or_else(|error| panic!("{error}"));
        println!("{guide}: {count:?}");
        all.run += count.run;
        all.parts += count.parts;
        all.lacking += count.lacking;
    }
    assert!(all.run + all.lacking >= 8, "{all:?}");
    assert!(all.parts >= 5, "{all:?}");
}

#[test]
fn a_block_that_does_not_do_what_it_says_is_found() {
    let fails = |document: &str| run_blocks("made-up", document).expect_err("an error");
    assert_eq!(
        fails("```sh\necho a\nfalse\necho b\n```"),
        "made-up:2: ended with Some(1): a\n"
    );
    assert_eq!(
        fails("<!-- last line: 1 -->\n```sh\necho 1; echo 2\n```"),
        "made-up:3: printed 1\n2\n"
    );
    assert_eq!(
        fails("\n```console\n$ oomexec -n 500 -- oomexec -p self\n501\n```"),
        "made-up:3: oomexec -n 500 -- oomexec -p self printed 500\n"
    );
    assert_eq!(
        fails("```js\n1\n```"),
        "made-up:2: 'js' neither runs nor says why not"
    );
    assert_eq!(
        fails("<!-- from: Cargo.toml -->\n```toml\n[package]\nversion\n```"),
        "made-up:3: is no part of Cargo.toml"
    );
    assert_eq!(
        fails("<!-- skipped: a -->\n```sh\n```"),
        "made-up:3: says 'skipped'"
    );
}

/// Returns the cell of a table: of the table below this heading, in the row that begins with
/// these cells, in the column of this name.
fn cell(document: &str, heading: &str, row: &[&str], column: &str) -> String {
    let mut lines = document.lines();
    assert!(
        lines.any(|line| line.trim_start_matches('#') == format!(" {heading}")),
        "no {heading}"
    );
    let cells = |line: &str| -> Vec<String> {
        let cells = line.trim_matches('|').split('|');
        cells.map(|cell| cell.trim().to_owned()).collect()
    };
    let mut rows = lines
        .skip_while(|line| !line.starts_with('|'))
        .take_while(|line| line.starts_with('|'))
        .map(cells);
    let names = rows.next().expect("a table");
    let index = names.iter().position(|name| name == column);
    let index = index.unwrap_or_else(|| panic!("{heading} has no column {column}: {names:?}"));
    let row = rows.find(|cells| cells.iter().zip(row).all(|(cell, name)| cell == name));
    row.unwrap_or_else(|| panic!("{heading} has no such row"))[index].clone()
}

/// Returns the number that a cell begins with.
fn number(cell: &str) -> f64 {
    let number = cell.split(' ').next().expect("a word");
    number
        .parse()
        .unwrap_or_else(|_| panic!("no number: {cell}"))
}

#[test]
fn the_figures_in_the_text_are_those_of_the_tables() {
    let (readme, gateways) = (read("README.md"), read("docs/gateways.md"));
    let (benchmarks, proof) = (read("docs/benchmarks.md"), read("docs/proof.md"));
    let says = |document: &str, words: String| {
        assert!(document.contains(&words), "it does not say: {words}");
    };

    let added = |launcher| {
        let cell = cell(
            &benchmarks,
            "What each launcher adds",
            &[launcher],
            "added, µs",
        );
        number(&cell).round()
    };
    let own = added("oomexec");
    let (shim, choom) = (added("`/bin/sh` shim (dash)"), added("`choom -n 1000 --`"));
    says(&readme, format!("adds {own} µs to a launch"));
    says(&readme, format!("on stderr; {shim} µs |"));
    says(&readme, format!("cannot be written; {choom} µs |"));
    says(
        &readme,
        format!("costs {own} µs more, by the shim {shim}, by choom {choom}:"),
    );

    let blocks = |language: &str, row: [&str; 2]| {
        let heading = format!("From spawn to exit in {language}");
        let cell = cell(&benchmarks, &heading, &row, "spawn() blocks, µs");
        (number(&cell) / 1000.0).round()
    };
    let hook = blocks("Rust", ["2 GiB", "hook (`pre_exec`)"]);
    says(&readme, format!("[{hook} ms with 2 GiB]"));
    let (small, large) = (
        blocks("Node", ["50 MiB", "direct"]),
        blocks("Node", ["2 GiB", "direct"]),
    );
    says(
        &gateways,
        format!("[{small} ms with 50 MiB, {large} ms with 2 GiB]"),
    );

    let died = |heading, launcher| cell(&proof, heading, &[launcher], "gateway died");
    let (direct, with) = (died("Children", "direct"), died("Children", "oomexec"));
    says(
        &readme,
        format!("directly the gateway dies in {direct} trials, with oomexec in {with}."),
    );
    let [direct, with, pin] = ["direct", "oomexec", "pin"].map(|name| died("A browser", name));
    assert_eq!(direct, with);
    says(
        &readme,
        format!("directly and with oomexec in {direct} trials, with `oomexec --pin` in {pin}."),
    );
}

#[test]
fn the_readme_shows_the_subjects_of_a_check_and_what_it_says_of_the_pin() {
    if lacks_landlock(3) {
        return;
    }
    let readme = read("README.md");
    let (blocks, _) = split(&readme);
    let shown = blocks
        .iter()
        .find(|block| block.code.contains("kills so far"));
    let shown = &shown.expect("what a check prints").code;
    let output = Command::new(oomexec()).arg("--check").output().unwrap();
    let printed = text(&output.stdout);
    let subjects = |text: &str| -> Vec<String> {
        let subjects = text.lines().map(|line| line[6..20].trim().to_owned());
        subjects.filter(|subject| subject != "sysctl").collect()
    };
    assert_eq!(subjects(shown), subjects(&printed));
    // But for the ABI.
    let pin = |text: &str| -> String {
        let line = text.lines().find(|line| line[6..].starts_with("pin"));
        let line = line.expect("the pin").chars();
        line.filter(|c| !c.is_ascii_digit()).collect()
    };
    assert_eq!(pin(shown), pin(&printed));
}
