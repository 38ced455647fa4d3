//! Broadcasts that no server writes, made at random: each is read or refused, within the limits, and
//! what is read can be published again.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

#[path = "support/adapter_wire.rs"]
mod support;

use socket_io_redis_native::adapter::packet::{append_text, is_event, parse};
use socket_io_redis_native::adapter::wire::{Limits, Reader, Received, decode, encode};
use socket_io_redis_native::codec::{EncodeError, Malformed};
use support::{goldens, read, reader, unhex, with_data, with_rooms};

const LIMITS: Limits = Limits { rooms: 20, attachments: 5, bytes: 5000 };
const READER: Reader<'_> = Reader { uid: "own", nsp: "/", limits: LIMITS };
/// The longest text that a byte becomes: of an empty `bin`, which takes two.
const GROWTH: usize = 16;

/// The same numbers each time.
struct Random(u64);

impl Random {
    const fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() % limit as u64).unwrap()
    }

    fn bytes(&mut self, most: usize) -> Vec<u8> {
        (0..self.below(most + 1)).map(|_| self.next().to_be_bytes()[0]).collect()
    }

    /// A value of any kind, whose lengths lie now and then.
    fn value(&mut self, depth: usize, out: &mut Vec<u8>) {
        const NAMES: [&[u8]; 8] = [
            b"\xa5rooms",
            b"\xa9__proto__",
            b"\xa1a",
            b"\xa11",
            b"\xa8toString",
            b"\xa2\xff\xfe",
            b"\xa4type",
            b"\xc4\x04data",
        ];
        const HEADS: [&[u8]; 12] = [
            b"\xc0",
            b"\xc2",
            b"\xc3",
            b"\x00",
            b"\x02",
            b"\xff",
            b"\xcb\x7f\xf8\0\0\0\0\0\0",
            b"\xd4\x00\x00",
            b"\xd6\xff\x00\x00\x00\x01",
            b"\xc7\x02\x00ab",
            b"\xd4\x07a",
            b"\xc1",
        ];
        let len = self.below(4);
        match self.below(if depth == 0 { 5 } else { 9 }) {
            0..=2 => out.extend_from_slice(HEADS[self.below(HEADS.len())]),
            3 => out.extend_from_slice(NAMES[self.below(NAMES.len())]),
            4 => {
                let bytes = self.bytes(30);
                out.extend_from_slice(&[0xc4, u8::try_from(bytes.len()).unwrap()]);
                out.extend_from_slice(&bytes);
            }
            5 | 6 => {
                out.push(0x90 | u8::try_from(len).unwrap());
                (0..len).for_each(|_| self.value(depth - 1, out));
            }
            7 => {
                out.push(0x80 | u8::try_from(len).unwrap());
                (0..2 * len).for_each(|_| self.value(depth - 1, out));
            }
            _ => {
                let lies: [&[u8]; 4] = [
                    b"\xdd\xff\xff\xff\xff",
                    b"\xdf\0\0\xff\xff",
                    b"\xdb\0\0\0\x09",
                    b"\xc6\0\x10\0\0",
                ];
                out.extend_from_slice(lies[self.below(lies.len())]);
            }
        }
    }

    /// A broadcast in which each field may be anything.
    fn broadcast(&mut self) -> Vec<u8> {
        let mut out = b"\x93\xa6sender".to_vec();
        let fields: [(&[u8], &[u8]); 7] = [
            (b"\xa4type", b"\x02"),
            (b"\xa4data", b"\x92\xa1e\x01"),
            (b"\xa3nsp", b"\xa1/"),
            (b"\xa2id", b"\xc0"),
            (b"\xa5rooms", b"\x91\xa1a"),
            (b"\xa6except", b"\x90"),
            (b"\xa5flags", b"\x80"),
        ];
        for (at, (key, value)) in fields.into_iter().enumerate() {
            match at {
                0 => out.push(0x84),
                4 => out.push(0x83),
                _ => {}
            }
            if self.below(12) == 0 {
                self.value(2, &mut out);
            } else {
                out.extend_from_slice(key);
            }
            if self.below(4) == 0 { self.value(5, &mut out) } else { out.extend_from_slice(value) }
        }
        out
    }

    /// The same bytes with a few that are others, lack or are too many.
    fn spoiled(&mut self, whole: &[u8]) -> Vec<u8> {
        let mut bytes = whole.to_vec();
        for _ in 0..=self.below(3) {
            let at = self.below(bytes.len().max(1));
            match self.below(4) {
                0 => bytes.truncate(at),
                1 => {
                    bytes.insert(at, self.next().to_be_bytes()[0]);
                }
                _ => {
                    if let Some(byte) = bytes.get_mut(at) {
                        *byte = self.next().to_be_bytes()[0];
                    }
                }
            }
        }
        bytes
    }
}

/// Reads it as a server does. Returns whether clients get something.
fn reads_or_refuses(payload: &[u8]) -> bool {
    let Ok(Received::Broadcast(broadcast)) = decode(payload, &READER, |_| true) else {
        return false;
    };
    assert!(broadcast.packet.attachments.len() <= LIMITS.attachments);
    for names in [&broadcast.rooms, &broadcast.except] {
        assert!(names.iter().count() <= LIMITS.rooms as usize);
        let json: Vec<serde_json::Value> =
            serde_json::from_str(&names.to_json().replace("1e999", "1e300")).unwrap();
        assert_eq!(json.is_empty(), names.is_empty());
    }
    let mut text = Vec::new();
    append_text(&broadcast.packet, "/", &mut text);
    assert!(text.len() <= GROWTH * payload.len(), "{} of {}", text.len(), payload.len());
    let text = String::from_utf8(text).unwrap();
    if !is_event(&broadcast.packet) {
        return false;
    }
    let parsed = parse(&text, "/", broadcast.packet.attachments.clone()).unwrap();
    let again = encode("other", &parsed, "/", "{}");
    assert!(matches!(again, Ok(_) | Err(EncodeError::Depth)), "{again:?} of {text}");
    true
}

#[test]
fn fields_that_are_anything() {
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let read = (0..100_000).filter(|_| reads_or_refuses(&random.broadcast())).count();
    assert!((10_000..90_000).contains(&read), "{read}");
}

#[test]
fn messages_that_are_spoiled() {
    let mut random = Random(0x2545_f491_4f6c_dd1d);
    let goldens = goldens();
    let encoded = goldens.encoded.iter().map(|golden| &golden.payload);
    let decoded = goldens.decoded.iter().map(|golden| &golden.payload);
    let payloads: Vec<_> = encoded.chain(decoded).map(|payload| unhex(payload)).collect();
    for payload in payloads.iter().filter(|payload| payload.len() < 1000).cycle().take(100_000) {
        reads_or_refuses(&random.spoiled(payload));
    }
}

#[test]
fn limits_hold_to_the_last_one() {
    let decoded = |payload: &[u8]| decode(payload, &READER, |_| true).map(drop);
    let array = |len: u8, element: &[u8]| [&[0xdc, 0, len], &*element.repeat(len.into())].concat();
    assert_eq!(decoded(&with_rooms(&array(20, b"\xa1a"))), Ok(()));
    assert_eq!(decoded(&with_rooms(&array(21, b"\xa1a"))), Err(Malformed::TooMany));
    // Text, of which each character is a room; and binary.
    assert_eq!(decoded(&with_rooms(&[b"\xb4", &*"a".repeat(20).into_bytes()].concat())), Ok(()));
    assert_eq!(
        decoded(&with_rooms(&[b"\xb5", &*"a".repeat(21).into_bytes()].concat())),
        Err(Malformed::TooMany)
    );
    assert_eq!(
        decoded(&with_rooms(&[b"\xc4\x15", &[7; 21][..]].concat())),
        Err(Malformed::TooMany)
    );
    assert_eq!(decoded(&with_data(&array(5, b"\xc4\x00"))), Ok(()));
    assert_eq!(decoded(&with_data(&array(6, b"\xc4\x00"))), Err(Malformed::TooMany));
    // In an object whose keys have to be put in order, binary is met twice.
    let irregular = |len| [b"\x82\xa1a", &*array(len, b"\xc4\x00"), b"\xa10\x01"].concat();
    assert_eq!(decoded(&with_data(&irregular(5))), Ok(()));
    assert_eq!(decoded(&with_data(&irregular(6))), Err(Malformed::TooMany));
    let text = |len: u16| [b"\xda", &len.to_be_bytes()[..], &vec![b'x'; len.into()]].concat();
    let around = with_data(&text(0)).len();
    let fits = u16::try_from(LIMITS.bytes - around).unwrap();
    assert_eq!(decoded(&with_data(&text(fits))), Ok(()));
    assert_eq!(decoded(&with_data(&text(fits + 1))), Err(Malformed::TooLong));
}

#[test]
fn odd_keys_and_rooms_take_no_more_than_linear_time() {
    // Each key a long list, in which lists are nested.
    let key = [b"\xdd\x00\x00\x27\x10", &b"\x91\x91\x01".repeat(10_000)[..]].concat();
    let map = [b"\xde\x00\x64", &[&key[..], b"\x01"].concat().repeat(100)[..]].concat();
    let text = read(&with_data(&map), "/").packet.data.unwrap().into_owned();
    assert_eq!(text.len(), r#"{"":1}"#.len() + 2 * 10_000 - 1);
    // Nested as deep as the payload is long, where nothing counts levels.
    let deep = [&b"\x81"[..], &b"\x91".repeat(1_000_000), b"\x01\x01"].concat();
    let packet = support::payload(&deep, b"\x80");
    assert_eq!(decode(&packet, &reader("u", "/"), |_| true), Err(Malformed::Type));
    let text = "\u{1f600}".repeat(1_000_000);
    let length = u32::try_from(text.len()).unwrap().to_be_bytes();
    let payload = with_rooms(&[b"\xdb", &length[..], text.as_bytes()].concat());
    assert_eq!(read(&payload, "/").rooms.iter().count(), 1_000_000);
}
