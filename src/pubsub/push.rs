//! What Redis sends on a subscriber's connection.

use super::op::{Kind, Op};
use crate::connection::Value;

/// A push message.
pub(super) enum Push<'a> {
    /// A message on `channel`, to whom is subscribed to `name`: that channel, or a pattern.
    Message { kind: Kind, name: &'a [u8], channel: &'a [u8], payload: &'a [u8] },
    /// Redis has subscribed to this channel or pattern.
    Subscribed(Kind, &'a [u8]),
    /// Redis has left it, because it was told to or of its own accord.
    Unsubscribed(Kind, &'a [u8]),
    /// The answer to a ping among subscriptions.
    Pong,
}

impl<'a> Push<'a> {
    /// Takes a push message apart; `None` where it is none that a subscriber gets.
    pub(super) fn read(parts: &'a [Value]) -> Option<Self> {
        use Value::Bulk;
        let (Bulk(type_name), rest) = parts.split_first()? else { return None };
        Some(match (&**type_name, rest) {
            (b"message", [Bulk(channel), Bulk(payload)]) => {
                Self::Message { kind: Kind::Channel, name: channel, channel, payload }
            }
            (b"pmessage", [Bulk(name), Bulk(channel), Bulk(payload)]) => {
                Self::Message { kind: Kind::Pattern, name, channel, payload }
            }
            (b"smessage", [Bulk(channel), Bulk(payload)]) => {
                Self::Message { kind: Kind::Sharded, name: channel, channel, payload }
            }
            (b"subscribe", [Bulk(name), _]) => Self::Subscribed(Kind::Channel, name),
            (b"psubscribe", [Bulk(name), _]) => Self::Subscribed(Kind::Pattern, name),
            (b"ssubscribe", [Bulk(name), _]) => Self::Subscribed(Kind::Sharded, name),
            (b"unsubscribe", [Bulk(name), _]) => Self::Unsubscribed(Kind::Channel, name),
            (b"punsubscribe", [Bulk(name), _]) => Self::Unsubscribed(Kind::Pattern, name),
            (b"sunsubscribe", [Bulk(name), _]) => Self::Unsubscribed(Kind::Sharded, name),
            (b"pong", [_]) => Self::Pong,
            _ => return None,
        })
    }

    /// Whether it answers a command.
    pub(super) fn confirms(&self, op: &Op) -> bool {
        match (self, op) {
            (Self::Subscribed(kind, name), Op::Subscribe(of, wanted, _))
            | (Self::Unsubscribed(kind, name), Op::Unsubscribe(of, wanted, _)) => {
                kind == of && *name == wanted.as_bytes()
            }
            _ => false,
        }
    }
}
