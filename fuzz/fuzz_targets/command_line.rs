//! Any command line: NUL-separated arguments. What is run is one of them, and
//! everything in front of it is options with their values.
#![no_main]

use std::ffi::CString;

use libfuzzer_sys::fuzz_target;
use oomexec::cli::{Request, parse};
use oomexec::number::{SCORE_MAX, SCORE_MIN};

fuzz_target!(|line: &[u8]| {
    let args: Vec<CString> = line
        .split(|byte| *byte == 0)
        .map(|arg| CString::new(arg).expect("split at each NUL"))
        .collect();
    let texts = args.iter().map(|arg| arg.as_c_str().into());
    match parse(texts) {
        Ok(Request::Run {
            score,
            command,
            index,
            ..
        }) => {
            assert!((SCORE_MIN..=SCORE_MAX).contains(&score));
            // argv[0] is not among the arguments.
            assert_eq!(command.as_ptr(), args[index - 1].as_ptr());
            let options = &args[..index - 1];
            assert_eq!(options.is_empty(), index == 1);
            if let Some(first) = options.first() {
                assert!(first.as_bytes().starts_with(b"-") && first.as_bytes().len() > 1);
            }
            // What comes behind the command changes nothing.
            let shorter = args[..index].iter().map(|arg| arg.as_c_str().into());
            let again = parse(shorter);
            assert!(matches!(again, Ok(Request::Run { index: at, .. }) if at == index));
        }
        Ok(Request::Set { score, .. }) => assert!((SCORE_MIN..=SCORE_MAX).contains(&score)),
        Ok(Request::Show { .. } | Request::Help | Request::Version) => {
            assert!(args[0].as_bytes().starts_with(b"-"));
        }
        Err(_) => {}
    }
});
