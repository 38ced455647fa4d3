//! `NativeWebSockets`: the class behind `lib/websocket`.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use napi::bindgen_prelude::{Buffer, Function};
use napi::{Error, Result};
use napi_derive::napi;

use super::backplane::NativeBatch;
use super::options::to_usize;
use super::stats::number;
use super::waker_of;
use crate::event_loop::{Counters, Limits, Overflow};
use crate::websocket::{
    Adoption, Connections, Options, binary_frame, control_frame, opcode, text_frame,
};

/// How connections are served.
#[napi(object)]
pub struct NativeWebSocketOptions {
    /// How many threads write and read.
    pub threads: u32,
    /// How many messages may wait for the event loop.
    pub messages: u32,
    /// How many bytes may wait for it.
    pub bytes: f64,
}

/// What one connection may have.
#[napi(object)]
pub struct NativeWebSocketLimits {
    /// The longest message, in bytes; 0 stands for no limit.
    pub max_payload: f64,
    /// How many bytes may wait to be written.
    pub max_buffered_amount: f64,
}

/// What is counted of connections.
#[napi(object)]
pub struct NativeWebSocketStats {
    /// Connections that are open.
    pub open: u32,
    /// Frames that were given to connections.
    pub sent: f64,
    /// Bytes that the kernel has taken.
    pub sent_bytes: f64,
    /// Writes that the kernel was asked for.
    pub writes: f64,
    /// Messages that arrived.
    pub received: f64,
    /// Bytes that arrived.
    pub received_bytes: f64,
    /// Connections that were closed since they took too little.
    pub slow: f64,
    /// Connections that were closed for a broken rule.
    pub violations: f64,
    /// Volatile frames that were left out.
    pub volatile_dropped: f64,
    /// Panics of threads: bugs of this package.
    pub internal_errors: f64,
    /// Messages that wait for the event loop.
    pub waiting: u32,
    /// Their bytes.
    pub waiting_bytes: f64,
}

/// The native WebSocket connections of one environment. Commands are carried out after `flush()`.
#[napi]
pub struct NativeWebSockets {
    pub(super) connections: Arc<Connections>,
}

#[napi]
impl NativeWebSockets {
    /// Calls `wake` when there is something to drain.
    #[napi(constructor, catch_unwind)]
    pub fn new(options: NativeWebSocketOptions, wake: Function<'_, (), ()>) -> Result<Self> {
        let waker = waker_of(wake)?;
        let NativeWebSocketOptions { threads, messages, bytes } = options;
        let (messages, bytes) = (messages as usize, to_usize(bytes));
        let mailbox = Limits { messages, bytes, overflow: Overflow::Wait };
        let options = Options { shards: threads as usize, mailbox };
        Ok(Self { connections: Arc::new(Connections::new(options, waker)) })
    }

    /// Owns a duplicate of a descriptor from now on. `head`: what has been read of it already;
    /// `response`: what is written first. Returns the connection's number.
    #[napi(catch_unwind)]
    pub fn adopt(
        &self,
        descriptor: i32,
        head: Buffer,
        response: String,
        limits: NativeWebSocketLimits,
    ) -> Result<u32> {
        let NativeWebSocketLimits { max_payload, max_buffered_amount } = limits;
        let adoption = Adoption {
            response: response.into_bytes(),
            head: head.to_vec(),
            max_payload: to_usize(max_payload),
            max_buffered: to_usize(max_buffered_amount),
        };
        duplicate(descriptor)
            .and_then(|socket| self.connections.adopt(socket, adoption))
            .map_err(|error| Error::from_reason(format!("A socket cannot be adopted: {error}")))
    }

    /// Sends a text message. A ticket other than 0 is reported once the kernel has it.
    #[napi(catch_unwind)]
    pub fn send_text(&self, id: u32, text: String, ticket: u32) {
        self.connections.send(id, text_frame(&text), ticket);
    }

    /// The same with the first `length` bytes of `bytes`, which are UTF-8: much cheaper than a string.
    #[napi(catch_unwind)]
    pub fn send_utf8(&self, id: u32, bytes: &[u8], length: u32, ticket: u32) {
        let text = bytes.get(..length as usize).map(str::from_utf8);
        if let Some(Ok(text)) = text {
            self.connections.send(id, text_frame(text), ticket);
        }
    }

    /// Sends a binary message.
    #[napi(catch_unwind)]
    pub fn send_binary(&self, id: u32, data: &[u8], ticket: u32) {
        self.connections.send(id, binary_frame(data), ticket);
    }

    /// Sends a ping.
    #[napi(catch_unwind)]
    pub fn ping(&self, id: u32, data: &[u8], ticket: u32) {
        self.connections.send(id, control_frame(opcode::PING, data), ticket);
    }

    /// Sends a pong.
    #[napi(catch_unwind)]
    pub fn pong(&self, id: u32, data: &[u8], ticket: u32) {
        self.connections.send(id, control_frame(opcode::PONG, data), ticket);
    }

    /// Closes a connection once all before is written; code 0 stands for none.
    #[napi(catch_unwind)]
    pub fn close(&self, id: u32, code: u16, reason: String) {
        self.connections.close(id, code, reason);
    }

    /// Ends a connection once all before is written, and these bytes, which are no frames.
    #[napi(catch_unwind)]
    pub fn abort(&self, id: u32, bytes: &[u8]) {
        self.connections.abort(id, bytes.to_vec());
    }

    /// Ends a connection at once.
    #[napi(catch_unwind)]
    pub fn terminate(&self, id: u32) {
        self.connections.terminate(id);
    }

    /// Has all commands carried out.
    #[napi(catch_unwind)]
    pub fn flush(&self) {
        self.connections.wake();
    }

    /// The bytes that the kernel has not taken yet; 0 for a connection that is gone.
    #[napi(catch_unwind)]
    pub fn buffered_amount(&self, id: u32) -> f64 {
        number(self.connections.buffered(id) as u64)
    }

    /// Reads no more of a connection.
    #[napi(catch_unwind)]
    pub fn pause(&self, id: u32) {
        self.connections.pause(id, true);
    }

    /// Reads of a connection again.
    #[napi(catch_unwind)]
    pub fn resume(&self, id: u32) {
        self.connections.pause(id, false);
    }

    /// Has a connection hold broadcasts of Redis, until `uncork` is called as often.
    #[napi(catch_unwind)]
    pub fn cork(&self, id: u32) {
        self.connections.cork(id);
    }

    /// Writes the broadcasts that a connection holds since it became native.
    #[napi(catch_unwind)]
    pub fn uncork(&self, id: u32) {
        self.connections.uncork(id);
    }

    /// Takes the oldest batch, or nothing.
    #[napi(catch_unwind)]
    pub fn drain(&self) -> Option<NativeBatch> {
        self.connections.drain().map(NativeBatch::from)
    }

    /// What has been counted.
    #[napi(catch_unwind)]
    pub fn stats(&self) -> NativeWebSocketStats {
        let counters = self.connections.counters();
        let read = |counter: &AtomicU64| number(Counters::read(counter));
        let (waiting, waiting_bytes) = self.connections.depth();
        NativeWebSocketStats {
            open: u32::try_from(counters.open.load(Ordering::Relaxed)).unwrap_or(u32::MAX),
            sent: read(&counters.sent),
            sent_bytes: read(&counters.sent_bytes),
            writes: read(&counters.writes),
            received: read(&counters.received),
            received_bytes: read(&counters.received_bytes),
            slow: read(&counters.slow),
            violations: read(&counters.violations),
            volatile_dropped: read(&counters.volatile_dropped),
            internal_errors: read(&counters.internal_errors),
            waiting: u32::try_from(waiting).unwrap_or(u32::MAX),
            waiting_bytes: number(waiting_bytes as u64),
        }
    }
}

/// A socket of its own for a descriptor.
#[cfg(unix)]
fn duplicate(descriptor: i32) -> std::io::Result<socket2::Socket> {
    use std::os::fd::BorrowedFd;

    if descriptor < 0 {
        return Err(std::io::ErrorKind::InvalidInput.into());
    }
    // SAFETY: JavaScript gives the descriptor of a socket that it holds open until this call has
    // returned. Should it name one that is closed, the duplication fails.
    #[allow(unsafe_code)]
    let borrowed = unsafe { BorrowedFd::borrow_raw(descriptor) };
    borrowed.try_clone_to_owned().map(Into::into)
}

#[cfg(not(unix))]
fn duplicate(_: i32) -> std::io::Result<socket2::Socket> {
    Err(std::io::ErrorKind::Unsupported.into())
}
