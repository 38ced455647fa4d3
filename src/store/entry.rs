//! What a store has for the event loop.

use crate::event_loop::{Chunk, Entry, MAX_STRING, Role, optional_bool};

/// The first word of a message whose args are JSON text. Then: channel, length.
pub const ARGS: u32 = 16;
/// The first word of a message of the channel `dispatch`, taken apart.
/// Then: channel, volatile (one of [`optional_bool`]), room length, packet length, exceptions length.
pub const DISPATCH: u32 = 17;
/// The first word of a payload that only JavaScript can unpack. Then: channel, length.
pub const RAW: u32 = 18;

/// A message, as a consumer is called with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivery<'a> {
    /// The JSON text of an array of args.
    Args(&'a str),
    /// A message of the channel `dispatch`.
    Dispatch {
        /// As published: `null`, `false` and `true` are kept apart.
        volatile: Option<bool>,
        /// The room's name.
        room: &'a str,
        /// The encoded packet.
        packet: &'a str,
        /// JSON text of the ids that must not get it, empty for none.
        exceptions: &'a str,
    },
    /// The payload as Redis sent it.
    Raw(&'a [u8]),
}

impl Delivery<'_> {
    /// Whether JavaScript can make strings of it. What it gets raw may stay bytes.
    #[must_use]
    pub const fn fits_strings(&self) -> bool {
        match self {
            Self::Args(args) => args.len() <= MAX_STRING,
            Self::Dispatch { room, packet, exceptions, .. } => {
                room.len() <= MAX_STRING
                    && packet.len() <= MAX_STRING
                    && exceptions.len() <= MAX_STRING
            }
            Self::Raw(_) => true,
        }
    }
}

/// A message on the channel that has a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChannelEntry<'a> {
    /// The number that the subscription was given.
    pub channel: u32,
    /// The message.
    pub delivery: Delivery<'a>,
    /// Whether what follows it must wait until it is handled, where it is written past JavaScript.
    pub is_gate: bool,
}

impl Entry for ChannelEntry<'_> {
    fn role(&self) -> Role {
        if self.is_gate { Role::Gate } else { Role::Message }
    }

    fn size(&self) -> usize {
        match self.delivery {
            Delivery::Args(args) => args.len(),
            Delivery::Dispatch { room, packet, exceptions, .. } => {
                room.len() + packet.len() + exceptions.len()
            }
            Delivery::Raw(payload) => payload.len(),
        }
    }

    fn write(&self, chunk: &mut Chunk) {
        let channel = self.channel;
        match self.delivery {
            Delivery::Args(args) => chunk.put(&[ARGS, channel], &[args.as_bytes()]),
            Delivery::Dispatch { volatile, room, packet, exceptions } => {
                let parts = [room.as_bytes(), packet.as_bytes(), exceptions.as_bytes()];
                chunk.put(&[DISPATCH, channel, optional_bool::word(volatile)], &parts);
            }
            Delivery::Raw(payload) => chunk.put_binary(&[RAW, channel], &[payload]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Delivery, MAX_STRING};

    #[test]
    fn what_javascript_can_make_no_string_of_does_not_fit() {
        // Zeroed memory that is only read takes no place.
        let longest = String::from_utf8(vec![0; MAX_STRING]).unwrap_or_default();
        let long = String::from_utf8(vec![0; MAX_STRING + 1]).unwrap_or_default();
        for (text, fits) in [(&*longest, true), (&*long, false)] {
            let dispatch = |room, packet, exceptions| Delivery::Dispatch {
                volatile: None,
                room,
                packet,
                exceptions,
            };
            assert_eq!(Delivery::Args(text).fits_strings(), fits);
            assert_eq!(dispatch(text, "", "").fits_strings(), fits);
            assert_eq!(dispatch("", text, "").fits_strings(), fits);
            assert_eq!(dispatch("", "", text).fits_strings(), fits);
            assert!(Delivery::Raw(text.as_bytes()).fits_strings());
        }
    }
}
