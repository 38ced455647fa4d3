//! What a `NativeBackplane` is made from, as it crosses from JavaScript.

use napi_derive::napi;
use tokio::time::Duration;

use crate::backplane::{Options, QueueLimits};
use crate::event_loop::{self, Limits};

/// The option `overflow`.
#[napi(string_enum = "kebab-case")]
pub enum Overflow {
    /// See `event_loop::Overflow`.
    Wait,
    /// See `event_loop::Overflow`.
    DropOldest,
    /// See `event_loop::Overflow`.
    DropNewest,
    /// See `event_loop::Overflow`.
    Disconnect,
}

/// Queues and times.
#[napi(object)]
pub struct NativeOptions {
    /// How many messages may wait while Redis is away.
    pub queue_messages: u32,
    /// How many bytes may wait while Redis is away.
    pub queue_bytes: f64,
    /// How many messages may wait for a busy event loop.
    pub mailbox_messages: u32,
    /// How many bytes may wait for it.
    pub mailbox_bytes: f64,
    /// What happens to more.
    pub overflow: Overflow,
    /// How long a command waits for its reply, in ms.
    pub command_timeout: u32,
}

impl From<NativeOptions> for Options {
    fn from(options: NativeOptions) -> Self {
        Self {
            queue: QueueLimits {
                messages: options.queue_messages as usize,
                bytes: to_usize(options.queue_bytes),
            },
            mailbox: Limits {
                messages: options.mailbox_messages as usize,
                bytes: to_usize(options.mailbox_bytes),
                overflow: options.overflow.into(),
            },
            command_timeout: Duration::from_millis(options.command_timeout.into()),
        }
    }
}

impl From<Overflow> for event_loop::Overflow {
    fn from(overflow: Overflow) -> Self {
        match overflow {
            Overflow::Wait => Self::Wait,
            Overflow::DropOldest => Self::DropOldest,
            Overflow::DropNewest => Self::DropNewest,
            Overflow::Disconnect => Self::Disconnect,
        }
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "`as` saturates")]
pub(super) fn to_usize(number: f64) -> usize {
    number as usize
}
