//! The completions in bash, fish and zsh: oomexec's own options, then those of the
//! command.

mod testenv;

use std::path::PathBuf;
use std::process::Command;

use oomexec::cli::HELP;
use testenv::{TempDir, run, tool};

fn file(name: &str) -> PathBuf {
    PathBuf::from(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/packaging/completions"
    ))
    .join(name)
}

/// Returns the words that a shell offers after this line, without descriptions.
type Shell = fn(&str) -> Vec<String>;

/// Calls the function that bash would call, with the words split as bash does.
fn bash(line: &str) -> Vec<String> {
    const SCRIPT: &str = r#"
        . /usr/share/bash-completion/bash_completion
        . "$0"
        compopt() { :; } # the builtin works only while bash itself completes
        COMP_LINE=$1 COMP_POINT=${#1}
        read -ra COMP_WORDS <<<"${1//=/ = }"
        [[ $1 != *[\ =] ]] || COMP_WORDS+=('')
        COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
        "$(complete -p oomexec | sed 's/.*-F \([^ ]*\).*/\1/')" oomexec \
            "${COMP_WORDS[-1]}" "${COMP_WORDS[-2]}"
        printf '%s\n' "${COMPREPLY[@]}"
    "#;
    let mut bash = Command::new(tool("bash"));
    bash.args(["--norc", "-c", SCRIPT])
        .arg(file("oomexec.bash"))
        .arg(line);
    words(&run(&mut bash))
}

fn fish(line: &str) -> Vec<String> {
    const SCRIPT: &str = "source $argv[1]; complete -C $argv[2]";
    let home = TempDir::new();
    let mut fish = Command::new(tool("fish"));
    fish.args(["-c", SCRIPT])
        .arg(file("oomexec.fish"))
        .arg(line)
        .env_remove("XDG_CONFIG_HOME")
        .env("HOME", home.path());
    words(&run(&mut fish))
}

/// Types the line in a terminal (zsh/zpty): zsh has no other way to complete.
fn zsh(line: &str) -> Vec<String> {
    const SCRIPT: &str = r#"
        zmodload zsh/zpty
        zpty z env TERM=dumb COLUMNS=400 zsh -f -i
        zpty -w z "unset zle_bracketed_paste; PS1=; LISTMAX=9999; fpath=(${(q)1:h} \$fpath)"
        zpty -w z "autoload -Uz compinit; compinit -u -D; zstyle ':completion:*' verbose no"
        # Prints a mark right after the list.
        zpty -w z 'listed() { zle list-choices; zle -R; zle -I; print -r LIST""ED }; zle -N listed'
        zpty -w z 'bindkey "^I" listed; stty -echo; print -r READ""Y'
        zpty -r z shown '*READY*'
        zpty -w -n z "$2"$'\t'
        zpty -r z shown '*LISTED*'
        zpty -d z
        print -r -- ${shown//$'\r'}
    "#;
    let mut zsh = Command::new(tool("zsh"));
    zsh.args(["-f", "-c", SCRIPT, "zsh"])
        .arg(file("_oomexec"))
        .arg(line);
    let shown = run(&mut zsh);
    // zsh prints the list in columns between two copies of the line.
    let list = shown.split(line).nth(1).expect("the line");
    list.split_whitespace()
        .filter(|word| *word != "LISTED")
        .map(str::to_owned)
        .collect()
}

fn words(printed: &str) -> Vec<String> {
    let word = |line: &str| line.split('\t').next().unwrap_or_default().to_owned();
    let words = printed.lines().map(word);
    words.filter(|word| !word.is_empty()).collect()
}

const SHELLS: [(&str, Shell); 3] = [("bash", bash), ("fish", fish), ("zsh", zsh)];

#[track_caller]
fn all_offer(line: &str, expected: &[&str], not: &[&str]) {
    for (name, shell) in SHELLS {
        let offered = shell(line);
        let has = |word: &&&str| offered.iter().any(|offer| offer == **word);
        let missing: Vec<_> = expected.iter().filter(|word| !has(word)).collect();
        assert!(
            missing.is_empty(),
            "{name}, '{line}': no {missing:?} in {offered:?}"
        );
        let wrong: Vec<_> = not.iter().filter(has).collect();
        assert!(
            wrong.is_empty(),
            "{name}, '{line}': {wrong:?} in {offered:?}"
        );
    }
}

#[test]
fn every_option_is_offered_and_no_other() {
    let options: Vec<_> = HELP
        .lines()
        .filter(|line| line.trim_start().starts_with('-'))
        .filter_map(|line| line.split_whitespace().find(|word| word.starts_with("--")))
        .map(|option| option.trim_end_matches("[=write]"))
        .collect();
    assert_eq!(options.len(), 7, "{options:?}");
    all_offer("oomexec --", &options, &[]);
    for (name, shell) in SHELLS {
        for offer in shell("oomexec --") {
            let option = offer.trim_end_matches("write").trim_end_matches('=');
            assert!(options.contains(&option), "{name}: {offer}");
        }
    }
    all_offer("oomexec --pi", &["--pin", "--pid"], &["--check"]);
}

#[test]
fn a_command_is_offered_where_one_is_allowed() {
    for line in [
        "oomexec dpkg-de",
        "oomexec -- dpkg-de",
        "oomexec -n 5 dpkg-de",
        "oomexec --adjust=5 --pin dpkg-de",
        "oomexec --pin=write dpkg-de",
        "oomexec --pin=write -n 5 -- dpkg-de",
        "oomexec -a name -- dpkg-de",
    ] {
        all_offer(line, &["dpkg-deb"], &[]);
    }
}

#[test]
fn after_the_command_only_its_own_options_are_offered() {
    for line in [
        "oomexec dpkg --",
        "oomexec -- dpkg --",
        "oomexec -n 5 --pin dpkg --",
        "oomexec --pin=write dpkg --",
        "oomexec --argv0=name -- dpkg --",
    ] {
        all_offer(line, &["--install", "--remove"], &["--pin", "--argv0"]);
    }
}

#[test]
fn the_strength_of_a_pin_is_offered_behind_its_equals_sign() {
    for (name, shell) in SHELLS {
        for line in ["oomexec --pin=", "oomexec -n 5 --pin=wr"] {
            let offered = shell(line);
            let is_strength = |word: &String| ["write", "--pin=write"].contains(&&**word);
            assert!(
                !offered.is_empty() && offered.iter().all(is_strength),
                "{name}, '{line}': {offered:?}"
            );
        }
        // It must be attached.
        let offered = shell("oomexec --pin dpkg-de");
        assert!(
            offered.contains(&"dpkg-deb".to_owned()),
            "{name}: {offered:?}"
        );
    }
}

#[test]
fn a_pid_is_offered_where_one_is_expected() {
    let own = std::process::id().to_string();
    for (name, shell) in [SHELLS[0], SHELLS[1]] {
        for line in ["oomexec -p ", "oomexec --check "] {
            assert!(shell(line).contains(&own), "{name}, {line}");
        }
    }
    // zsh offers only the processes of its own terminal.
    for line in ["oomexec -p ", "oomexec --check "] {
        assert!(
            zsh(line).iter().any(|word| word.parse::<u32>().is_ok()),
            "{line}"
        );
    }
}

#[test]
fn option_values_are_not_completed_as_commands() {
    for (name, shell) in SHELLS {
        for line in ["oomexec -n ", "oomexec -a dpkg-de", "oomexec --adjust="] {
            let offered = shell(line);
            let command = |word: &String| word.starts_with("dpkg") || word.contains("=dpkg");
            assert!(!offered.iter().any(command), "{name}, {line}: {offered:?}");
        }
    }
}
