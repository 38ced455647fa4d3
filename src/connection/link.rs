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
        Self { framed: Framed::with_capacity(stream, Resp::default(), Self::READ_BUFFER), endpoint }
    }

    /// Queues packed commands; [`Self::next`] and [`Self::flush`] write them.
    pub fn queue(&mut self, packed: &[u8]) {
        self.framed.write_buffer_mut().extend_from_slice(packed);
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
        let buffer = self.framed.write_buffer_mut();
        if buffer.capacity() > Self::MAX_KEPT {
            *buffer = bytes::BytesMut::new();
        }
        Poll::Ready(flushed)
    }

    /// Waits for the next reply or message, however long that takes, and writes what is queued
    /// meanwhile. Safe to cancel.
    ///
    /// # Errors
    /// [`Error::Lost`].
    pub async fn next(&mut self) -> Result<Value> {
        let value = poll_fn(|cx| {
            if self.unwritten() > 0
                && let Poll::Ready(Err(error)) = self.poll_flush(cx)
            {
                return Poll::Ready(Some(Err(error)));
            }
            Pin::new(&mut self.framed).poll_next(cx)
        });
        match value.await {
            Some(Ok(value)) => Ok(value),
            Some(Err(error)) => Err(self.lost(error)),
            None => Err(self.lost("Redis closed it")),
        }
    }

    /// A number that changes while a reply arrives or commands leave: a connection whose number
    /// changes is not silent.
    pub fn activity(&self) -> usize {
        self.framed.read_buffer().len().wrapping_sub(self.unwritten())
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
