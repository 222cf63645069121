//! Parses any command line, with arguments separated by NUL: all arguments before the
//! command are options with their values.
#![no_main]

use std::ffi::CString;

use libfuzzer_sys::fuzz_target;
use oomexec::cli::{Mode, Request};

fuzz_target!(|line: &[u8]| {
    let args: Vec<CString> = line
        .split(|byte| *byte == 0)
        .map(|arg| CString::new(arg).expect("split at each NUL"))
        .collect();
    let parse = |args: &'_ [CString]| {
        let mut request = Request::LAUNCH;
        let texts = args.iter().map(|arg| arg.as_c_str().into());
        request
            .parse(texts)
            .map(|()| (request.mode, request.index, request.score))
            .map_err(|error| error.to_string())
    };
    let request = parse(&args);
    match request {
        Ok((Mode::Run, index, _)) => {
            // argv[0] is not among the arguments.
            let options = &args[..index - 1];
            assert_eq!(options.is_empty(), index == 1);
            if let Some(first) = options.first() {
                assert!(first.as_bytes().starts_with(b"-") && first.as_bytes().len() > 1);
            }
            // What follows the command changes nothing.
            assert_eq!(parse(&args[..index]), request);
        }
        Ok(_) => assert!(args[0].as_bytes().starts_with(b"-")),
        Err(error) => assert!(!error.is_empty()),
    }
});
