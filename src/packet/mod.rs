//! Socket.IO's packets as clients get them: their text, and the WebSocket frame around it.

mod frame;
mod text;

pub use frame::append_frame_head;
pub use text::{append_text, parse};
