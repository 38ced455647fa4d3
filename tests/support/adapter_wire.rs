//! The goldens of the classic adapter's broadcasts, and payloads made by hand.

#![allow(dead_code, missing_docs, reason = "each test uses some of it")]

use std::borrow::Cow;

use serde::Deserialize;
use socket_io_redis_native::adapter::packet::Packet;
use socket_io_redis_native::adapter::packet::append_text;
use socket_io_redis_native::adapter::wire::{Broadcast, Limits, Reader, Received, decode};

const GOLDENS: &str = include_str!("../golden/classic.json");
pub const OPTS: &str = r#"{"rooms":["room"],"except":[],"flags":{}}"#;

#[derive(Deserialize)]
pub struct Goldens {
    pub encoded: Vec<Encoded>,
    pub decoded: Vec<Decoded>,
    pub malformed: Vec<String>,
}

#[derive(Deserialize)]
pub struct Encoded {
    #[serde(rename = "type")]
    pub kind: u8,
    pub nsp: String,
    pub id: Option<String>,
    pub text: String,
    pub attachments: Vec<String>,
    pub opts: String,
    pub payload: String,
}

#[derive(Deserialize)]
pub struct Decoded {
    pub payload: String,
    pub nsp: String,
    pub text: String,
    pub attachments: Vec<String>,
    pub rooms: String,
    pub except: String,
    pub volatile: Option<bool>,
    pub compress: Option<bool>,
}

pub fn goldens() -> Goldens {
    serde_json::from_str(GOLDENS).unwrap()
}

pub fn unhex(text: &str) -> Vec<u8> {
    let digit = |b: u8| u8::try_from((b as char).to_digit(16).unwrap()).unwrap();
    let pairs = text.as_bytes().chunks_exact(2);
    pairs.map(|pair| digit(pair[0]) << 4 | digit(pair[1])).collect()
}

pub fn attached(hex: &[String]) -> Vec<Cow<'static, [u8]>> {
    hex.iter().map(|hex| Cow::Owned(unhex(hex))).collect()
}

pub fn event(data: &str) -> Packet<'_> {
    Packet { kind: 2, data: Some(data.into()), ..Packet::default() }
}

pub fn written(packet: &Packet<'_>, nsp: &str) -> String {
    let mut text = Vec::new();
    append_text(packet, nsp, &mut text);
    String::from_utf8(text).unwrap()
}

/// A reader without limits.
pub fn reader<'a>(uid: &'a str, nsp: &'a str) -> Reader<'a> {
    let limits = Limits { rooms: u32::MAX, attachments: usize::MAX, bytes: usize::MAX };
    Reader { uid, nsp, limits }
}

pub fn read<'a>(payload: &'a [u8], nsp: &str) -> Broadcast<'a> {
    match decode(payload, &reader("reader", nsp), |_| true) {
        Ok(Received::Broadcast(broadcast)) => broadcast,
        other => panic!("{other:?} of {payload:02x?}"),
    }
}

/// A payload of another node, with these bytes as its packet and its options.
pub fn payload(packet: &[u8], opts: &[u8]) -> Vec<u8> {
    [b"\x93\xa6sender", packet, opts].concat()
}

/// A payload with these bytes as its data.
pub fn with_data(data: &[u8]) -> Vec<u8> {
    payload(&[b"\x83\xa4type\x02\xa4data", data, b"\xa3nsp\xa1/"].concat(), b"\x80")
}

/// A payload with these bytes as its rooms.
pub fn with_rooms(rooms: &[u8]) -> Vec<u8> {
    payload(b"\x81\xa4type\x02", &[b"\x81\xa5rooms", rooms].concat())
}
