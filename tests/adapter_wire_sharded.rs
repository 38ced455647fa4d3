//! The messages of the sharded adapter: what official servers write, what only a hostile peer writes, and what
//! is written here.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use std::borrow::Cow;

use socket_io_redis_native::adapter::packet::{Packet, is_event};
use socket_io_redis_native::adapter::wire::sharded::{decode, encode, is_own};
use socket_io_redis_native::adapter::wire::{Limits, Reader, Received};
use socket_io_redis_native::codec::{MAX_DEPTH, Malformed};

const LIMITS: Limits = Limits { rooms: 20, attachments: 5, bytes: 50_000 };
const READER: Reader<'_> = Reader { uid: "own", nsp: "/", limits: LIMITS };
const OPTS: &str = r#"{"rooms":["room",1],"except":["ä"],"flags":{"volatile":true}}"#;

fn event(data: &str) -> Packet<'_> {
    Packet { kind: 2, data: Some(data.into()), ..Packet::default() }
}

fn message(kind: &str, data: &str) -> String {
    format!(r#"{{"type":{kind},"data":{data},"uid":"peer","nsp":"/"}}"#)
}

fn broadcast(packet: &str, opts: &str) -> String {
    message("3", &format!(r#"{{"packet":{packet},"opts":{opts}}}"#))
}

fn read(payload: &[u8]) -> Result<Received<'_>, Malformed> {
    decode(payload, &READER, false, |_| true)
}

/// What becomes of a message, in a word; a broadcast is one that clients take.
fn seen(payload: &str) -> &'static str {
    match read(payload.as_bytes()) {
        Ok(Received::Own) => "own",
        Ok(Received::OtherNamespace) => "other namespace",
        Ok(Received::NotHere) => "not here",
        Ok(Received::Broadcast(broadcast)) if is_event(&broadcast.packet) => "broadcast",
        Ok(Received::Broadcast(_)) => "no event",
        Ok(Received::Packed) => "packed",
        Ok(Received::Request) => "request",
        Ok(Received::Response) => "response",
        Err(problem) => problem.kind(),
    }
}

#[test]
fn what_is_written_is_what_the_official_adapter_writes() {
    let json = encode("id", &event(r#"["news",{"a":"ä"}]"#), "/chat", OPTS).unwrap();
    let expected = format!(
        r#"{{"type":3,"data":{{"packet":{{"type":2,"data":["news",{{"a":"ä"}}]}},"opts":{OPTS}}},"uid":"id","nsp":"/chat"}}"#
    );
    assert_eq!(String::from_utf8(json).unwrap(), expected);
    let data = r#"["b",{"_placeholder":true,"num":0}]"#;
    let packet = Packet { attachments: vec![Cow::Borrowed(b"\x01")], ..event(data) };
    let opts = r#"{"rooms":[],"except":[],"flags":{}}"#;
    let binary = encode("id", &packet, "/", opts).unwrap();
    let expected =
        b"\x84\xa4type\x03\xa4data\x82\xa6packet\x82\xa4type\x02\xa4data\x92\xa1b\xc4\x01\x01\
        \xa4opts\x83\xa5rooms\x90\xa6except\x90\xa5flags\x80\xa3uid\xa2id\xa3nsp\xa1/";
    assert_eq!(binary, expected);
}

#[test]
fn a_broadcast_comes_as_it_was_and_its_text_passes_as_it_is() {
    let data = r#"["news", 1.0,"\u00e4\ud800",{"b":[ ]}]"#;
    let packet = Packet {
        attachments: vec![Cow::Borrowed(b"bytes")],
        ..event(r#"["b",{"_placeholder":true,"num":0}]"#)
    };
    for packet in [event(data), packet, Packet { id: Some("7".into()), ..event("[7]") }] {
        let payload = encode("peer", &packet, "/", OPTS).unwrap();
        let Ok(Received::Broadcast(broadcast)) = read(&payload) else { panic!("{packet:?}") };
        assert_eq!(broadcast.packet, packet);
        assert_eq!(
            (broadcast.rooms.to_json(), broadcast.except.to_json()),
            (r#"["room",1]"#.into(), r#"["ä"]"#.into())
        );
        assert_eq!((broadcast.volatile, broadcast.compress), (Some(true), None));
        let not_here = decode(&payload, &READER, false, |room| room == "ä");
        assert_eq!(not_here, Ok(Received::NotHere));
        assert_eq!(decode(&payload, &READER, true, |_| false), Ok(Received::Packed));
    }
}

#[test]
fn own_messages_are_known_by_their_ends() {
    for nsp in ["/", "/a\"\\ä"] {
        let packet = Packet {
            attachments: vec![Cow::Borrowed(b"")],
            ..event(r#"[{"_placeholder":true,"num":0}]"#)
        };
        for packet in [event("[1]"), packet] {
            let payload = encode("own", &packet, nsp, OPTS).unwrap();
            assert!(is_own(&payload, "own", nsp) && !is_own(&payload, "wn", nsp));
            assert!(!is_own(&payload, "own", "/b"));
            assert_eq!(
                decode(&payload, &Reader { nsp, ..READER }, false, |_| true),
                Ok(Received::Own)
            );
        }
    }
    assert_eq!(seen(r#"{"uid":"\u006fwn","nsp":"/","type":3}"#), "own");
}

#[test]
fn messages_are_told_apart() {
    let plain = r#"{"packet":{"type":2,"data":["a"]},"opts":{}}"#;
    let asking = r#"{"packet":{"type":2,"data":["a"]},"opts":{},"requestId":"x"}"#;
    for (kind, data, expected) in [
        ("3", plain, "broadcast"),
        ("3.0", plain, "broadcast"),
        ("3", asking, "request"),
        ("4", "{}", "request"),
        ("13", "null", "request"),
        ("99", "7", "request"),
        ("\"count\"", "{}", "request"),
        ("8", "{}", "response"),
        ("12", "{}", "response"),
        ("null", plain, "type"),
        ("{}", plain, "type"),
        ("3", "[]", "type"),
        ("3", r#"[{"type":2,"data":["a"]},{}]"#, "type"),
        ("3", "null", "type"),
    ] {
        assert_eq!(seen(&message(kind, data)), expected, "{kind} {data}");
    }
    let foreign = message("3", plain).replace(r#""nsp":"/""#, r#""nsp":"/other""#);
    assert_eq!(seen(&foreign), "other namespace");
    assert_eq!(seen(&message("3", plain).replace(r#","nsp":"/""#, "")), "other namespace");
    for junk in ["", "{", "{}x", "[]", "null", "7", "\"x\"", "{\"type\":3,\"type\":3}"] {
        assert!(read(junk.as_bytes()).is_err(), "{junk}");
    }
}

#[test]
fn what_would_harm_clients_is_refused() {
    let packet = |data: &str| broadcast(&format!(r#"{{"type":2,"data":{data}}}"#), "{}");
    for name in
        ["connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"]
    {
        assert_ne!(seen(&packet(&format!(r#"["{name}"]"#))), "broadcast");
        let escaped = format!(r#"["\u00{:02x}{}",1]"#, name.as_bytes()[0], &name[1..]);
        assert_ne!(seen(&packet(&escaped)), "broadcast", "{escaped}");
    }
    for data in ["{}", "7", "null", "[]", "[null]", "[{}]", "[ \"a\"]", r#""text""#] {
        assert_ne!(seen(&packet(data)), "broadcast", "{data}");
    }
    for kind in ["0", "1", "3", "4", "5", "6", "2.5", "-1", "null", "\"2\"", "{}"] {
        let payload = broadcast(&format!(r#"{{"type":{kind},"data":["a"]}}"#), "{}");
        assert_ne!(seen(&payload), "broadcast", "{kind}");
    }
    for id in ["\"x\"", "{}", "[1]", "true", "-1", "1.5"] {
        let payload = broadcast(&format!(r#"{{"type":2,"data":["a"],"id":{id}}}"#), "{}");
        assert_ne!(seen(&payload), "broadcast", "{id}");
    }
    for opts in ["7", "null", "[]", r#"{"rooms":7}"#, r#"{"rooms":{}}"#, r#"{"except":true}"#] {
        assert_eq!(seen(&broadcast(r#"{"type":2,"data":["a"]}"#, opts)), "type", "{opts}");
    }
}

#[test]
fn limits_hold() {
    let packet = |data: &str| broadcast(&format!(r#"{{"type":2,"data":{data}}}"#), "{}");
    let deep = |levels| packet(&format!("[\"a\",{}{}]", "[".repeat(levels), "]".repeat(levels)));
    assert_eq!((seen(&deep(MAX_DEPTH)), seen(&deep(MAX_DEPTH + 1))), ("broadcast", "depth"));
    let many = |count| packet(&format!("[\"a\"{}]", ",0".repeat(count)));
    assert_eq!((seen(&many(9_999)), seen(&many(10_000))), ("broadcast", "count"));
    let rooms = |count| {
        let list = vec!["1"; count].join(",");
        broadcast(
            r#"{"type":2,"data":["a"]}"#,
            &format!(r#"{{"rooms":[{list}],"except":[{list}]}}"#),
        )
    };
    assert_eq!((seen(&rooms(20)), seen(&rooms(21))), ("broadcast", "count"));
    let long = |len| packet(&format!(r#"["a","{}"]"#, "x".repeat(len)));
    assert_eq!((seen(&long(49_000)), seen(&long(50_000))), ("broadcast", "length"));
    // A list of sockets is read in slices.
    let response = |len| message("8", &format!(r#"{{"sockets":["{}"]}}"#, "x".repeat(len)));
    assert_eq!((seen(&response(300_000)), seen(&response(400_000))), ("response", "length"));
}

#[test]
fn no_bytes_do_harm() {
    let packet = Packet {
        attachments: vec![Cow::Borrowed(b"bytes")],
        ..event(r#"["b",{"_placeholder":true,"num":0}]"#)
    };
    let mut random = 88_172_645_463_325_252_u64;
    let mut next = |limit: usize| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        usize::try_from(random % limit as u64).unwrap()
    };
    for packet in [event(r#"["news",{"a":"ä"}]"#), packet] {
        let whole = encode("peer", &packet, "/", OPTS).unwrap();
        for end in 0..whole.len() {
            assert!(read(&whole[..end]).is_err(), "cut off at {end}");
        }
        for _ in 0..100_000 {
            let mut payload = whole.clone();
            for _ in 0..=next(3) {
                let at = next(payload.len());
                payload[at] = u8::try_from(next(256)).unwrap();
            }
            if let Ok(Received::Broadcast(broadcast)) = read(&payload) {
                assert!(broadcast.packet.attachments.len() <= LIMITS.attachments);
            }
        }
    }
}
