//! Broadcasts that are not for this server, and what no server would publish.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may fail loudly, in its helpers too"
)]

#[path = "support/adapter_wire.rs"]
mod support;

use socket_io_redis_native::adapter::packet::Packet;
use socket_io_redis_native::adapter::packet::parse;
use socket_io_redis_native::adapter::wire::{Received, decode, encode};
use socket_io_redis_native::codec::{EncodeError, Malformed};
use support::{
    Encoded, OPTS, attached, event, goldens, payload, read, reader, unhex, with_data, with_rooms,
};

#[test]
fn own_and_foreign_messages_are_told_apart() {
    let payload = encode("me", &event("[1]"), "/a", OPTS).unwrap();
    let seen = |uid: &str, nsp: &str, room: &str| {
        decode(&payload, &reader(uid, nsp), |name| name == room).map(|received| match received {
            Received::Own => "own",
            Received::OtherNamespace => "other namespace",
            Received::NotHere => "not here",
            Received::Broadcast(_) => "broadcast",
            _ => "for JavaScript",
        })
    };
    assert_eq!(seen("me", "/a", "room"), Ok("own"));
    assert_eq!(seen("m", "/a", "room"), Ok("broadcast"));
    assert_eq!(seen("you", "/", "room"), Ok("other namespace"));
    assert_eq!(seen("you", "/a", "lobby"), Ok("not here"));
}

#[test]
fn an_own_message_is_not_read_further() {
    assert_eq!(decode(b"\x93\xa2me\xc1", &reader("me", "/"), |_| true), Ok(Received::Own));
    // Strict equality: a number is no string.
    let payload = [b"\x93\x05", &b"\x81\xa4type\x02\x80"[..]].concat();
    assert!(matches!(decode(&payload, &reader("5", "/"), |_| true), Ok(Received::Broadcast(_))));
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
        let received = decode(&payload, &reader("u", "/"), |_| true).unwrap();
        assert_eq!(received != Received::OtherNamespace, expected, "{packet:02x?}");
        assert_eq!(decode(&payload, &reader("u", "/x"), |_| true), Ok(Received::OtherNamespace));
    }
    for short in [&b"\x90"[..], b"\x91\xa1s", b"\x92\xa1s\xc0"] {
        assert_eq!(decode(short, &reader("u", "/"), |_| true), Ok(Received::OtherNamespace));
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
        let received = decode(&payload, &reader("u", "/"), |room| room == name).unwrap();
        assert_eq!(!matches!(received, Received::NotHere), expected, "{name}");
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
        let Ok(Received::Broadcast(broadcast)) = decode(&payload, &reader("u", "/"), |_| false)
        else {
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
        with_rooms(b"\x05"),
        with_rooms(b"\x80"),
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
        // Keys that cannot be text.
        with_data(b"\x81\x81\xa8toString\x01\x01"),
        with_data(b"\x81\x81\xa9__proto__\xc0\x01"),
        with_data(b"\x81\x91\x81\xa8toString\x01\x01"),
        b"\x80".to_vec(),
        b"\xa3abc".to_vec(),
        b"\xc7\x00\x00".to_vec(),
    ] {
        assert_eq!(
            decode(&wrong, &reader("u", "/"), |_| true),
            Err(Malformed::Type),
            "{wrong:02x?}"
        );
    }
}

#[test]
fn cut_short_or_too_long_is_malformed() {
    for golden in goldens().decoded.iter().filter(|golden| golden.payload.len() < 400) {
        let whole = unhex(&golden.payload);
        for end in 0..whole.len() {
            assert!(decode(&whole[..end], &reader("reader", &golden.nsp), |_| true).is_err());
        }
        let longer = [&whole[..], b"\x00"].concat();
        let decoded = decode(&longer, &reader("reader", &golden.nsp), |_| true);
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
    let Ok(Received::Broadcast(broadcast)) = decode(payload, &reader("reader", "/"), |_| true)
    else {
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

#[test]
fn what_can_be_no_room_is_no_reason_to_lose_a_broadcast() {
    for (rooms, json, names) in [
        (&b"\x91\xc0"[..], "[null]", &["null"][..]),
        (b"\x92\xc3\xc2", "[true,false]", &["true", "false"]),
        (b"\x92\x91\xa1a\xa1b", r#"[{},"b"]"#, &["b"]),
        (b"\x91\x81\xa1a\x01", "[{}]", &[]),
        (b"\x91\xd4\x00\x00", "[null]", &["null"]),
    ] {
        let payload = with_rooms(rooms);
        let Ok(Received::Broadcast(broadcast)) = decode(&payload, &reader("u", "/"), |_| true)
        else {
            assert!(names.is_empty(), "{rooms:02x?}");
            continue;
        };
        assert_eq!(broadcast.rooms.to_json(), json);
        assert_eq!(broadcast.rooms.iter().collect::<Vec<_>>(), names);
    }
}
