//! The methods of `NativeBackplane` that `lib/store/` calls.

use napi::bindgen_prelude::{Buffer, Either};
use napi_derive::napi;

use super::backplane::NativeBackplane;
use super::{bytes_of, waits};
use crate::backplane::{Dispatch, Request};

#[napi]
impl NativeBackplane {
    /// Publishes `args`, the JSON text of an array.
    #[napi(catch_unwind)]
    pub fn publish(&self, channel: String, args: String) {
        self.backplane.send(Request::Publish { channel, args }, None);
    }

    /// Publishes a message of the channel `dispatch`. `volatile`: 0 null, 1 false, 2 true;
    /// `exceptions`: JSON text of the array, empty for `[]`.
    #[napi(catch_unwind)]
    pub fn dispatch(&self, room: String, packet: String, volatile: u32, exceptions: String) {
        let volatile = [None, Some(false), Some(true)].get(volatile as usize).copied().flatten();
        self.backplane
            .send(Request::Dispatch(Dispatch { room, packet, volatile, exceptions }), None);
    }

    /// Publishes what the application's `pack` made.
    #[napi(catch_unwind)]
    pub fn publish_packed(&self, channel: String, payload: Either<String, Buffer>) {
        let payload = bytes_of(payload);
        self.backplane.send(Request::PublishPacked { channel, payload }, None);
    }

    /// Subscribes; returns the number under which the channel's messages come.
    #[napi(catch_unwind)]
    pub fn subscribe(&self, channel: String, ticket: u32) -> u32 {
        self.store.subscribe(&channel, waits(ticket))
    }

    /// Unsubscribes.
    #[napi(catch_unwind)]
    pub fn unsubscribe(&self, channel: String, ticket: u32) {
        self.store.unsubscribe(&channel, waits(ticket));
    }

    /// `HGET`
    #[napi(catch_unwind)]
    pub fn get(&self, key: String, field: String, ticket: u32) {
        self.backplane.send(Request::Get(key, field), waits(ticket));
    }

    /// `HSET`
    #[napi(catch_unwind)]
    pub fn set(&self, key: String, field: String, value: Either<String, Buffer>, ticket: u32) {
        self.backplane.send(Request::Set(key, field, bytes_of(value)), waits(ticket));
    }

    /// `HDEL`
    #[napi(catch_unwind)]
    pub fn del(&self, key: String, field: String, ticket: u32) {
        self.backplane.send(Request::Del(key, field), waits(ticket));
    }

    /// `HEXISTS`
    #[napi(catch_unwind)]
    pub fn has(&self, key: String, field: String, ticket: u32) {
        self.backplane.send(Request::Has(key, field), waits(ticket));
    }

    /// `DEL`
    #[napi(catch_unwind)]
    pub fn destroy(&self, key: String) {
        self.backplane.send(Request::Destroy(key), None);
    }

    /// `EXPIRE`
    #[napi(catch_unwind)]
    pub fn expire(&self, key: String, seconds: i64) {
        self.backplane.send(Request::Expire(key, seconds), None);
    }

    /// Counts messages that the application's `unpack` read: foreign ones and own ones.
    #[napi(catch_unwind)]
    pub fn unpacked(&self, delivered: u32, own: u32) {
        self.store.unpacked(delivered.into(), own.into());
    }

    /// Counts a message that the application's `unpack` could not read.
    #[napi(catch_unwind)]
    pub fn malformed(&self, channel: String) {
        self.store.malformed(&channel);
    }
}
