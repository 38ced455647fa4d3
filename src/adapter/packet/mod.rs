//! Socket.IO's packets as clients get them: their text, and the WebSocket frame around it.

mod event;
mod text;

use std::borrow::Cow;

use crate::event_loop::MAX_STRING;

pub use crate::websocket::append_frame_head;
pub use event::is_event;
pub(crate) use event::is_reserved;
pub use text::{append_text, parse};

/// The longest text, in bytes: Engine.IO puts one more byte before it.
pub(crate) const MAX_TEXT: usize = MAX_STRING - 1;

/// One packet of Socket.IO, apart from its namespace.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Packet<'a> {
    /// Socket.IO's `type`: 2 is an event, 3 an acknowledgement. Never 5 or 6, which say that there
    /// are attachments.
    pub kind: u8,
    /// The `id`, as JavaScript prints it.
    pub id: Option<Cow<'a, str>>,
    /// JSON text of the `data`, with `{"_placeholder":true,"num":n}` in the place of the
    /// attachment `n`. `None` is JavaScript's `undefined` and `null`.
    pub data: Option<Cow<'a, str>>,
    /// The binary parts of the data.
    pub attachments: Vec<Cow<'a, [u8]>>,
}
