//! Socket.IO's packets as clients get them: their text, and the WebSocket frame around it.

mod frame;
mod model;
mod text;

pub use self::model::Packet;
pub use frame::append_frame_head;
pub use text::{append_text, parse};

/// The longest text, in bytes, of which JavaScript can make a string: V8's limit.
pub const MAX_TEXT: usize = (1 << 29) - 25;
