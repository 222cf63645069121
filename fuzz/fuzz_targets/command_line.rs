//! Any command line: NUL-separated arguments. What is run is one of them, and
//! everything in front of it is options with their values.
#![no_main]

use std::ffi::CString;

use libfuzzer_sys::fuzz_target;
use oomexec::cli::{Mode, Request, Usage};
use oomexec::number::{SCORE_MAX, SCORE_MIN};

fuzz_target!(|line: &[u8]| {
    let args: Vec<CString> = line
        .split(|byte| *byte == 0)
        .map(|arg| CString::new(arg).expect("split at each NUL"))
        .collect();
    let read = |args: &'_ [CString]| {
        let mut request = Request::LAUNCH;
        let texts = args.iter().map(|arg| arg.as_c_str().into());
        request
            .read(texts)
            .map(|()| (request.mode, request.index, request.score))
            .map_err(|Usage(message, _)| message)
    };
    let request = read(&args);
    if let Ok((_, _, Some(score))) = request {
        assert!((SCORE_MIN..=SCORE_MAX).contains(&score));
    }
    match request {
        Ok((Mode::Run, index, _)) => {
            // argv[0] is not among the arguments.
            let options = &args[..index - 1];
            assert_eq!(options.is_empty(), index == 1);
            if let Some(first) = options.first() {
                assert!(first.as_bytes().starts_with(b"-") && first.as_bytes().len() > 1);
            }
            // What comes behind the command changes nothing.
            assert_eq!(read(&args[..index]), request);
        }
        Ok(_) => assert!(args[0].as_bytes().starts_with(b"-")),
        Err(_) => {}
    }
});
