//! Any bytes as a payload, JSON unless they begin a MessagePack map.

#![no_main]

mod invariants;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|payload: &[u8]| invariants::check(payload));
