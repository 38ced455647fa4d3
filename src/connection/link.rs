//! An open connection that speaks RESP2.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures_util::Sink;
use redis::cmd;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_stream::Stream as _;
use tokio_util::codec::Framed;

use super::resp::{Resp, Value};
use super::tls;
use crate::error::{Error, Result};

/// A byte stream that a connection can run over.
pub trait ByteStream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> ByteStream for S {}

/// RESP2, which every Redis and Valkey speaks, over one stream.
///
/// redis-rs packs the commands. Its connection types are not used: their
/// subscriber hands messages on through an unbounded queue, and here a full mailbox must be felt
/// by Redis.
pub struct Connection<S> {
    framed: Framed<S, Resp>,
    endpoint: String,
    // Bytes of all commands that were ever queued.
    queued: u64,
    // Whether some of them may not have left: in the buffer here, or in one of the stream's own,
    // as TLS has it.
    unflushed: bool,
    // The most bytes that have waited in the buffer here since it was last empty.
    peak: usize,
}

/// How far a connection has come.
#[derive(Debug, Clone, Copy, Default)]
pub struct Progress {
    // The part of a reply that is there.
    received: usize,
    written: u64,
    unwritten: usize,
}

impl Progress {
    /// Whether more of a reply has arrived since `before`, or some of the commands that could not
    /// be written then have been. Others do not count: the system takes them for a dead peer too.
    pub const fn is_since(self, before: Self) -> bool {
        self.received != before.received || (before.unwritten > 0 && self.written != before.written)
    }
}

/// The answer to a command.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    /// Nothing, or nothing but "done".
    Nil,
    /// An integer.
    Integer(i64),
    /// A string.
    Bytes(Bytes),
    /// A list of strings and integers, as JSON text.
    List(String),
    /// An error, as Redis worded it.
    Error(String),
}

impl From<Value> for Answer {
    fn from(value: Value) -> Self {
        match value {
            Value::Integer(number) => Self::Integer(number),
            Value::Bulk(bytes) => Self::Bytes(bytes),
            Value::Error(error) => Self::Error(error),
            Value::Array(values) => {
                let list: serde_json::Value = values.iter().map(json).collect();
                Self::List(list.to_string())
            }
            Value::Nil | Value::Simple(_) => Self::Nil,
        }
    }
}

fn json(value: &Value) -> serde_json::Value {
    match value {
        Value::Integer(number) => (*number).into(),
        Value::Bulk(bytes) => String::from_utf8_lossy(bytes).into(),
        _ => serde_json::Value::Null,
    }
}

/// Appends a command to `packed`, in RESP.
pub fn pack(command: &str, args: &[&[u8]], packed: &mut Vec<u8>) {
    let mut command = cmd(command);
    for arg in args {
        command.arg(*arg);
    }
    command.write_packed_command(packed);
}

impl<S: ByteStream> Connection<S> {
    /// What one read may bring, in bytes.
    const READ_BUFFER: usize = 64 * 1024;
    /// A buffer that has grown beyond this is not kept.
    const MAX_KEPT: usize = 1024 * 1024;

    /// A connection over a stream to `endpoint`.
    pub fn new(stream: S, endpoint: String) -> Self {
        let framed = Framed::with_capacity(stream, Resp::default(), Self::READ_BUFFER);
        Self { framed, endpoint, queued: 0, unflushed: false, peak: 0 }
    }

    /// Queues packed commands; [`Self::next`] and [`Self::flush`] write them.
    pub fn queue(&mut self, packed: &[u8]) {
        self.framed.write_buffer_mut().extend_from_slice(packed);
        self.queued += packed.len() as u64;
        self.unflushed = true;
        self.peak = self.peak.max(self.unwritten());
    }

    /// How many bytes of commands wait to be written.
    pub fn unwritten(&self) -> usize {
        self.framed.write_buffer().len()
    }

    /// Writes all that is queued. Safe to cancel.
    ///
    /// # Errors
    /// [`Error::Lost`].
    pub async fn flush(&mut self) -> Result<()> {
        let flushed = poll_fn(|cx| self.poll_flush(cx)).await;
        flushed.map_err(|error| self.lost(error))
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed =
            ready!(<Framed<_, _> as Sink<&[u8]>>::poll_flush(Pin::new(&mut self.framed), cx));
        self.unflushed = false;
        if std::mem::take(&mut self.peak) > Self::MAX_KEPT {
            *self.framed.write_buffer_mut() = bytes::BytesMut::new();
        }
        Poll::Ready(flushed)
    }

    /// Waits for the next reply or message, however long that takes, and writes what is queued
    /// meanwhile. Safe to cancel. Where nothing can be written any more, what has arrived is read
    /// first.
    ///
    /// # Errors
    /// [`Error::Lost`].
    pub async fn next(&mut self) -> Result<Value> {
        loop {
            if let Some(value) = self.next_or_written(usize::MAX).await? {
                return Ok(value);
            }
        }
    }

    /// The same; but `None` once fewer than `limit` bytes wait to be written, if these are more.
    ///
    /// # Errors
    /// [`Error::Lost`].
    pub async fn next_or_written(&mut self, limit: usize) -> Result<Option<Value>> {
        let is_full = self.unwritten() >= limit;
        let value = poll_fn(|cx| {
            let flushed = if self.unflushed { self.poll_flush(cx) } else { Poll::Ready(Ok(())) };
            if is_full && self.unwritten() < limit {
                return Poll::Ready(Some(Ok(None)));
            }
            match (Pin::new(&mut self.framed).poll_next(cx), flushed) {
                (Poll::Ready(Some(Ok(value))), _) => Poll::Ready(Some(Ok(Some(value)))),
                (_, Poll::Ready(Err(error))) => Poll::Ready(Some(Err(error))),
                (read, _) => read.map_ok(Some),
            }
        });
        match value.await {
            Some(Ok(value)) => Ok(value),
            Some(Err(error)) => Err(self.lost(tls::words(error))),
            None => Err(self.lost("Redis closed it")),
        }
    }

    /// How far it has come: see [`Progress::is_since`].
    pub fn progress(&self) -> Progress {
        let (received, unwritten) = (self.framed.read_buffer().len(), self.unwritten());
        Progress { received, written: self.queued - unwritten as u64, unwritten }
    }

    /// Where it leads.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// The error for a connection that cannot be used any more.
    pub fn lost(&self, reason: impl std::fmt::Display) -> Error {
        Error::Lost { endpoint: self.endpoint.clone(), reason: reason.to_string() }
    }
}

#[cfg(test)]
#[path = "link_tests.rs"]
mod tests;
