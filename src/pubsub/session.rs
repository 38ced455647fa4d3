//! The task that keeps one subscriber connection alive.
//!
//! ```text
//!   open ─▶ subscribe to all that is wanted ─▶ confirmed ─▶ read, ping every second
//!    ▲                                                          │ broken, or silent for 6 s
//!    └──────────── pause (50 ms to 2 s) ◀── tell ◀──────────────┘
//! ```

use std::convert::Infallible;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use futures_util::FutureExt;
use redis::cmd;
use tokio::sync::Notify;
use tokio::time::{Instant, Interval, sleep};

use super::subscriptions::{Kind, Op, Subscriptions};
use crate::connection::{Backoff, Connection, Endpoint, Value};
use crate::error::{Error, Result};

/// What a session reports to whoever owns it.
pub trait Subscriber: Send + Sync + 'static {
    /// Whether another message may be brought.
    fn has_room(&self) -> bool;
    /// Waits until another message may be brought. The session reads nothing meanwhile.
    fn room(&self) -> impl Future<Output = ()> + Send;
    /// Why the connection is to be given up although it is whole, if it is. [`Self::room`] is
    /// awaited before the next one is opened.
    fn gives_up(&self) -> Option<Error>;
    /// For now, all that has arrived is with its consumers.
    fn rest(&self);
    /// The subscription changes with these tickets are done.
    fn settled(&self, tickets: &[u32]);
    /// All wanted subscriptions are confirmed. `gap_since`: after an outage, the time before
    /// which no message is missing.
    fn connected(&self, gap_since: Option<SystemTime>);
    /// The connection was up and is lost.
    fn disconnected(&self, error: Error);
    /// The next attempt to connect follows after `delay`; `error` says why the last one failed.
    fn retrying(&self, error: Option<Error>, attempt: u32, delay: Duration);
    /// Redis refused a subscription.
    fn refused(&self, error: Error);
}

/// A session and the handle to change its subscriptions.
pub struct Session<S> {
    // A plain mutex: held for one look-up or change, never across an await.
    subscriptions: Mutex<Subscriptions>,
    changed: Notify,
    subscriber: S,
}

impl<S: Subscriber> Session<S> {
    /// How many commands are written before their confirmations are read.
    const BATCH: usize = 1000;
    /// How many values are taken before the event loop is woken for them.
    const BURST: usize = 256;

    /// A session that reports to `subscriber`; it connects when [`Self::run`] is polled.
    pub fn new(subscriber: S) -> Arc<Self> {
        Arc::new(Self { subscriptions: Mutex::default(), changed: Notify::new(), subscriber })
    }

    /// Changes the subscriptions, and has the session act on it.
    pub fn change<T>(&self, change: impl FnOnce(&mut Subscriptions) -> T) -> T {
        let result = change(&mut self.lock());
        self.changed.notify_one();
        result
    }

    /// Looks something up in the subscriptions.
    pub fn lock(&self) -> MutexGuard<'_, Subscriptions> {
        self.subscriptions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Who the session reports to.
    pub const fn subscriber(&self) -> &S {
        &self.subscriber
    }

    /// Connects, serves and reconnects, until it is dropped.
    pub async fn run(self: Arc<Self>, endpoint: Endpoint) {
        let mut backoff = Backoff::new();
        let mut gap_since = None;
        loop {
            self.subscriber.room().await;
            let error = match Connection::open(&endpoint).await {
                Ok(connection) => {
                    let mut visit = Visit::new(&self, connection, gap_since);
                    let Err(error) = visit.serve().await;
                    self.subscriber.settled(&self.change(Subscriptions::offline));
                    if visit.restored {
                        gap_since = Some(visit.proven);
                        backoff = Backoff::new();
                        self.subscriber.disconnected(error);
                        None
                    } else {
                        Some(error)
                    }
                }
                Err(error) => Some(error),
            };
            let (attempt, pause) = backoff.next_pause();
            self.subscriber.retrying(error, attempt, pause);
            sleep(pause).await;
        }
    }
}

/// One connection's time, from open to lost.
struct Visit<'a, S> {
    session: &'a Session<S>,
    connection: Connection,
    gap_since: Option<SystemTime>,
    restored: bool,
    // When the last answered ping was sent: all that was published before has been read.
    proven: SystemTime,
    pinged: Option<SystemTime>,
    heard: Instant,
    buffered: usize,
    ping: Interval,
}

impl<'a, S: Subscriber> Visit<'a, S> {
    fn new(session: &'a Session<S>, connection: Connection, gap_since: Option<SystemTime>) -> Self {
        let (proven, heard) = (SystemTime::now(), Instant::now());
        Self {
            session,
            connection,
            gap_since,
            restored: false,
            proven,
            pinged: None,
            heard,
            buffered: 0,
            ping: Connection::ticker(),
        }
    }

    async fn serve(&mut self) -> Result<Infallible> {
        self.session.change(Subscriptions::online);
        loop {
            self.restore();
            if let Some(error) = self.session.subscriber.gives_up() {
                return Err(error);
            }
            tokio::select! {
                () = self.session.changed.notified() => self.send_changes().await?,
                _ = self.ping.tick() => self.check().await?,
                value = next(&self.session.subscriber, &mut self.connection) => self.take_burst(value?)?,
            }
        }
    }

    /// Tells, once, that everything wanted is confirmed.
    fn restore(&mut self) {
        if !self.restored && self.session.lock().settled() {
            self.restored = true;
            self.session.subscriber.connected(self.gap_since);
        }
    }

    async fn send_changes(&mut self) -> Result<()> {
        let ops = self.session.lock().take_unsent(Session::<S>::BATCH);
        if ops.is_empty() {
            return Ok(());
        }
        let mut packed = Vec::new();
        for op in &ops {
            let (Op::Subscribe(_, name, _) | Op::Unsubscribe(_, name, _)) = op;
            // One command a channel, so that a refusal is about that channel alone.
            cmd(command(op)).arg(&**name).write_packed_command(&mut packed);
        }
        self.connection.send(packed).await?;
        // More than one batch may wait; come back for it once what arrived meanwhile is read.
        self.session.changed.notify_one();
        Ok(())
    }

    async fn check(&mut self) -> Result<()> {
        let buffered = std::mem::replace(&mut self.buffered, self.connection.buffered());
        // While the mailbox is full nothing is read, and so nothing can be heard.
        if self.buffered != buffered || !self.session.subscriber.has_room() {
            self.heard = Instant::now();
        }
        let owed = self.pinged.is_some() || !self.session.lock().settled();
        if owed && self.heard.elapsed() >= Connection::SILENCE_LIMIT {
            return Err(self.connection.silent());
        }
        if self.pinged.is_none() {
            self.pinged = Some(SystemTime::now());
            self.connection.send(cmd("PING").get_packed_command()).await?;
        }
        Ok(())
    }

    /// Takes a value and all that came with it, so that the event loop is woken once for them.
    fn take_burst(&mut self, first: Value) -> Result<()> {
        let mut taken = self.take(first);
        for _ in 1..Session::<S>::BURST {
            if taken.is_err() || !self.session.subscriber.has_room() {
                break;
            }
            let Some(value) = self.connection.next().now_or_never() else { break };
            taken = value.and_then(|value| self.take(value));
        }
        self.session.subscriber.rest();
        taken
    }

    fn take(&mut self, value: Value) -> Result<()> {
        self.heard = Instant::now();
        match value {
            Value::Array(parts) => self.take_push(&parts),
            Value::Error(reply) => self.refused(&reply),
            // Outside of subscriptions, a ping is answered plainly.
            Value::Simple(_) => {
                self.pong();
                Ok(())
            }
            _ => Err(self.unknown()),
        }
    }

    fn take_push(&mut self, parts: &[Value]) -> Result<()> {
        use Value::Bulk;
        let Some((Bulk(kind), rest)) = parts.split_first() else { return Err(self.unknown()) };
        match (&**kind, rest) {
            (b"message", [Bulk(channel), Bulk(payload)]) => {
                self.message(Kind::Channel, channel, channel, payload);
            }
            (b"pmessage", [Bulk(pattern), Bulk(channel), Bulk(payload)]) => {
                self.message(Kind::Pattern, pattern, channel, payload);
            }
            (b"subscribe" | b"unsubscribe" | b"psubscribe" | b"punsubscribe", [_, _]) => {
                self.confirm()?;
            }
            (b"pong", [_]) => self.pong(),
            _ => return Err(self.unknown()),
        }
        Ok(())
    }

    fn unknown(&self) -> Error {
        self.connection.lost("it sent what no subscriber gets")
    }

    fn message(&self, kind: Kind, name: &[u8], channel: &[u8], payload: &[u8]) {
        let consumers = self.session.lock().consumers(kind, name);
        for consumer in consumers.iter().flat_map(|all| all.iter()) {
            consumer.message(channel, payload);
        }
    }

    fn pong(&mut self) {
        if let Some(sent) = self.pinged.take() {
            self.proven = sent;
        }
    }

    fn confirm(&mut self) -> Result<Op> {
        let confirmed = self.session.lock().confirm();
        let (op, tickets) =
            confirmed.ok_or_else(|| self.connection.lost("it confirmed what was not asked"))?;
        self.session.subscriber.settled(&tickets);
        Ok(op)
    }

    fn refused(&mut self, reply: &str) -> Result<()> {
        let command = command(&self.confirm()?);
        self.session.subscriber.refused(Error::Reply {
            count: 1,
            command,
            reply: reply.to_owned(),
        });
        Ok(())
    }
}

const fn command(op: &Op) -> &'static str {
    match op {
        Op::Subscribe(Kind::Channel, ..) => "SUBSCRIBE",
        Op::Subscribe(Kind::Pattern, ..) => "PSUBSCRIBE",
        Op::Unsubscribe(Kind::Channel, ..) => "UNSUBSCRIBE",
        Op::Unsubscribe(Kind::Pattern, ..) => "PUNSUBSCRIBE",
    }
}

/// The next value, once there is room for it.
async fn next<S: Subscriber>(subscriber: &S, connection: &mut Connection) -> Result<Value> {
    subscriber.room().await;
    connection.next().await
}
