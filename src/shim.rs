//! The shim that gateways have in place of oomexec, of which it runs the script as
//! its own when it is started under the name `sh`: for images that have no shell, and
//! gateways that know of nothing else.
//!
//! The script is that of openclaw (src/process/linux-oom-score.ts), in both forms, or
//! that of spawner/, and no other: this is not a shell. It is known by its hash, for
//! the text would be as large as all that is done with it.

use crate::c_text::CText;

/// The raise and the exec.
const PLAIN: &str = r#"echo 1000 > /proc/self/oom_score_adj 2>/dev/null; exec "$0" "$@""#;

/// The same without a truncation, and without a complaint where it is refused.
const OURS: &str = r#"echo 1000 2>/dev/null >>/proc/self/oom_score_adj; exec "$0" "$@""#;

/// How the longer form gives a variable its name back, which it carries past the
/// shell under another: the shell would act on it.
macro_rules! restore {
    ($name:literal) => {
        concat!(
            "if [ \"${OC_INTERNAL_OOM_EXEC_",
            $name,
            "+x}\" = x ]; then ",
            $name,
            "=\"$OC_INTERNAL_OOM_EXEC_",
            $name,
            "\"; export ",
            $name,
            "; fi; unset OC_INTERNAL_OOM_EXEC_",
            $name,
            "; "
        )
    };
}

/// The raise, the variables that were carried, and the exec.
const CARRYING: &str = concat!(
    "echo 1000 > /proc/self/oom_score_adj 2>/dev/null; ",
    restore!("BASH_ENV"),
    restore!("ENV"),
    restore!("CDPATH"),
    restore!("PS4"),
    "exec \"$0\" \"$@\"",
);

/// What the name of a variable that is carried begins with.
const CARRIER: &[u8] = b"OC_INTERNAL_OOM_EXEC_";

/// Whether `argv0` is that of a shell: `sh`, behind a path or not.
#[must_use]
pub fn is_shell(argv0: CText<'_>) -> bool {
    matches!(argv0.to_bytes(), b"sh" | [.., b'/', b's', b'h'])
}

/// Whether this is the script, in one of its forms.
#[must_use]
pub fn is_script(script: CText<'_>) -> bool {
    const PLAIN_HASH: u64 = hash(PLAIN.as_bytes());
    const OURS_HASH: u64 = hash(OURS.as_bytes());
    const CARRYING_HASH: u64 = hash(CARRYING.as_bytes());
    matches!(
        hash(script.to_bytes()),
        PLAIN_HASH | OURS_HASH | CARRYING_HASH
    )
}

/// FNV-1a, of 64 bits.
const fn hash(mut text: &[u8]) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325;
    while let [byte, rest @ ..] = text {
        hash = (hash ^ *byte as u64).wrapping_mul(0x100_0000_01b3);
        text = rest;
    }
    hash
}

/// What an entry of the environment is to be, if it is a carrier's: the same under
/// its own name. The shorter forms come without such entries.
#[must_use]
pub fn restored(entry: CText<'_>) -> Option<CText<'_>> {
    entry.strip_prefix(CARRIER)
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::{CARRYING, OURS, PLAIN, is_script, is_shell, restored};
    use std::ffi::CString;
    use std::string::{String, ToString};

    fn is(script: &str) -> bool {
        let script = CString::new(script).unwrap();
        is_script(script.as_c_str().into())
    }

    #[test]
    fn the_name_of_a_shell_is_sh_in_any_directory() {
        for name in [c"sh", c"/bin/sh", c"./sh", c"a/b/sh", c"/sh"] {
            assert!(is_shell(name.into()), "{name:?}");
        }
        for name in [
            c"",
            c"s",
            c"h",
            c"dash",
            c"ash",
            c"-sh",
            c"sh/",
            c"/sh/",
            c"sh.x",
            c"/bin/shh",
            c"/",
            c"oomexec",
            c"/bin/oomexec",
        ] {
            assert!(!is_shell(name.into()), "{name:?}");
        }
    }

    #[test]
    fn the_script_is_known_in_each_form_and_nothing_like_it() {
        for script in [PLAIN, OURS, CARRYING] {
            assert!(is(script), "{script}");
            assert!(!is(&std::format!("{script} ")));
            assert!(!is(&std::format!(" {script}")));
            assert!(!is(&script[1..]));
            assert!(!is(&script.replace("1000", "999")));
            assert!(!is(&script.to_uppercase()));
        }
        for script in [
            "",
            "exec \"$0\" \"$@\"",
            "ls",
            "echo 1000 > /proc/self/oom_score_adj",
        ] {
            assert!(!is(script), "{script}");
        }
    }

    #[test]
    fn the_longer_form_is_the_one_that_openclaw_has() {
        let one = |name: &str| -> String {
            "if [ \"${OC_INTERNAL_OOM_EXEC_X+x}\" = x ]; then X=\"$OC_INTERNAL_OOM_EXEC_X\"; \
             export X; fi; unset OC_INTERNAL_OOM_EXEC_X"
                .replace("_X", &std::format!("_{name}"))
                .replace("X=", &std::format!("{name}="))
                .replace("export X", &std::format!("export {name}"))
        };
        let names = ["BASH_ENV", "ENV", "CDPATH", "PS4"].map(one).join("; ");
        let (raise, exec) = PLAIN.split_once("; ").unwrap();
        assert_eq!(
            [raise.to_string(), names, exec.to_string()].join("; "),
            CARRYING
        );
    }

    #[test]
    fn a_carried_variable_has_its_name_back() {
        let restored = |entry: &'static std::ffi::CStr| restored(entry.into());
        assert_eq!(
            restored(c"OC_INTERNAL_OOM_EXEC_PS4=a b"),
            Some(c"PS4=a b".into())
        );
        assert_eq!(restored(c"PS4=a"), None);
        assert_eq!(restored(c"XOC_INTERNAL_OOM_EXEC_PS4=a"), None);
    }
}
