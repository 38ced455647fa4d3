//! An open, authenticated connection that speaks RESP2.

use std::future::Future;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::SinkExt;
use redis::{Cmd, cmd};
use tokio::time::{Instant, Interval, MissedTickBehavior, interval, timeout};
use tokio_stream::StreamExt;
use tokio_util::codec::Framed;

use super::endpoint::Endpoint;
use super::resp::{Resp, Value};
use super::stream::{self, Stream};
use crate::error::{Error, Result};

/// RESP2, which every Redis and Valkey speaks, over one stream.
///
/// redis-rs packs the commands. Its connection types are not used: their
/// subscriber hands messages on through an unbounded queue, and here a full mailbox must be felt
/// by Redis.
pub struct Connection {
    // Sending and receiving are both safe to cancel, so tasks may `select!` on them.
    framed: Framed<Stream, Resp>,
    endpoint: String,
    // One timer for all waits: a timer for each would cost more than the commands themselves.
    ticker: Interval,
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

impl Connection {
    /// Opening, authenticating and a first ping must be done within this time.
    const OPEN_TIMEOUT: Duration = Duration::from_secs(5);
    /// What one read may bring, in bytes.
    const READ_BUFFER: usize = 64 * 1024;
    /// How often a connection is pinged.
    const PING_INTERVAL: Duration = Duration::from_secs(1);
    /// A connection that owes an answer and is silent for this long is lost.
    pub const SILENCE_LIMIT: Duration = Duration::from_secs(6);

    /// Opens a connection, authenticates, selects the database and sees that commands work.
    ///
    /// # Errors
    /// [`Error::Connect`] or [`Error::Refused`].
    pub async fn open(endpoint: &Endpoint) -> Result<Self> {
        match timeout(Self::OPEN_TIMEOUT, Self::open_unbounded(endpoint)).await {
            // It was never there to be lost: a server may hang up on a certificate, say.
            Ok(Err(Error::Lost { reason, .. })) => {
                Err(cannot_connect(endpoint, io::Error::other(reason)))
            }
            Ok(opened) => opened,
            Err(_) => Err(cannot_connect(endpoint, io::ErrorKind::TimedOut.into())),
        }
    }

    async fn open_unbounded(endpoint: &Endpoint) -> Result<Self> {
        let stream = stream::open(endpoint).await.map_err(|e| cannot_connect(endpoint, e))?;
        let framed = Framed::with_capacity(stream, Resp, Self::READ_BUFFER);
        let mut connection =
            Self { framed, endpoint: endpoint.to_string(), ticker: Self::ticker() };
        for command in greeting(endpoint) {
            connection.send(command.get_packed_command()).await?;
            if let Answer::Error(reply) = connection.reply().await? {
                return Err(Error::Refused { endpoint: connection.endpoint, reply });
            }
        }
        Ok(connection)
    }

    /// Ticks every [`Self::PING_INTERVAL`], the first time after one.
    #[must_use]
    pub fn ticker() -> Interval {
        let mut ticker = interval(Self::PING_INTERVAL);
        ticker.set_missed_tick_behavior(MissedTickBehavior::Delay);
        ticker.reset();
        ticker
    }

    /// Pings, and waits for the answer.
    ///
    /// # Errors
    /// [`Error::Lost`].
    async fn ping(&mut self) -> Result<()> {
        self.send(cmd("PING").get_packed_command()).await?;
        self.reply().await.map(|_| ())
    }

    /// Writes packed commands, all of them or an error.
    ///
    /// # Errors
    /// [`Error::Lost`]; how much was written is then unknown.
    pub async fn send(&mut self, packed: Vec<u8>) -> Result<()> {
        // A second more for each MiB, so that a slow way is not taken for a dead one.
        let limit = Self::SILENCE_LIMIT + Duration::from_secs(packed.len() as u64 >> 20);
        let start = Instant::now();
        let mut sending = pin!(self.framed.send(packed));
        let sent = loop {
            tokio::select! {
                biased;
                sent = &mut sending => break Some(sent),
                _ = self.ticker.tick() => if start.elapsed() >= limit { break None },
            }
        };
        match sent {
            Some(Ok(())) => Ok(()),
            Some(Err(error)) => Err(self.lost(error)),
            None => Err(self.silent()),
        }
    }

    /// Waits for the next reply or message, however long that takes.
    ///
    /// # Errors
    /// [`Error::Lost`].
    pub async fn next(&mut self) -> Result<Value> {
        let value = self.framed.next().await;
        self.received(value)
    }

    fn received(&self, value: Option<io::Result<Value>>) -> Result<Value> {
        match value {
            Some(Ok(value)) => Ok(value),
            Some(Err(error)) => Err(self.lost(error)),
            None => Err(self.lost("Redis closed it")),
        }
    }

    /// Waits for a reply that Redis owes.
    ///
    /// # Errors
    /// [`Error::Lost`], also when nothing came within [`Self::SILENCE_LIMIT`].
    pub async fn reply(&mut self) -> Result<Answer> {
        let mut silent_since = Instant::now();
        loop {
            let before = self.buffered();
            tokio::select! {
                biased;
                value = self.framed.next() => return self.received(value).map(Answer::from),
                _ = self.ticker.tick() => {}
            }
            if self.buffered() != before {
                silent_since = Instant::now();
            } else if silent_since.elapsed() >= Self::SILENCE_LIMIT {
                return Err(self.silent());
            }
        }
    }

    /// Waits for `work` while nothing is owed, and pings now and then; returns after a ping too.
    ///
    /// # Errors
    /// [`Error::Lost`].
    pub async fn rest(&mut self, work: impl Future<Output = ()>) -> Result<()> {
        tokio::select! {
            biased;
            () = work => Ok(()),
            value = self.framed.next() => {
                self.received(value)?;
                Err(self.lost("it sent something unasked"))
            }
            _ = self.ticker.tick() => self.ping().await,
        }
    }

    /// How many bytes of a reply that is not yet complete have arrived: while that changes, the
    /// connection is not silent.
    #[must_use]
    pub fn buffered(&self) -> usize {
        self.framed.read_buffer().len()
    }

    /// The error for a connection that owes an answer and gave none.
    #[must_use]
    pub fn silent(&self) -> Error {
        self.lost(format_args!("no answer for {} s", Self::SILENCE_LIMIT.as_secs()))
    }

    /// The error for a connection that cannot be used any more.
    pub fn lost(&self, reason: impl std::fmt::Display) -> Error {
        Error::Lost { endpoint: self.endpoint.clone(), reason: reason.to_string() }
    }
}

fn greeting(endpoint: &Endpoint) -> impl Iterator<Item = Cmd> {
    let auth = endpoint.password.as_ref().map(|password| {
        let mut auth = cmd("AUTH");
        if let Some(username) = &endpoint.username {
            auth.arg(username);
        }
        auth.arg(password);
        auth
    });
    let select = (endpoint.db != 0).then(|| {
        let mut select = cmd("SELECT");
        select.arg(endpoint.db);
        select
    });
    // The ping finds out what neither of them would: a password that is wanted, a loading server.
    auth.into_iter().chain(select).chain([cmd("PING")])
}

fn cannot_connect(endpoint: &Endpoint, source: io::Error) -> Error {
    Error::Connect { endpoint: endpoint.to_string(), source: Arc::new(source) }
}
