//! Any bytes as a broadcast of another server of Socket.IO 4: what is accepted has a text, and the
//! text can be published again.

#![no_main]

use libfuzzer_sys::fuzz_target;
use socket_io_redis_native::adapter::packet;
use socket_io_redis_native::adapter::wire::{Limits, Reader, Received, decode, encode};
use socket_io_redis_native::codec::EncodeError;

const READER: Reader<'_> = Reader {
    uid: "own",
    nsp: "/",
    limits: Limits { rooms: u32::MAX, attachments: usize::MAX, bytes: usize::MAX },
};

fuzz_target!(|bytes: &[u8]| {
    let Ok(Received::Broadcast(broadcast)) = decode(bytes, &READER, |_| true) else { return };
    if !packet::is_event(&broadcast.packet) {
        return;
    }
    let mut text = Vec::new();
    packet::append_text(&broadcast.packet, "/", &mut text);
    let text = String::from_utf8(text).unwrap();
    let parsed = packet::parse(&text, "/", broadcast.packet.attachments.clone()).unwrap();
    let again = encode("other", &parsed, "/", "{}");
    assert!(matches!(again, Ok(_) | Err(EncodeError::Depth)), "{again:?} of {text}");
});
