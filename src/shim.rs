//! The shim that gateways use instead of oomexec. Invoked as `sh`, oomexec runs the
//! shim's command line itself: for images without a shell, and gateways that know
//! nothing but the shim.
//!
//! It knows the scripts of openclaw (src/process/linux-oom-score.ts), both forms, and
//! that of spawner/, and nothing else: it is no shell.

use crate::cli::{Request, UsageError};
use crate::score::Score;
use crate::script::{EXEC, RAISE, SPAWNER};
use crate::sys::{InitialStack, ThinCStr};

/// How the longer form gives a variable its name back. It carries the variable past
/// the shell, which would act on it, under another name.
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

/// How the longer form gives its variables their names back, between the raise and the
/// exec.
const RESTORE: &str = concat!(
    restore!("BASH_ENV"),
    restore!("ENV"),
    restore!("CDPATH"),
    restore!("PS4"),
);

/// What the name of a carried variable begins with.
const CARRIER: &[u8] = b"OC_INTERNAL_OOM_EXEC_";

/// Whether `argv0`, with its NUL, is `sh`, behind a path or not.
pub fn is_sh(argv0: &[u8]) -> bool {
    matches!(argv0, b"sh\0" | [.., b'/', b's', b'h', 0])
}

/// Parses the shim's command line into what was [`Request::LAUNCH`].
///
/// # Errors
///
/// [`UsageError::NotAShell`] for any other command line.
pub fn parse(stack: &InitialStack, request: &mut Request<'_>) -> Result<(), UsageError<'static>> {
    let [option, script, command] = [1, 2, 3].map(|index| stack.arg(index));
    let score = script.and_then(score);
    if option != Some(c"-c".into()) || score.is_none() || command.is_none() {
        return Err(UsageError::NotAShell);
    }
    stack.environment.change(restored);
    request.score = score;
    request.index = 3;
    Ok(())
}

/// Returns the score that the script writes, if it is one of the known forms.
fn score(script: ThinCStr<'_>) -> Option<Score> {
    let script = script.to_bytes();
    let Some(rest) = script.strip_prefix(RAISE.as_bytes()) else {
        let [before, after] = SPAWNER.map(str::as_bytes);
        return Score::parse(script.strip_prefix(before)?.strip_suffix(after)?);
    };
    let rest = rest.strip_prefix(b" ")?;
    let rest = rest.strip_prefix(RESTORE.as_bytes()).unwrap_or(rest);
    (rest == EXEC.as_bytes()).then_some(Score::MAX)
}

/// Returns a carried variable under its own name. The shorter forms carry none.
fn restored(entry: ThinCStr<'_>) -> Option<ThinCStr<'_>> {
    entry.strip_prefix(CARRIER)
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::{RESTORE, is_sh, restored, score};
    use crate::score::Score;
    use crate::script::{SHIM, SPAWNER};
    use std::ffi::CString;
    use std::string::String;

    fn written(script: &str) -> Option<Score> {
        let script = CString::new(script).unwrap();
        score(script.as_c_str().into())
    }

    #[test]
    fn the_name_of_a_shell_is_sh_in_any_directory() {
        for name in [c"sh", c"/bin/sh", c"./sh", c"a/b/sh", c"/sh"] {
            assert!(is_sh(name.to_bytes_with_nul()), "{name:?}");
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
            assert!(!is_sh(name.to_bytes_with_nul()), "{name:?}");
        }
    }

    #[test]
    fn the_script_is_known_in_each_form_and_nothing_like_it() {
        let carrying = SHIM.replace("exec", &std::format!("{RESTORE}exec"));
        let spawner = SPAWNER.join("1000");
        for script in [SHIM, &spawner, &carrying] {
            assert_eq!(written(script), Some(Score::MAX), "{script}");
            assert_eq!(written(&std::format!("{script} ")), None);
            assert_eq!(written(&std::format!(" {script}")), None);
            assert_eq!(written(&script[1..]), None);
            assert_eq!(written(&script.replace("1000", "1001")), None);
            assert_eq!(written(&script.to_uppercase()), None);
        }
        // Only the spawners write another score.
        assert_eq!(written(&SPAWNER.join("-5")), Score::parse(b"-5"));
        for script in [SHIM, &carrying] {
            assert_eq!(written(&script.replace("1000", "999")), None);
        }
        for script in [
            "",
            "exec \"$0\" \"$@\"",
            "ls",
            "echo 1000 > /proc/self/oom_score_adj",
        ] {
            assert_eq!(written(script), None, "{script}");
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
        assert_eq!(std::format!("{names}; "), RESTORE);
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
