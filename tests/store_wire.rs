//! The wire against goldens that the real `RedisStore` of socket.io@0.9.19 wrote and read
//! (`golden/make.js`), and against what no server would write.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may fail loudly, in its helpers too"
)]

use serde::Deserialize;
use serde_json::{Value, value::RawValue};
use socket_io_redis_native::codec::{EncodeError, MAX_DEPTH, Malformed};
use socket_io_redis_native::codec::{json_number, string_to_number};
use socket_io_redis_native::store::wire::{Codec, Shape, decode, encode};
use socket_io_redis_native::store::{Args, Incoming, NodeId};

const JSON: &str = include_str!("golden/json.json");
const MESSAGE_PACK: &str = include_str!("golden/msgpack.json");

#[derive(Deserialize)]
struct Goldens {
    published: Vec<Published>,
    #[serde(rename = "handWritten")]
    hand_written: Vec<HandWritten>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Published {
    channel: String,
    node_id: String,
    args_json: String,
    payload: String,
    own: Outcome,
    foreign: Outcome,
}

#[derive(Deserialize)]
struct HandWritten {
    payload: String,
    #[serde(flatten)]
    outcome: Outcome,
}

/// What JavaScript made of a payload.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Outcome {
    Own(bool),
    Args(String),
    Throws(bool),
}

fn goldens(text: &str) -> Goldens {
    serde_json::from_str(text).unwrap()
}

fn unhex(text: &str) -> Vec<u8> {
    let digit = |b: u8| u8::try_from((b as char).to_digit(16).unwrap()).unwrap();
    let pairs = text.as_bytes().chunks_exact(2);
    pairs.map(|pair| digit(pair[0]) << 4 | digit(pair[1])).collect()
}

fn double(bits: &str) -> f64 {
    f64::from_bits(u64::from_str_radix(bits, 16).unwrap())
}

fn one() -> NodeId {
    NodeId::Number(1.0)
}

fn any(payload: &[u8]) -> Result<Incoming<'_>, Malformed> {
    decode(payload, Shape::Any, &NodeId::Number(1.0))
}

fn dispatch(payload: &[u8]) -> Incoming<'_> {
    decode(payload, Shape::Dispatch, &NodeId::Number(1.0)).unwrap()
}

/// The arguments as JSON text, in whichever form they came.
fn text(args: &Args<'_>) -> String {
    match args {
        Args::Json(text) => text.to_string(),
        Args::Dispatch { room, packet, volatile, exceptions } => {
            let exceptions = if exceptions.is_empty() { "[]" } else { exceptions };
            let [room, packet] = [room, packet].map(|text| serde_json::to_string(text).unwrap());
            let volatile = serde_json::to_string(volatile).unwrap();
            format!("[{room},{packet},{volatile},{exceptions}]")
        }
    }
}

fn outcome(decoded: &Result<Incoming<'_>, Malformed>) -> Outcome {
    match decoded {
        Ok(Incoming::Own) => Outcome::Own(true),
        Ok(Incoming::Foreign(args)) => Outcome::Args(text(args)),
        Err(_) => Outcome::Throws(true),
    }
}

/// JSON text as a value, so that escapes and spaces do not count.
fn meaning(outcome: Outcome) -> Result<Value, Outcome> {
    match outcome {
        Outcome::Args(text) => Ok(serde_json::from_str(&text).unwrap()),
        other => Err(other),
    }
}

/// What is expected of a channel that promises dispatches: anything else would make the server
/// throw, so there we are stricter than the real store.
fn expected(outcome: Outcome, shape: Shape) -> Outcome {
    match &outcome {
        Outcome::Args(text) if shape == Shape::Dispatch && !is_like_dispatch(text) => {
            Outcome::Throws(true)
        }
        _ => outcome,
    }
}

fn is_like_dispatch(text: &str) -> bool {
    // Unread, since a lone surrogate is no `Value`.
    let args: Vec<&RawValue> = serde_json::from_str(text).unwrap();
    let starts = |at: usize, with: char| args.get(at).is_some_and(|v| v.get().starts_with(with));
    starts(0, '"') && starts(1, '"') && starts(3, '[')
}

fn check_published(codec: Codec, text: &str) {
    for golden in goldens(text).published {
        let payload = unhex(&golden.payload);
        let written = encode(codec, &golden.node_id, &golden.args_json).unwrap();
        assert_eq!(written, payload, "{}", golden.args_json);

        for shape in [Shape::Any, Shape::Dispatch] {
            let own = NodeId::from_json(&golden.node_id).unwrap();
            let expect = |outcome: &Outcome| expected(outcome.clone(), shape);
            assert_eq!(expect(&golden.own), outcome(&decode(&payload, shape, &own)));
            let other = NodeId::Number(2468.0);
            assert_eq!(expect(&golden.foreign), outcome(&decode(&payload, shape, &other)));
        }
    }
}

#[test]
fn publishes_and_receives_as_the_real_store_in_json() {
    check_published(Codec::Json, JSON);
}

#[test]
fn publishes_and_receives_as_the_real_store_in_messagepack() {
    check_published(Codec::MessagePack, MESSAGE_PACK);
}

#[test]
fn understands_hand_written_payloads_as_the_real_store() {
    for golden in [JSON, MESSAGE_PACK].map(goldens).into_iter().flat_map(|g| g.hand_written) {
        let payload = unhex(&golden.payload);
        for shape in [Shape::Any, Shape::Dispatch] {
            let ours = outcome(&decode(&payload, shape, &one()));
            let shown = String::from_utf8_lossy(&payload);
            let expected = expected(golden.outcome.clone(), shape);
            assert_eq!(meaning(ours), meaning(expected), "{shown}");
        }
    }
}

#[test]
fn takes_every_real_dispatch_apart() {
    let is_dispatch = |args: &Value| {
        let strings = |v: &Value| v.as_array().is_some_and(|a| a.iter().all(Value::is_string));
        let args = args.as_array().unwrap();
        args.len() == 4
            && args[0].is_string()
            && args[1].is_string()
            && (args[2].is_boolean() || args[2].is_null())
            && strings(&args[3])
    };
    let mut seen = [0, 0];
    for golden in [JSON, MESSAGE_PACK].map(goldens).into_iter().flat_map(|g| g.published) {
        let Ok(args) = serde_json::from_str(&golden.args_json) else {
            continue; // a lone surrogate: it has a test of its own below
        };
        let payload = unhex(&golden.payload);
        let decoded = decode(&payload, Shape::Dispatch, &NodeId::Number(2468.0));
        let apart = matches!(decoded, Ok(Incoming::Foreign(Args::Dispatch { .. })));
        assert_eq!(apart, is_dispatch(&args), "{}: {args}", golden.channel);
        seen[usize::from(apart)] += 1;
    }
    assert!(seen.iter().all(|&n| n >= 10), "{seen:?}");
}

#[test]
fn a_dispatch_keeps_apart_what_javascript_keeps_apart() {
    let with = |volatile, exceptions| {
        let args = format!(r#"["/r","3:::x",{volatile},{exceptions}]"#);
        encode(Codec::Json, "2", &args).unwrap()
    };
    for (json, expected) in [("null", None), ("true", Some(true)), ("false", Some(false))] {
        let payload = with(json, "[]");
        let Incoming::Foreign(Args::Dispatch { volatile, exceptions, .. }) = dispatch(&payload)
        else {
            panic!("not taken apart: {json}")
        };
        assert_eq!((volatile, &*exceptions), (expected, ""));
    }
    for (json, expected) in
        [("[ ]", ""), (r#"["a", "b"]"#, r#"["a", "b"]"#), (r#"["\ud83d"]"#, r#"["\ud83d"]"#)]
    {
        let payload = with("null", json);
        let Incoming::Foreign(Args::Dispatch { exceptions, .. }) = dispatch(&payload) else {
            panic!("not taken apart: {json}")
        };
        assert_eq!(exceptions, expected);
    }
}

#[test]
fn a_lone_surrogate_is_left_to_javascript() {
    for args in [r#"["","3:::\ud83d",null,[]]"#, r#"["\udc00","a",null,[]]"#] {
        let payload = encode(Codec::Json, "2", args).unwrap();
        assert_eq!(dispatch(&payload), Incoming::Foreign(Args::Json(args.into())));
    }
}

#[test]
fn a_lone_surrogate_becomes_a_replacement_character_in_messagepack() {
    for (args, expected) in [
        (r#"["\ud800"]"#, "[\"\u{fffd}\"]"),
        (r#"["a\uDC00b\ud83d\ude00"]"#, "[\"a\u{fffd}b😀\"]"),
        (r#"["\ud83d\ud83d\ude00"]"#, "[\"\u{fffd}😀\"]"),
        (r#"["\udc00\ud800\\ud800\n"]"#, "[\"\u{fffd}\u{fffd}\\\\ud800\\n\"]"),
        (r#"[{"\udfff":"é"}]"#, "[{\"\u{fffd}\":\"é\"}]"),
    ] {
        let payload = encode(Codec::MessagePack, "2", args).unwrap();
        assert_eq!(any(&payload), Ok(Incoming::Foreign(Args::Json(expected.into()))), "{args}");
    }
}

#[test]
fn broken_utf8_in_messagepack_becomes_replacement_characters() {
    let payload = b"\x82\xa6nodeId\x02\xa4args\x91\xa3a\xffb";
    assert_eq!(any(payload), Ok(Incoming::Foreign(Args::Json("[\"a\u{fffd}b\"]".into()))));
}

#[test]
fn repeated_keys_in_messagepack_pass_through() {
    let payload = b"\x81\xa4args\x91\x82\xa1a\x01\xa1a\x02";
    assert_eq!(any(payload), Ok(Incoming::Foreign(Args::Json(r#"[{"a":1,"a":2}]"#.into()))));
}

#[test]
fn borrows_what_it_can() {
    let payload = br#"{"nodeId":2,"args":["room","3:::plain",null,["a"]]}"#;
    for shape in [Shape::Any, Shape::Dispatch] {
        let borrowed = match decode(payload, shape, &one()).unwrap() {
            Incoming::Foreign(Args::Json(text)) => matches!(text, std::borrow::Cow::Borrowed(_)),
            Incoming::Foreign(Args::Dispatch { packet, .. }) => {
                matches!(packet, std::borrow::Cow::Borrowed(_))
            }
            Incoming::Own => false,
        };
        assert!(borrowed, "{shape:?}");
    }
}

#[test]
fn an_own_message_is_not_read_further() {
    for payload in
        [&br#"{"nodeId":1,"args":[oops"#[..], br#"{"nodeId":"1""#, b"\x82\xa6nodeId\x01\xc1"]
    {
        assert_eq!(any(payload), Ok(Incoming::Own));
    }
}

#[test]
fn malformed_payloads_have_a_kind() {
    let table: &[(&[u8], &str)] = &[
        (b"", "empty"),
        (b" ", "json"),
        (b"\xff", "json"),
        (b"\xc0", "json"),
        (b"{\"nodeId\":2,", "json"),
        (b"{\"nodeId\":2,\"args\":[1]}x", "json"),
        (b"{\"nodeId\":2,\"args\":[nul]}", "json"),
        (b"[1,", "json"),
        (b"[1]", "type"),
        (b"null", "type"),
        (b"\"text\"", "type"),
        (b"{\"nodeId\":2,\"args\":{}}", "type"),
        (b"{\"nodeId\":2,\"args\":\"a\"}", "type"),
        (b"\x81\xa4args\x80", "type"),
        (b"\x81\xa4args\xc4\x01[", "type"),
        (b"\x81\xa4args\x91\xd4\x00\x00", "type"), // fixext 1
        (b"\x81\xa4args\x91\xd6\xff\x00\x00\x00\x00", "type"), // timestamp
        (b"\x81\xa4args\x91\xc7\x00\x05", "type"), // ext 8
        (b"\x81\x90\x90", "type"),                 // an array as a key
        (b"\x81\xa4args\x91\xc1", "msgpack"),
        (b"\x81\xa4args", "msgpack"),
        (b"\x81\xa4args\x90\x00", "msgpack"),
        (b"\xdf\xff\xff\xff\xff", "msgpack"),
        (b"\x81\xa4args\xdd\xff\xff\xff\xff\xc0", "msgpack"),
        (b"\x81\xa4args\x91\xdb\xff\xff\xff\xffabc", "msgpack"),
    ];
    for (payload, kind) in table {
        let shown = String::from_utf8_lossy(payload);
        assert_eq!(any(payload).map_err(|e| e.kind()), Err(*kind), "{shown}");
    }
}

#[test]
fn depth_is_limited_in_both_codecs_and_needs_no_stack() {
    let nested = |open: &str, close: &str, n: usize| open.repeat(n) + "1" + &close.repeat(n);
    for (open, close) in [("[", "]"), ("{\"[[\":", "}")] {
        // In the array of arguments, which does not count.
        let nested = |n: usize| format!("[1,{}]", nested(open, close, n));
        let fits = nested(MAX_DEPTH);
        let json = encode(Codec::Json, "2", &fits).unwrap();
        assert_eq!(any(&json), Ok(Incoming::Foreign(Args::Json((&*fits).into()))));
        let packed = encode(Codec::MessagePack, "2", &fits).unwrap();
        assert_eq!(any(&packed), Ok(Incoming::Foreign(Args::Json((&*fits).into()))));

        let deeper = nested(MAX_DEPTH + 1);
        let json = format!(r#"{{"nodeId":2,"args":{deeper}}}"#);
        assert_eq!(any(json.as_bytes()), Err(Malformed::Depth));
        for codec in [Codec::Json, Codec::MessagePack] {
            assert_eq!(encode(codec, "2", &deeper), Err(EncodeError::Depth));
        }
        let level = if close == "]" { &b"\x91"[..] } else { b"\x81\xa1a" };
        let packed = |n| [b"\x81\xa4args\x91", &level.repeat(n)[..], b"\x01"].concat();
        assert!(any(&packed(MAX_DEPTH)).is_ok());
        assert_eq!(any(&packed(MAX_DEPTH + 1)), Err(Malformed::Depth));
    }
    let bottomless = format!(r#"{{"args":{}}}"#, nested("[", "]", 1_000_000));
    assert_eq!(any(bottomless.as_bytes()), Err(Malformed::Depth));
    let packed = [&b"\x81\xa4args"[..], &vec![0x91; 1_000_000], b"\x01"].concat();
    assert_eq!(any(&packed), Err(Malformed::Depth));
    let ignored = [&b"\x81\xa1x"[..], &[0x91; MAX_DEPTH + 2], b"\x01"].concat();
    assert_eq!(any(&ignored), Err(Malformed::Depth));
}

#[test]
fn many_brackets_in_a_row_are_not_deep() {
    let wide = format!("[{}[\"[[[[\"]]", "[],{},".repeat(MAX_DEPTH));
    for codec in [Codec::Json, Codec::MessagePack] {
        let payload = encode(codec, "2", &wide).unwrap();
        assert_eq!(any(&payload), Ok(Incoming::Foreign(Args::Json((&*wide).into()))));
    }
}

#[test]
fn long_arrays_and_objects_use_their_long_forms() {
    for count in [15, 16, 65_535, 65_536] {
        let array = format!("[[{}]]", vec!["0"; count].join(","));
        let pairs: Vec<String> = (0..count).map(|n| format!("\"{n}\":null")).collect();
        let object = format!("[{{{}}}]", pairs.join(","));
        for args in [array, object] {
            let payload = encode(Codec::MessagePack, "2", &args).unwrap();
            assert_eq!(any(&payload), Ok(Incoming::Foreign(Args::Json(args.into()))));
        }
    }
}

#[test]
fn text_that_is_not_json_is_not_written_as_messagepack() {
    for args in ["", "[", "[1,]", "undefined", "[]]", "[],\"more\":[]"] {
        assert_eq!(encode(Codec::MessagePack, "2", args), Err(EncodeError::Json), "{args}");
    }
}

#[test]
fn no_truncation_and_no_flipped_byte_panics() {
    for golden in [JSON, MESSAGE_PACK].map(goldens).into_iter().flat_map(|g| g.published) {
        let mut payload = unhex(&golden.payload);
        let step = if payload.len() > 2000 { 499 } else { 1 };
        for at in (0..payload.len()).step_by(step) {
            let cut = any(&payload[..at]);
            assert!(cut.is_err() || cut == Ok(Incoming::Own), "{at} of {}", golden.args_json);
            let flip = 1 << (at % 8);
            payload[at] ^= flip;
            if let Ok(Incoming::Foreign(args)) = decode(&payload, Shape::Dispatch, &one()) {
                let array = serde_json::from_str::<Vec<&RawValue>>(&text(&args)).map(drop);
                assert!(array.is_ok(), "{at} of {}", golden.args_json);
            }
            payload[at] ^= flip;
        }
    }
}

#[test]
fn numbers_are_printed_as_by_javascript() {
    let numbers: Vec<(String, String)> =
        serde_json::from_str(include_str!("golden/numbers.json")).unwrap();
    for (bits, expected) in numbers {
        assert_eq!(json_number(double(&bits)), expected);
        let payload = [&b"\x81\xa4args\x91\xcb"[..], &unhex(&bits)].concat();
        let args = format!("[{expected}]");
        assert_eq!(any(&payload), Ok(Incoming::Foreign(Args::Json(args.into()))));
        if expected != "null" {
            assert_eq!(NodeId::from_json(&expected), Some(NodeId::Number(double(&bits))));
        }
    }
}

#[derive(Deserialize)]
struct LooseEquality {
    operands: Vec<Operand>,
    rows: Vec<String>,
    numbers: Vec<(String, String)>,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Operand {
    Number(String),
    String(String),
}

#[test]
fn node_ids_compare_as_by_javascript() {
    let golden: LooseEquality =
        serde_json::from_str(include_str!("golden/loose_equality.json")).unwrap();
    let id = |operand| match operand {
        Operand::Number(bits) => NodeId::Number(double(&bits)),
        Operand::String(text) => NodeId::String(text),
    };
    let ids: Vec<NodeId> = golden.operands.into_iter().map(id).collect();
    for (a, row) in ids.iter().zip(golden.rows) {
        for (b, expected) in ids.iter().zip(row.bytes()) {
            assert_eq!(a.loosely_equals(b), expected == b'1', "{a:?} == {b:?}");
        }
    }
    for (text, bits) in golden.numbers {
        let (ours, theirs) = (string_to_number(&text), double(&bits));
        assert!(ours.to_bits() == theirs.to_bits() || ours.is_nan() && theirs.is_nan(), "{text}");
    }
}

#[test]
fn node_ids_survive_json() {
    for json in ["0", "1357", "-1.5", "1e+21", "\"a node\"", "\"\"", r#""\"é\\\n😀\u0001""#] {
        assert_eq!(NodeId::from_json(json).unwrap().to_json(), json);
    }
    assert_eq!(NodeId::Number(f64::NAN).to_json(), "null");
    assert_eq!(NodeId::from_json(" true "), Some(NodeId::Number(1.0)));
    for none in ["", "null", "[1]", "{}", "\"\\ud800\"", "01", "1 2", "NaN", "inf", "'a'"] {
        assert_eq!(NodeId::from_json(none), None, "{none}");
    }
}
