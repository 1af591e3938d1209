//! Lines of JSON.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mirador_fuzz::send;

fuzz_target!(|body: &[u8]| {
    let headers = [("content-type", "application/x-ndjson")];
    send("/v1/target-sites/score", &headers, body);
    send("/v1/target-sites/score?keep_columns=true", &headers, body);
});
