//! Any text as a node id, and as a string that is compared with a number.

#![no_main]

use libfuzzer_sys::fuzz_target;
use socket_io_redis_native::{codec::string_to_number, store::NodeId};

fuzz_target!(|text: &str| {
    let number = NodeId::Number(string_to_number(text));
    let string = NodeId::String(text.to_owned());
    let is_nan = string_to_number(text).is_nan();
    assert_eq!(string.loosely_equals(&number), !is_nan);
    assert_eq!(number.loosely_equals(&string), !is_nan);
    assert!(string.loosely_equals(&string));
    assert_eq!(NodeId::from_json(&string.to_json()), Some(string));

    if let Some(id) = NodeId::from_json(text) {
        let json = id.to_json();
        // An infinity has no JSON, and reads back as no id.
        assert!(json == "null" || NodeId::from_json(&json) == Some(id));
    }
});
