//! The environment of the programs that are measured, so that the caller's own does not
//! count.

/// The variables of a program in a Node container: names and values.
pub const VARIABLES: [(&str, &str); 10] = [
    (
        "PATH",
        "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    ),
    ("HOME", "/home/node"),
    ("HOSTNAME", "4f1c2a9be07d"),
    ("LANG", "C.UTF-8"),
    ("TERM", "xterm-256color"),
    ("USER", "node"),
    ("SHELL", "/bin/bash"),
    ("PWD", "/home/node"),
    ("NODE_ENV", "production"),
    ("TZ", "UTC"),
];
