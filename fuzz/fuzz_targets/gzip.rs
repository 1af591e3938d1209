//! Compressed bodies, by either coding.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mirador_fuzz::send;

fuzz_target!(|body: &[u8]| {
    for coding in ["gzip", "zstd"] {
        let headers = [("content-type", "application/x-ndjson"), ("content-encoding", coding)];
        send("/v1/target-sites/score", &headers, body);
    }
});
