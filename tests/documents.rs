//! README, man page and `--help` say the same as the program.

mod testenv;

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use oomexec::cli::HELP;
use oomexec::opt_out;
use oomexec::output::status;
use testenv::{TempDir, oomexec, run, text, tool};

fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

fn read(name: &str) -> String {
    fs::read_to_string(path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// Returns the formatted man page on one line.
fn man_page() -> String {
    let page = run(Command::new(tool("mandoc"))
        .args(["-T", "ascii"])
        .arg(path("man/oomexec.1")));
    // mandoc overstrikes for a terminal: a letter, a backspace, the letter.
    let bytes = page.as_bytes();
    let struck = |at: usize| bytes.get(at + 1) == Some(&8) || bytes[at] == 8;
    let letters = (0..bytes.len())
        .filter(|at| !struck(*at))
        .map(|at| bytes[at]);
    let page = text(&letters.collect::<Vec<_>>());
    page.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn the_man_page_is_clean() {
    let lint = Command::new(tool("mandoc"))
        .args(["-T", "lint", "-W", "style"])
        .arg(path("man/oomexec.1"))
        .output()
        .unwrap();
    // A page that it refers to need not be installed.
    let complaints = text(&lint.stdout);
    let complaints = complaints
        .lines()
        .filter(|line| !line.contains("manual not found"));
    assert_eq!(complaints.collect::<Vec<_>>(), [""; 0]);
}

#[test]
fn man_page_readme_and_help_name_every_option() {
    let (man, readme) = (man_page(), read("README.md"));
    let options = HELP
        .lines()
        .filter(|line| line.trim_start().starts_with('-'));
    let mut names = HashSet::new();
    for name in options
        .flat_map(|line| line.split([' ', ',']))
        .filter(|word| word.starts_with('-'))
    {
        if name == "-1000" {
            continue;
        }
        assert!(man.contains(name), "the man page lacks {name}");
        assert!(readme.contains(name), "the README lacks {name}");
        names.insert(name);
    }
    assert_eq!(names.len(), 12, "{names:?}");
}

#[test]
fn man_page_readme_and_help_name_every_status_and_the_opt_out() {
    let (man, readme) = (man_page(), read("README.md"));
    for document in [&man, &readme, HELP] {
        for status in [status::OWN_FAILURE, status::CANNOT_RUN, status::NOT_FOUND] {
            assert!(document.contains(&status.to_string()), "{status}");
        }
        let variable = text(opt_out::VARIABLE);
        assert!(document.contains(variable.trim_end_matches('=')));
        for word in opt_out::WORDS {
            assert!(document.contains(word), "{word}");
        }
    }
    for document in [&man, &readme] {
        assert!(document.contains(&text(oomexec::exec::path::DEFAULT)));
    }
}

#[test]
fn every_file_that_a_document_names_exists() {
    for document in ["README.md", "CONTRIBUTING.md", "SECURITY.md"] {
        let mut named = 0;
        let text = read(document);
        let quoted = text.split('`').skip(1).step_by(2);
        let linked = text
            .split("](")
            .skip(1)
            .filter_map(|rest| rest.split(')').next());
        for name in quoted.chain(linked) {
            let name = name.split([' ', '#']).next().unwrap_or_default();
            let dirs = [
                "src/",
                "tests/",
                "scripts/",
                "packaging/",
                "spawner/",
                ".ci/",
                ".github/",
            ];
            if dirs.iter().any(|dir| name.starts_with(dir)) && !name.contains("NAME") {
                assert!(path(name).exists(), "{document} names {name}");
                named += 1;
            }
        }
        assert!(named > 0, "{document} names no file");
    }
}

/// Returns each `$ ` command of the README and the output below it.
fn sessions() -> Vec<(String, String)> {
    let readme = read("README.md");
    let blocks = readme.split("\n```").skip(1).step_by(2);
    let consoles = blocks.filter_map(|block| block.strip_prefix("console\n"));
    let mut sessions: Vec<(String, String)> = Vec::new();
    for line in consoles.flat_map(str::lines) {
        match line.strip_prefix("$ ") {
            Some(command) => sessions.push((command.to_owned(), String::new())),
            None => {
                let (_, printed) = sessions.last_mut().expect("a command first");
                printed.push_str(line);
                printed.push('\n');
            }
        }
    }
    sessions
}

#[test]
fn the_commands_in_the_readme_print_what_it_shows() {
    let bin = Path::new(oomexec()).parent().unwrap().to_str().unwrap();
    let sessions = sessions();
    assert!(sessions.len() >= 5, "{sessions:#?}");
    for (command, printed) in sessions {
        let output = Command::new("sh")
            .args(["-c", &command])
            .env("PATH", format!("{bin}:/usr/bin:/bin"))
            .output()
            .unwrap();
        assert_eq!(
            text(&output.stdout) + &text(&output.stderr),
            printed,
            "{command}"
        );
    }
}

/// Returns whether systemd accepts this unit, and its messages.
fn verified(unit: &str) -> (bool, String) {
    let dir = TempDir::new();
    // The program that it starts need not be installed.
    let unit = unit.replace("/usr/bin/node", "/bin/true");
    let file = dir.file("gateway.service", unit, 0o644);
    let output = Command::new(tool("systemd-analyze"))
        .args(["--user", "--man=no", "verify"])
        .arg(file)
        .env("XDG_RUNTIME_DIR", dir.path())
        .output()
        .unwrap();
    (output.status.success(), text(&output.stderr))
}

#[test]
fn systemd_accepts_the_unit_in_deploy_without_a_warning() {
    let unit = read("deploy/gateway.service");
    assert_eq!(verified(&unit), (true, String::new()));
    assert!(unit.contains("\nOOMPolicy=continue\n"));
    let wrong = unit.replace("OOMPolicy=continue", "OOMPolicy=go-on");
    // systemd 252 says "OOM policy", 257 "OOMPolicy=".
    let complaint = verified(&wrong).1.replace(' ', "").to_lowercase();
    assert!(complaint.contains("oompolicy"), "{complaint}");
}
