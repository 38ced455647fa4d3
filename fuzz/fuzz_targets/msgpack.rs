//! Any bytes behind the head of a MessagePack message from another node.

#![no_main]

mod invariants;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    invariants::check(bytes);
    invariants::check(&[b"\x82\xa6nodeId\x02\xa4args", bytes].concat());
});
