//! README, man page and `--help` say the same as the program. The files in deploy/ are what
//! their programs take. What the documents show is in docs.rs.

mod testenv;

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use oomexec::cli::HELP;
use oomexec::opt_out;
use oomexec::output::status;
use testenv::{TempDir, run, text, tool};

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

/// The files for Kubernetes.
const PODS: [&str; 2] = [
    "deploy/kubernetes.yaml",
    "deploy/kubernetes-group-kill.yaml",
];

/// Returns whether a file with this content is valid by a schema, and what the tool says.
fn valid(tool_and_options: &[&str], content: &str) -> (bool, String) {
    let tools = path("target/tools/python");
    let (name, options) = tool_and_options.split_first().expect("a tool");
    let program = tools.join("bin").join(name);
    let help = "scripts/lib/install-test-tools installs it";
    assert!(program.exists(), "this test needs {name}; {help}");
    let dir = TempDir::new();
    let output = Command::new(tool("python3"))
        .arg(program)
        .args(options)
        .arg(dir.file("file.yaml", content, 0o644))
        .env("PYTHONPATH", tools)
        .output()
        .unwrap();
    let said = text(&output.stdout) + &text(&output.stderr);
    (output.status.success(), said)
}

/// Asserts that a file in deploy/ is valid, and that it is not once a word is misspelt.
fn is_valid(tool: &[&str], name: &str, word: &str) {
    let file = read(name);
    let (is_valid, said) = valid(tool, &file);
    assert!(is_valid, "{name}: {said}");
    let (is_valid, said) = valid(tool, &file.replace(word, "misspelt"));
    assert!(
        !is_valid && said.contains("'misspelt' was unexpected"),
        "{said}"
    );
}

#[test]
fn the_pods_in_deploy_are_what_kubernetes_takes() {
    for pod in PODS {
        is_valid(&["kubernetes-validate", "--strict"], pod, "securityContext");
    }
}

#[test]
fn the_service_in_deploy_is_what_docker_compose_takes() {
    let tool = [
        "check-jsonschema",
        "--builtin-schema",
        "vendor.compose-spec",
    ];
    is_valid(&tool, "deploy/compose.yaml", "mem_limit");
}

#[test]
fn the_pod_for_a_group_kill_is_as_the_vm_runs_it() {
    let pod = read("deploy/kubernetes-group-kill.yaml");
    for line in [
        r#"command: ["oomexec", "-n", "-1000", "--","#,
        "runAsUser: 0",
        "allowPrivilegeEscalation: false",
        "capabilities: { drop: [ALL], add: [SYS_RESOURCE] }",
    ] {
        assert!(pod.contains(line), "{line}");
    }
    let vm = read("scripts/lib/test-vm/container.c").replace('\\', "");
    for line in [
        r#""/oomexec", "-n", "-1000", "--""#,
        r#""noNewPrivileges": true"#,
        r#"["CAP_SYS_RESOURCE"]"#,
        "container->user ? 65532 : 0",
    ] {
        assert!(vm.contains(line), "{line}");
    }
    let recipe = r#"{ "recipe", { .capable = 1, .recipe = 1 }, 10 }"#;
    assert!(read("scripts/lib/test-vm/init.c").contains(recipe));
}

#[test]
fn no_file_in_deploy_runs_an_image_that_the_documents_build() {
    let documents = read("README.md") + &read("docs/gateways.md");
    let built: Vec<_> = documents
        .split(" -t ")
        .skip(1)
        .filter_map(|rest| rest.split_whitespace().next())
        .collect();
    assert!(built.contains(&"gateway"), "{built:?}");
    for name in PODS.iter().chain(&["deploy/compose.yaml"]) {
        let file = read(name);
        let images: Vec<_> = file
            .lines()
            .filter_map(|line| line.trim_start_matches([' ', '-']).strip_prefix("image: "))
            .filter_map(|image| image.split([' ', ':']).next())
            .collect();
        assert!(!images.is_empty(), "{name}");
        assert!(!images.iter().any(|image| built.contains(image)), "{name}");
    }
}
