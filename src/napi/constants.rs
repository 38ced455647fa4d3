//! The numbers that cross to JavaScript in the index of a batch.

#![allow(missing_docs, reason = "each is documented where it is defined")]
#![allow(dead_code, reason = "JavaScript uses them, which tests are built without")]

use napi_derive::napi;

use crate::adapter::entry::{self as adapter, broadcast_flags, payload_kind};
use crate::event_loop::{self, optional_bool, reply_kind};
use crate::store::entry as store;
use crate::websocket::entry_kind;

#[napi]
pub const ENTRY_REPLY: u32 = event_loop::REPLY;
#[napi]
pub const ENTRY_EVENT: u32 = event_loop::EVENT;
#[napi]
pub const ENTRY_ARGS: u32 = store::ARGS;
#[napi]
pub const ENTRY_DISPATCH: u32 = store::DISPATCH;
#[napi]
pub const ENTRY_RAW: u32 = store::RAW;
#[napi]
pub const ENTRY_BROADCAST: u32 = adapter::BROADCAST;
#[napi]
pub const ENTRY_PAYLOAD: u32 = adapter::PAYLOAD;

#[napi]
pub const WS_TEXT: u32 = entry_kind::TEXT;
#[napi]
pub const WS_BINARY: u32 = entry_kind::BINARY;
#[napi]
pub const WS_PING: u32 = entry_kind::PING;
#[napi]
pub const WS_PONG: u32 = entry_kind::PONG;
#[napi]
pub const WS_SENT: u32 = entry_kind::SENT;
#[napi]
pub const WS_ERROR: u32 = entry_kind::ERROR;
#[napi]
pub const WS_CLOSED: u32 = entry_kind::CLOSED;

#[napi]
pub const REPLY_NIL: u32 = reply_kind::NIL;
#[napi]
pub const REPLY_INTEGER: u32 = reply_kind::INTEGER;
#[napi]
pub const REPLY_STRING: u32 = reply_kind::STRING;
#[napi]
pub const REPLY_ERROR: u32 = reply_kind::ERROR;
#[napi]
pub const REPLY_LIST: u32 = reply_kind::LIST;

#[napi]
pub const PAYLOAD_BROADCAST: u32 = payload_kind::BROADCAST;
#[napi]
pub const PAYLOAD_REQUEST: u32 = payload_kind::REQUEST;
#[napi]
pub const PAYLOAD_RESPONSE: u32 = payload_kind::RESPONSE;

#[napi]
pub const OPTIONAL_NONE: u32 = optional_bool::NONE;
#[napi]
pub const OPTIONAL_FALSE: u32 = optional_bool::FALSE;
#[napi]
pub const OPTIONAL_TRUE: u32 = optional_bool::TRUE;

#[napi]
pub const FLAG_VOLATILE: u32 = broadcast_flags::VOLATILE;
#[napi]
pub const FLAG_COMPRESS: u32 = broadcast_flags::COMPRESS;
#[napi]
pub const FLAG_ONE_ROOM: u32 = broadcast_flags::ONE_ROOM;
#[napi]
pub const FLAG_NAN_NAMES: u32 = broadcast_flags::NAN_NAMES;
