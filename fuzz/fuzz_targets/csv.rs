//! Tables: taken whole, answered line by line, and with their columns named by the URL.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mirador_fuzz::send;

fuzz_target!(|body: &[u8]| {
    let headers = [("content-type", "text/csv")];
    send("/v1/target-sites/score", &headers, body);
    send("/v1/target-sites/score?header=mirna,site,x&keep_columns=true", &headers, body);
    send("/v1/target-sites/score", &[("content-type", "text/tab-separated-values"), ("accept", "application/x-ndjson")], body);
});
