//! Requests in JSON, as they are and with other fields kept.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mirador_fuzz::send;

fuzz_target!(|body: &[u8]| {
    let headers = [("content-type", "application/json")];
    send("/v1/target-sites/score", &headers, body);
    send("/v1/target-sites/score?keep_columns=true&column.mirna=m&mirna_direction=3to5", &headers, body);
});
