//! The test cases shared with the Node library.

mod testenv;

use std::collections::BTreeMap;
use std::env;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, ExitStatus};

use oomexec_spawner::{Launch, OomKills, Pin, explain_exit};
use serde_json::Value;
use testenv::{Directory, again};

type Environment = BTreeMap<OsString, OsString>;

fn table() -> Value {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../cases.json");
    let text = fs::read_to_string(file).expect("the table is there");
    serde_json::from_str(&text).expect("the table is JSON")
}

fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value[key].as_array().map_or(&[], Vec::as_slice)
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key]
        .as_str()
        .unwrap_or_else(|| panic!("no {key} in {value}"))
}

/// Each case runs in a new process with the environment and the directory of its gateway.
#[test]
fn prepare_matches_every_case() {
    let table = table();
    let mut wrong = Vec::new();
    for (number, case) in list(&table, "rule").iter().enumerate() {
        let directory = Directory::new();
        let place = directory.0.to_str().expect("text");
        let case = fill(case, place, text(&table, "shim"));

        directory.make("bin/tool", "executable");
        directory.make("opt/oomexec", "oomexec");
        for (path, kind) in case["files"].as_object().into_iter().flatten() {
            directory.make(path, kind.as_str().expect("a kind"));
        }
        let set_mode = |path: &str, mode| {
            let mode = fs::Permissions::from_mode(mode);
            fs::set_permissions(directory.0.join(path), mode).expect("its mode is set");
        };
        set_mode("", 0o755);
        for (path, mode) in case["modes"].as_object().into_iter().flatten() {
            let mode = u32::from_str_radix(mode.as_str().expect("a mode"), 8);
            set_mode(path, mode.expect("an octal mode"));
        }
        let mut gateway = again("one_case");
        gateway.current_dir(place).env_clear();
        match case["gateway"].as_object() {
            Some(variables) => gateway.envs(
                variables
                    .iter()
                    .map(|(name, value)| (name, value.as_str().unwrap())),
            ),
            None => gateway.env("PATH", format!("{place}/bin")),
        };
        gateway.env("OOMEXEC_CASE", number.to_string());
        let output = gateway.output().expect("it starts");
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            wrong.push(format!("{}\n{said}", text(&case, "name")));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(
        list(&table, "rule").len() > 100,
        "the table has all its cases"
    );
}

#[test]
#[ignore = "started by prepare_matches_every_case"]
fn one_case() {
    let Some(number) = env::var("OOMEXEC_CASE")
        .ok()
        .and_then(|number| number.parse::<usize>().ok())
    else {
        return;
    };
    let table = table();
    let directory = env::current_dir().expect("a directory");
    let place = directory.to_str().expect("text");
    let case = fill(&list(&table, "rule")[number], place, text(&table, "shim"));

    let launch = launch_of(&case, place);
    let prepared = launch.prepare();

    let expect = &case["expect"];
    let via = text(expect, "via");
    assert_eq!(
        (prepared.via.code(), prepared.why.code()),
        (via, text(expect, "why"))
    );
    assert_eq!(prepared.wrapped(), via != "direct");
    let expected = if expect["command"].is_string() {
        expect
    } else {
        &case
    };
    assert_eq!(prepared.program(), text(expected, "command"));
    let args: Vec<&OsStr> = prepared.args().collect();
    let expected_args: Vec<&str> = list(expected, "args")
        .iter()
        .filter_map(Value::as_str)
        .collect();
    assert_eq!(args, expected_args);
    let cwd = case["cwd"].as_str();
    assert_eq!(prepared.current_dir().and_then(Path::to_str), cwd);
    let argv0 = match expect["command"].is_string() {
        true => expect["argv0"].as_str(),
        false => case["argv0"].as_str(),
    };
    assert_eq!(prepared.argv0().and_then(OsStr::to_str), argv0);

    let inherits = !case["env"].is_object();
    let mut environment = own_environment(inherits);
    for (name, value) in case["env"].as_object().into_iter().flatten() {
        if let Some(value) = value.as_str() {
            environment.insert(name.into(), value.into());
        }
    }
    for name in list(expect, "removed") {
        let name = name.as_str().expect("a name");
        assert!(
            environment.remove(OsStr::new(name)).is_some(),
            "{name} was in the environment"
        );
    }
    assert_eq!(prepared.env(), environment);

    // The command has the same parts.
    let command = Command::from(prepared);
    assert_eq!(command.get_program(), text(expected, "command"));
    assert_eq!(command.get_args().collect::<Vec<_>>(), expected_args);
    assert_eq!(command.get_current_dir().and_then(Path::to_str), cwd);
    assert_eq!(environment_of(&command, inherits), environment);
}

fn launch_of(case: &Value, place: &str) -> Launch {
    let mut launch = Launch::new(text(case, "command"));
    launch.args(list(case, "args").iter().filter_map(Value::as_str));
    if let Some(variables) = case["env"].as_object() {
        launch.env_clear();
        for (name, value) in variables {
            match value.as_str() {
                Some(value) => launch.env(name, value),
                None => launch.env_remove(name),
            };
        }
    }
    if let Some(cwd) = case["cwd"].as_str() {
        launch.current_dir(cwd);
    }
    if let Some(name) = case["argv0"].as_str() {
        launch.argv0(name);
    }
    match &case["pin"] {
        Value::String(pin) if pin == "write" => launch.pin(Pin::Write),
        pin => launch.pin(*pin == true),
    };
    if let Some(score) = case["score"].as_i64() {
        launch.score(score as i32).expect("a score");
    }
    if let Some(id) = case["uid"].as_u64() {
        launch.uid(id as u32);
    }
    if let Some(id) = case["gid"].as_u64() {
        launch.gid(id as u32);
    }
    launch
        .exact_env(case["exactEnv"] == true)
        .exempt(case["exempt"] == true);
    launch.platform(case["platform"].as_str().unwrap_or("linux"));
    match case.get("oomexec") {
        None => launch.oomexec(format!("{place}/opt/oomexec")),
        Some(Value::Null) => &mut launch,
        Some(Value::Bool(false)) => launch.without_oomexec(),
        Some(path) => launch.oomexec(path.as_str().expect("a path")),
    };
    if case["shell"] == false {
        launch.without_shell();
    }
    launch
}

fn own_environment(inherits: bool) -> Environment {
    env::vars_os().filter(|_| inherits).collect()
}

fn environment_of(command: &Command, inherits: bool) -> Environment {
    let mut environment = own_environment(inherits);
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => environment.insert(name.to_owned(), value.to_owned()),
            None => environment.remove(name),
        };
    }
    environment
}

#[test]
fn explain_exit_matches_every_case() {
    let table = table();
    for case in list(&table, "exits") {
        let status = match case["signal"].as_str() {
            Some("SIGKILL") => ExitStatus::from_raw(9),
            Some("SIGTERM") => ExitStatus::from_raw(15),
            Some(signal) => panic!("no number for {signal}"),
            None => ExitStatus::from_raw((case["code"].as_i64().expect("a code") as i32) << 8),
        };
        let count = |key: &str| {
            let file = "memory.events".into();
            let kills = case[key].as_u64()?;
            Some(OomKills { file, kills })
        };
        let (before, after) = (count("before"), count("after"));
        let got = explain_exit(
            status,
            case["wrapped"] == true,
            before.as_ref(),
            after.as_ref(),
        );
        let expected = (text(case, "kind"), text(case, "text"));
        assert_eq!(
            (got.kind.code(), got.text.as_str()),
            expected,
            "{}",
            text(case, "name")
        );
    }
}

#[test]
fn counts_of_two_cgroups_are_not_compared() {
    let count = |file: &str, kills| OomKills {
        file: file.into(),
        kills,
    };
    let (before, after) = (count("a/memory.events", 0), count("b/memory.events", 1));
    let got = explain_exit(ExitStatus::from_raw(9), true, Some(&before), Some(&after));
    assert_eq!(got.kind.code(), "killed-unknown");
}

/// Replaces the placeholders $OOMEXEC, $DIR and $SHIM.
fn fill(value: &Value, directory: &str, shim: &str) -> Value {
    match value {
        Value::String(text) => {
            let text = text.replace("$OOMEXEC", "$DIR/opt/oomexec");
            Value::String(text.replace("$DIR", directory).replace("$SHIM", shim))
        }
        Value::Array(values) => values
            .iter()
            .map(|value| fill(value, directory, shim))
            .collect(),
        Value::Object(fields) => fields
            .iter()
            .map(|(name, value)| (name.clone(), fill(value, directory, shim)))
            .collect(),
        other => other.clone(),
    }
}
