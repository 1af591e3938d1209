//! Tensors: all of it JSON, and with the first byte of the body as the length of the JSON.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mirador_fuzz::send;

fuzz_target!(|body: &[u8]| {
    send("/v2/models/dmiso/infer", &[], body);
    if let Some((length, body)) = body.split_first() {
        let length = length.to_string();
        send("/v2/models/dmiso/infer", &[("inference-header-content-length", &length)], body);
    }
});
