//! The broadcasts of the classic adapter against goldens that the real notepack.io and
//! socket.io-parser made (`fixtures/classic.js`), and against what neither would write.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may fail loudly, in its helpers too"
)]

use std::borrow::Cow;

use serde::Deserialize;
use socket_io_redis_native::model::Packet;
use socket_io_redis_native::packet::{append_frame_head, append_text, parse};
use socket_io_redis_native::wire::classic::{Broadcast, Received, decode, encode};
use socket_io_redis_native::wire::{EncodeError, MAX_DEPTH, Malformed};

const GOLDENS: &str = include_str!("fixtures/classic.json");
const OPTS: &str = r#"{"rooms":["room"],"except":[],"flags":{}}"#;

#[derive(Deserialize)]
struct Goldens {
    encoded: Vec<Encoded>,
    decoded: Vec<Decoded>,
    malformed: Vec<String>,
}

#[derive(Deserialize)]
struct Encoded {
    #[serde(rename = "type")]
    kind: u8,
    nsp: String,
    id: Option<String>,
    text: String,
    attachments: Vec<String>,
    opts: String,
    payload: String,
}

#[derive(Deserialize)]
struct Decoded {
    payload: String,
    nsp: String,
    text: String,
    attachments: Vec<String>,
    rooms: String,
    except: String,
    volatile: Option<bool>,
    compress: Option<bool>,
}

fn goldens() -> Goldens {
    serde_json::from_str(GOLDENS).unwrap()
}

fn unhex(text: &str) -> Vec<u8> {
    let digit = |b: u8| u8::try_from((b as char).to_digit(16).unwrap()).unwrap();
    let pairs = text.as_bytes().chunks_exact(2);
    pairs.map(|pair| digit(pair[0]) << 4 | digit(pair[1])).collect()
}

fn attached(hex: &[String]) -> Vec<Cow<'static, [u8]>> {
    hex.iter().map(|hex| Cow::Owned(unhex(hex))).collect()
}

fn event(data: &str) -> Packet<'_> {
    Packet { kind: 2, data: Some(data.into()), ..Packet::default() }
}

fn written(packet: &Packet<'_>, nsp: &str) -> String {
    let mut text = Vec::new();
    append_text(packet, nsp, &mut text);
    String::from_utf8(text).unwrap()
}

fn read<'a>(payload: &'a [u8], nsp: &str) -> Broadcast<'a> {
    match decode(payload, "reader", nsp, |_| true) {
        Ok(Received::Broadcast(broadcast)) => broadcast,
        other => panic!("{other:?} of {payload:02x?}"),
    }
}

/// A payload of another node, with these bytes as its packet and its options.
fn payload(packet: &[u8], opts: &[u8]) -> Vec<u8> {
    [b"\x93\xa6sender", packet, opts].concat()
}

/// A payload with these bytes as its data.
fn with_data(data: &[u8]) -> Vec<u8> {
    payload(&[b"\x83\xa4type\x02\xa4data", data, b"\xa3nsp\xa1/"].concat(), b"\x80")
}

/// A payload with these bytes as its rooms.
fn with_rooms(rooms: &[u8]) -> Vec<u8> {
    payload(b"\x81\xa4type\x02", &[b"\x81\xa5rooms", rooms].concat())
}

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
        let decoded = decode(&unhex(&golden), "reader", "/", |_| true).map(drop);
        let expected = if golden.is_empty() { Malformed::Empty } else { Malformed::MessagePack };
        assert_eq!(decoded, Err(expected), "{golden}");
    }
}

#[test]
fn a_text_and_its_packet_are_the_same_thing() {
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
        assert_eq!(parsed.into_owned(), packet);
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
fn text_that_is_none_of_this_namespace_is_not_parsed() {
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
        let array = format!("[{}1]", "1,".repeat(len - 1));
        assert!(data_of(&event(&array)).starts_with(head));
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
fn nonsense_is_not_encoded() {
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
    // The payload's array and the packet are two levels.
    for (open, close) in [("[", "]"), ("[{\"[[\":", "}]"), ("[{\"0\":", "}]")] {
        let most = (MAX_DEPTH - 2) / close.len();
        let fits = nested(open, close, most);
        let payload = encode("u", &event(&fits), "/", OPTS).unwrap();
        assert_eq!(read(&payload, "/").packet, event(&fits));
        let deeper = nested(open, close, most + 1);
        assert_eq!(encode("u", &event(&deeper), "/", OPTS), Err(EncodeError::Depth));
        assert_eq!(
            encode("u", &event("[]"), "/", &nested(open, close, MAX_DEPTH)),
            Err(EncodeError::Depth)
        );
    }
    for level in [&b"\x91"[..], b"\x81\xa1a", b"\x81\xa10", b"\x82\xa10\x01\xa10"] {
        let deep = [&level.repeat(100_000)[..], b"\x01"].concat();
        assert_eq!(decode(&with_data(&deep), "u", "/", |_| true), Err(Malformed::Depth));
        assert_eq!(decode(&with_data(&deep), "u", "/b", |_| true), Ok(Received::OtherNamespace));
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

#[test]
fn own_and_foreign_messages_are_told_apart() {
    let payload = encode("me", &event("[1]"), "/a", OPTS).unwrap();
    let seen = |uid: &str, nsp: &str, room: &str| {
        decode(&payload, uid, nsp, |name| name == room).map(|received| match received {
            Received::Own => "own",
            Received::OtherNamespace => "other namespace",
            Received::NotHeld => "not held",
            Received::Broadcast(_) => "broadcast",
        })
    };
    assert_eq!(seen("me", "/a", "room"), Ok("own"));
    assert_eq!(seen("m", "/a", "room"), Ok("broadcast"));
    assert_eq!(seen("you", "/", "room"), Ok("other namespace"));
    assert_eq!(seen("you", "/a", "lobby"), Ok("not held"));
}

#[test]
fn an_own_message_is_not_read_further() {
    assert_eq!(decode(b"\x93\xa2me\xc1", "me", "/", |_| true), Ok(Received::Own));
    // Strict equality: a number is no string.
    let payload = [b"\x93\x05", &b"\x81\xa4type\x02\x80"[..]].concat();
    assert!(matches!(decode(&payload, "5", "/", |_| true), Ok(Received::Broadcast(_))));
}

#[test]
fn a_packet_without_a_namespace_belongs_to_the_main_one() {
    for (packet, expected) in [
        (&b"\x81\xa4type\x02"[..], true),
        (b"\x82\xa4type\x02\xa3nsp\xd4\x00\x00", true),
        (b"\x82\xa4type\x02\xa3nsp\xa1/", true),
        (b"\x82\xa4type\x02\xa3nsp\xc0", false),
        (b"\x82\xa4type\x02\xa3nsp\xa0", false),
        (b"\x82\xa4type\x02\xa3nsp\x05", false),
        (b"\xc0", false),
        (b"\xc2", false),
        (b"\x00", false),
        (b"\xd4\x00\x00", false),
    ] {
        let payload = payload(packet, b"\x80");
        let received = decode(&payload, "u", "/", |_| true).unwrap();
        assert_eq!(received != Received::OtherNamespace, expected, "{packet:02x?}");
        assert_eq!(decode(&payload, "u", "/x", |_| true), Ok(Received::OtherNamespace));
    }
    for short in [&b"\x90"[..], b"\x91\xa1s", b"\x92\xa1s\xc0"] {
        assert_eq!(decode(short, "u", "/", |_| true), Ok(Received::OtherNamespace));
    }
}

#[test]
fn rooms_are_strings_or_numbers() {
    let payload = with_rooms(b"\x95\xa1a\x05\xcb\x3f\xf8\x00\x00\x00\x00\x00\x00\xff\xa2\"\xff");
    let rooms = read(&payload, "/").rooms;
    assert_eq!(rooms.iter().collect::<Vec<_>>(), ["a", "5", "1.5", "-1", "\"\u{fffd}"]);
    assert_eq!(rooms.to_json(), "[\"a\",5,1.5,-1,\"\\\"\u{fffd}\"]");
    assert_eq!((rooms.is_empty(), rooms.single()), (false, None));
    for (name, expected) in [("5", true), ("1.5", true), ("-1", true), ("b", false)] {
        let received = decode(&payload, "u", "/", |room| room == name).unwrap();
        assert_eq!(received != Received::NotHeld, expected, "{name}");
    }
    for (rooms, single) in [
        (&b"\x91\xa1a"[..], Some("a")),
        (b"\x91\x05", None),
        (b"\x90", None),
        (b"\x91\xa0", Some("")),
    ] {
        assert_eq!(read(&with_rooms(rooms), "/").rooms.single(), single);
    }
    for none in [&b"\x90"[..], b"\xc0", b"\xd4\x00\x00"] {
        let payload = with_rooms(none);
        let Ok(Received::Broadcast(broadcast)) = decode(&payload, "u", "/", |_| false) else {
            panic!("{none:02x?}")
        };
        assert!(broadcast.rooms.is_empty() && broadcast.except.is_empty());
        assert_eq!(broadcast.rooms.to_json(), "[]");
    }
}

#[test]
fn what_would_make_the_adapter_throw_is_malformed() {
    let event = b"\x82\xa4type\x02\xa3nsp\xa1/";
    for wrong in [
        with_rooms(b"\xa1a"),
        with_rooms(b"\x05"),
        with_rooms(b"\x80"),
        with_rooms(b"\x91\xc0"),
        with_rooms(b"\x91\x91\xa1a"),
        with_rooms(b"\x91\xcb\x7f\xf8\x00\x00\x00\x00\x00\x00"),
        payload(event, b"\x81\xa6except\xc3"),
        payload(event, b"\xc0"),
        payload(event, b"\x05"),
        [&b"\x92\xa1s"[..], event].concat(),
        payload(b"\x05", b"\x80"),
        payload(b"\xa1a", b"\x80"),
        payload(b"\x90", b"\x80"),
        payload(b"\x80", b"\x80"),
        payload(b"\x81\xa4type\xa12", b"\x80"),
        payload(b"\x81\xa4type\x05", b"\x80"),
        payload(b"\x81\xa4type\x06", b"\x80"),
        payload(b"\x81\xa4type\xff", b"\x80"),
        payload(b"\x81\xa4type\xcd\x01\x02", b"\x80"),
        payload(b"\x82\xa4type\x02\xa2id\x90", b"\x80"),
        with_data(b"\x81\x90\x01"),
        with_data(b"\x81\xc4\x00\x01"),
        b"\x80".to_vec(),
        b"\xa3abc".to_vec(),
        b"\xc7\x00\x00".to_vec(),
    ] {
        assert_eq!(decode(&wrong, "u", "/", |_| true), Err(Malformed::Type), "{wrong:02x?}");
    }
}

#[test]
fn cut_short_or_too_long_is_malformed() {
    for golden in goldens().decoded.iter().filter(|golden| golden.payload.len() < 400) {
        let whole = unhex(&golden.payload);
        for end in 0..whole.len() {
            assert!(decode(&whole[..end], "reader", &golden.nsp, |_| true).is_err());
        }
        let longer = [&whole[..], b"\x00"].concat();
        let decoded = decode(&longer, "reader", &golden.nsp, |_| true);
        assert_eq!(decoded, Err(Malformed::MessagePack));
    }
}

/// xorshift64*: the same numbers in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let number = self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 32;
        usize::try_from(number).unwrap() % limit
    }

    fn byte(&mut self) -> u8 {
        u8::try_from(self.below(256)).unwrap()
    }

    fn mutate(&mut self, bytes: &mut Vec<u8>) {
        for _ in 0..=self.below(3) {
            let at = self.below(bytes.len().max(1)).min(bytes.len());
            match self.below(3) {
                0 => bytes.insert(at, self.byte()),
                1 if at < bytes.len() => drop(bytes.remove(at)),
                _ if at < bytes.len() => bytes[at] = self.byte(),
                _ => {}
            }
        }
    }
}

/// Whatever is accepted has a meaning: JSON, and a placeholder for each attachment.
fn check(payload: &[u8]) {
    let Ok(Received::Broadcast(broadcast)) = decode(payload, "reader", "/", |_| true) else {
        return;
    };
    let packet = &broadcast.packet;
    let names: Vec<serde_json::Value> = serde_json::from_str(&broadcast.rooms.to_json()).unwrap();
    assert_eq!(names.len(), broadcast.rooms.iter().count());
    let again = encode("sender", packet, "/", OPTS);
    assert!(
        matches!(again, Ok(_) | Err(EncodeError::Depth)),
        "{again:?} {packet:?} {payload:02x?}"
    );
}

#[test]
fn no_bytes_make_it_panic() {
    let mut random = Random(0x1234_5678_9abc_def0);
    let seeds: Vec<Vec<u8>> = goldens()
        .decoded
        .iter()
        .filter(|golden| golden.payload.len() < 600)
        .map(|golden| unhex(&golden.payload))
        .collect();
    for _ in 0..10_000 {
        let mut bytes = seeds[random.below(seeds.len())].clone();
        random.mutate(&mut bytes);
        check(&bytes);
        let len = random.below(40);
        let noise: Vec<u8> = (0..len).map(|_| random.byte()).collect();
        check(&noise);
        check(&with_data(&noise));
    }
}

#[test]
fn no_text_makes_it_panic() {
    let mut random = Random(0x0fed_cba9_8765_4321);
    let seeds: Vec<Encoded> =
        goldens().encoded.into_iter().filter(|golden| golden.text.len() < 600).collect();
    for _ in 0..10_000 {
        let golden = &seeds[random.below(seeds.len())];
        let mut text = golden.text.clone().into_bytes();
        random.mutate(&mut text);
        let text = String::from_utf8_lossy(&text);
        let packet = Packet { attachments: attached(&golden.attachments), ..event(&text) };
        let Ok(payload) = encode("sender", &packet, "/", OPTS) else { continue };
        let is_json = serde_json::from_str::<&serde_json::value::RawValue>(&text).is_ok();
        assert!(is_json, "{text}");
        // Never refused: what is written can be read.
        read(&payload, "/");
        let _ = parse(&text, "/", vec![]);
    }
}
