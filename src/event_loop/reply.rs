//! The answer to a request of JavaScript.

use super::chunk::{Chunk, Entry, REPLY, Role};

/// What the answer to a request is: the third word of its index.
pub mod reply_kind {
    /// Done, or a field that is not there.
    pub const NIL: u32 = 0;
    /// An integer, as decimal text.
    pub const INTEGER: u32 = 1;
    /// A string; bytes that are not UTF-8 become U+FFFD in JavaScript.
    pub const STRING: u32 = 2;
    /// An error, as JSON `{ code, message, cause }`.
    pub const ERROR: u32 = 3;
    /// A list, as JSON.
    pub const LIST: u32 = 4;
}

/// The answer to the request that has a ticket. Index: `REPLY, ticket, kind, length`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reply<'a> {
    /// The number that the caller gave to the request.
    pub ticket: u32,
    /// What came of it.
    pub outcome: Outcome<'a>,
}

/// What came of a request; the kinds are those of `reply_kind`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome<'a> {
    /// Done, or a field that is not there.
    Nil,
    /// An integer.
    Integer(i64),
    /// A string.
    Bytes(&'a [u8]),
    /// An error, as JSON.
    Error(&'a str),
    /// A list, as JSON.
    List(&'a str),
}

impl Entry for Reply<'_> {
    fn role(&self) -> Role {
        Role::Answer
    }

    fn size(&self) -> usize {
        match self.outcome {
            Outcome::Nil | Outcome::Integer(_) => 0,
            Outcome::Bytes(bytes) => bytes.len(),
            Outcome::Error(json) | Outcome::List(json) => json.len(),
        }
    }

    fn write(&self, chunk: &mut Chunk) {
        let mut put = |kind, bytes| chunk.put(&[REPLY, self.ticket, kind], &[bytes]);
        match self.outcome {
            Outcome::Nil => put(reply_kind::NIL, b""),
            Outcome::Integer(number) => {
                put(reply_kind::INTEGER, itoa::Buffer::new().format(number).as_bytes());
            }
            Outcome::Bytes(bytes) => put(reply_kind::STRING, bytes),
            Outcome::Error(json) => put(reply_kind::ERROR, json.as_bytes()),
            Outcome::List(json) => put(reply_kind::LIST, json.as_bytes()),
        }
    }
}
