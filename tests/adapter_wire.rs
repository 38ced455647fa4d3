//! The broadcasts of the classic adapter against goldens that the real notepack.io and
//! socket.io-parser made (`golden/classic.js`).

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may fail loudly, in its helpers too"
)]

#[path = "support/adapter_wire.rs"]
mod support;

use std::borrow::Cow;

use socket_io_redis_native::adapter::packet::Packet;
use socket_io_redis_native::adapter::packet::{append_frame_head, parse};
use socket_io_redis_native::adapter::wire::{Broadcast, Received, decode, encode};
use socket_io_redis_native::codec::{EncodeError, MAX_DEPTH, Malformed};
use support::{OPTS, attached, event, goldens, read, reader, unhex, with_data, written};

#[test]
fn encodes_as_notepack() {
    let goldens = goldens().encoded;
    assert!(goldens.len() > 60, "{}", goldens.len());
    for golden in goldens {
        let packet = Packet {
            kind: golden.kind,
            id: golden.id.map(Cow::Owned),
            data: Some(golden.text.as_str().into()),
            attachments: attached(&golden.attachments),
        };
        let ours = encode("sender", &packet, &golden.nsp, &golden.opts).unwrap();
        let payload = unhex(&golden.payload);
        assert_eq!(ours, payload, "{}\n{ours:02x?}\n{payload:02x?}", golden.text);
    }
}

#[test]
fn decodes_as_notepack_and_socket_io_parser() {
    let goldens = goldens().decoded;
    assert!(goldens.len() > 250, "{}", goldens.len());
    for golden in goldens {
        let payload = unhex(&golden.payload);
        let broadcast = read(&payload, &golden.nsp);
        assert_eq!(written(&broadcast.packet, &golden.nsp), golden.text, "{}", golden.payload);
        assert_eq!(broadcast.packet.attachments, attached(&golden.attachments), "{}", golden.text);
        assert_eq!(broadcast.rooms.to_json(), golden.rooms);
        assert_eq!(broadcast.except.to_json(), golden.except);
        let flags = (broadcast.volatile, broadcast.compress);
        assert_eq!(flags, (golden.volatile, golden.compress), "{}", golden.payload);
    }
}

#[test]
fn what_notepack_refuses_is_malformed() {
    let goldens = goldens().malformed;
    assert!(goldens.len() > 20, "{}", goldens.len());
    for golden in goldens {
        let decoded = decode(&unhex(&golden), &reader("reader", "/"), |_| true).map(drop);
        let expected = if golden.is_empty() { Malformed::Empty } else { Malformed::MessagePack };
        assert_eq!(decoded, Err(expected), "{golden}");
    }
}

#[test]
fn a_text_is_parsed_into_the_packet_that_wrote_it() {
    for golden in goldens().decoded {
        let payload = unhex(&golden.payload);
        let packet = read(&payload, &golden.nsp).packet;
        let digits = |id: &Cow<'_, str>| id.bytes().all(|b| b.is_ascii_digit());
        let ambiguous = !packet.id.as_ref().is_none_or(digits)
            || packet.data.as_ref().is_some_and(|data| data.starts_with(|c: char| c != '['));
        if ambiguous && packet.kind == 2 {
            continue; // neither a text with such an id nor one with such data is read as written
        }
        let parsed = parse(&golden.text, &golden.nsp, attached(&golden.attachments)).unwrap();
        assert_eq!(parsed, packet, "{}", golden.text);
    }
}

#[test]
fn every_published_payload_comes_back() {
    for golden in goldens().decoded {
        let payload = unhex(&golden.payload);
        let Broadcast { packet, .. } = read(&payload, &golden.nsp);
        // NaN is `null` from there on, and an integer beyond 64 bits has wrapped around.
        let wraps = |data: &str| data.contains("e+") || data.contains("18446744073709552000");
        let changes = |data: &Cow<'_, str>| data == "null" || wraps(data);
        if packet.data.as_ref().is_some_and(changes) {
            continue;
        }
        let again = encode("sender", &packet, &golden.nsp, OPTS).unwrap();
        assert_eq!(read(&again, &golden.nsp).packet, packet, "{}", golden.text);
    }
}

#[test]
fn a_namespace_may_look_like_the_rest_of_the_text() {
    let packet = Packet { kind: 2, id: Some("12".into()), ..event(r#"["a"]"#) };
    for (nsp, text) in [
        ("/", r#"212["a"]"#),
        ("", r#"212["a"]"#),
        ("/a,b", r#"2/a,b,12["a"]"#),
        ("/a,12[", r#"2/a,12[,12["a"]"#),
        ("/,", r#"2/,,12["a"]"#),
    ] {
        assert_eq!(written(&packet, nsp), text);
        assert_eq!(parse(text, nsp, vec![]), Some(packet.clone()), "{nsp}");
    }
}

#[test]
fn text_of_another_namespace_is_not_parsed() {
    for text in ["", "x", "2/b,[1]", "2[1]", "2/a", "2/ab,[1]", "51-/a,[1]", "5/a,[1]", "é"] {
        assert_eq!(parse(text, "/a", vec![]), None, "{text}");
    }
    let one = || vec![Cow::Borrowed(&b"1"[..])];
    for text in ["2[1]", "52-[1]", "5+1-[1]", "5-[1]", "5", "51[1]"] {
        assert_eq!(parse(text, "/", one()), None, "{text}");
    }
    let packet = parse("61-7[1]", "/", one()).unwrap();
    assert_eq!(
        (packet.kind, packet.id.as_deref(), packet.data.as_deref()),
        (3, Some("7"), Some("[1]"))
    );
    assert_eq!(written(&packet, "/"), "61-7[1]");
    assert_eq!(parse("1/a,", "/a", vec![]), Some(Packet { kind: 1, ..Packet::default() }));
    assert_eq!(written(&Packet { kind: 1, ..Packet::default() }, "/a"), "1/a,");
}

#[test]
fn frames_have_the_head_of_their_length() {
    for (len, expected) in [
        (0, &[0x81, 0][..]),
        (125, &[0x81, 125]),
        (126, &[0x81, 126, 0, 126]),
        (255, &[0x81, 126, 0, 255]),
        (256, &[0x81, 126, 1, 0]),
        (65535, &[0x81, 126, 255, 255]),
        (65536, &[0x81, 127, 0, 0, 0, 0, 0, 1, 0, 0]),
    ] {
        let mut head = Vec::new();
        append_frame_head(len, &mut head);
        assert_eq!(head, expected, "{len}");
    }
}

#[test]
fn long_values_have_long_lengths() {
    let data_of = |packet: &Packet<'_>| {
        let payload = encode("u", packet, "/", "{}").unwrap();
        assert_eq!(read(&payload, "/").packet, *packet);
        payload[b"\x93\xa1u\x83\xa4type\x02\xa4data".len()..].to_vec()
    };
    for (len, head) in [(65535, &b"\xdc\xff\xff\x01"[..]), (65536, b"\xdd\x00\x01\x00\x00\x01")] {
        let array = format!("[[{}1]]", "1,".repeat(len - 1));
        assert!(data_of(&event(&array))[1..].starts_with(head));
    }
    for (len, head) in [(65535, &b"\xde\xff\xff\xa2k0"[..]), (65536, b"\xdf\x00\x01\x00\x00\xa2k0")]
    {
        let pairs: Vec<String> = (0..len).map(|n| format!("\"k{n}\":{n}")).collect();
        assert!(data_of(&event(&format!("{{{}}}", pairs.join(",")))).starts_with(head));
    }
    for (len, head) in [(65535, &b"\xda\xff\xffx"[..]), (65536, b"\xdb\x00\x01\x00\x00x")] {
        assert!(data_of(&event(&format!("\"{}\"", "x".repeat(len)))).starts_with(head));
    }
    for (len, head) in [(65535, &b"\xc5\xff\xff\x07"[..]), (65536, b"\xc6\x00\x01\x00\x00\x07")] {
        let attachments = vec![Cow::Owned(vec![7; len])];
        let packet = Packet { attachments, ..event(r#"{"_placeholder":true,"num":0}"#) };
        assert!(data_of(&packet).starts_with(head));
    }
}

#[test]
fn an_escaped_string_is_as_long_as_what_it_means() {
    for len in [0, 30, 31, 254, 255, 256, 65_534, 65_535, 65_536] {
        let plain = format!("\"{}x\"", "x".repeat(len));
        let escaped = format!("\"{}\\u0078\"", "x".repeat(len));
        let written = |data: &str| encode("u", &event(data), "/", "{}").unwrap();
        assert_eq!(written(&plain), written(&escaped), "{len}");
    }
}

#[test]
fn text_that_is_not_json_is_not_encoded() {
    for text in [
        "",
        " ",
        "[",
        "]",
        "[1",
        "[1,",
        "[1,]",
        "[,1]",
        "[1 2]",
        "[1}",
        "{\"a\":1]",
        "{1:2}",
        "{\"a\"}",
        "{\"a\":}",
        "{\"a\":1,}",
        "{\"a\" 1}",
        "\"a",
        "\"a\\\"",
        "\"\\x\"",
        "\"\\u12\"",
        "\"\\u+123\"",
        "\"\\é\"",
        "\"\n\"",
        "nul",
        "truE",
        "NaN",
        "[1]x",
        "[1] [2]",
        "01",
        "-",
        "1.",
        ".5",
        "1e",
        "1e+",
        "+1",
        "--1",
        "1.2.3",
        "-01",
        "\"\\",
        "{\"",
        "{",
        "'a'",
    ] {
        assert_eq!(encode("u", &event(text), "/", OPTS), Err(EncodeError::Json), "{text}");
        assert_eq!(encode("u", &event("[]"), "/", text), Err(EncodeError::Json), "{text}");
    }
    // An attachment without its place.
    let attachments = vec![Cow::Borrowed(&b"1"[..])];
    for data in ["[]", r#"[{"_placeholder":true,"num":1}]"#, r#"[{"_placeholder":true,"num":0"#] {
        let packet = Packet { attachments: attachments.clone(), ..event(data) };
        assert_eq!(encode("u", &packet, "/", OPTS), Err(EncodeError::Json), "{data}");
    }
    let packet = Packet { attachments, ..Packet::default() };
    assert_eq!(encode("u", &packet, "/", OPTS), Err(EncodeError::Json));
}

#[test]
fn depth_is_limited_and_needs_no_stack() {
    let nested = |open: &str, close: &str, n: usize| open.repeat(n) + "1" + &close.repeat(n);
    for (open, close) in [("[", "]"), ("{\"[[\":", "}"), ("{\"0\":", "}")] {
        // In the array of arguments, which does not count.
        let nested = |n: usize| format!("[\"e\",{}]", nested(open, close, n));
        let fits = nested(MAX_DEPTH);
        let payload = encode("u", &event(&fits), "/", OPTS).unwrap();
        assert_eq!(read(&payload, "/").packet, event(&fits));
        let deeper = nested(MAX_DEPTH + 1);
        assert_eq!(encode("u", &event(&deeper), "/", OPTS), Err(EncodeError::Depth));
        assert_eq!(encode("u", &event("[]"), "/", &deeper), Err(EncodeError::Depth));
    }
    for level in [&b"\x91"[..], b"\x81\xa1a", b"\x81\xa10"] {
        let deep = |n| with_data(&[b"\x91", &level.repeat(n)[..], b"\x01"].concat());
        let decoded = |n| decode(&deep(n), &reader("u", "/"), |_| true).map(drop);
        assert_eq!((decoded(MAX_DEPTH), decoded(MAX_DEPTH + 1)), (Ok(()), Err(Malformed::Depth)));
    }
    for level in [&b"\x91"[..], b"\x81\xa1a", b"\x81\xa10", b"\x82\xa10\x01\xa10"] {
        let deep = [&level.repeat(100_000)[..], b"\x01"].concat();
        assert_eq!(decode(&with_data(&deep), &reader("u", "/"), |_| true), Err(Malformed::Depth));
        assert_eq!(
            decode(&with_data(&deep), &reader("u", "/b"), |_| true),
            Ok(Received::OtherNamespace)
        );
    }
}

#[test]
fn irregular_objects_take_no_more_than_linear_time() {
    // Each object turns out to be irregular behind the one that it holds.
    let mut data = b"\x01".to_vec();
    for _ in 0..MAX_DEPTH - 2 {
        data = [b"\x82\xa1a", &data[..], b"\xa10\x01"].concat();
    }
    let payload = with_data(&data);
    let text = read(&payload, "/").packet.data.unwrap().into_owned();
    assert!(text.starts_with(r#"{"0":1,"a":{"0":1,"a":{"#), "{text}");
    let twins = b"\xa1a\x01".repeat(200_000);
    let payload = with_data(&[b"\xdf\x00\x03\x0d\x40", &twins[..]].concat());
    assert_eq!(read(&payload, "/").packet, event(r#"{"a":1}"#));
}
