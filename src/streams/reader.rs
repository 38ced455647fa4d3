//! The task that reads streams, on a connection of its own.
//!
//! ```text
//!   open ─▶ where does each stream end? (once) ─▶ XREAD ─▶ consumers ─▶ XREAD, …
//!    ▲                                              │ broken, or no answer
//!    └──────────── pause (0 to 800 ms) ◀── report ◀─┘
//! ```
//!
//! A connection that breaks loses nothing: reading goes on behind the last entry that was read. What a
//! stream has dropped by then is a gap: after an outage, and where more entries wait than are read at once,
//! the last entry is read again, so that it is known whether it was still there.

use std::convert::Infallible;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep, sleep_until, timeout_at};

use super::entry::{Entry, entries, entry_ids};
use super::id::Id;
use super::recent::Recent;
use super::registry::Registry;
use crate::connection::{
    Backoff, ByteStream, Connection, Connector, Patience, Purpose, Value, moved, pack,
};
use crate::error::{Error, Result, panic_reason};
use crate::pubsub::{LinkStatus, SessionEvent, Subscriber};

/// How streams are read.
#[derive(Debug, Clone, Copy)]
pub struct ReadOptions {
    /// How many entries are asked for at once.
    pub count: u32,
    /// How long Redis waits for an entry before it says that there is none.
    pub block: Duration,
}

/// Reads streams of one server.
pub struct Reader<S> {
    subscriber: S,
    options: ReadOptions,
    registry: Arc<Registry>,
    recent: Arc<Recent>,
    // A plain mutex: held for a look or a change.
    positions: Mutex<Vec<Position>>,
}

/// How far a stream was read.
struct Position {
    stream: String,
    /// The last entry that was read, or that was there before.
    last: Option<Id>,
    /// Whether entries behind that one may have been dropped before they were read.
    is_doubtful: bool,
    /// Whether that was asked for in vain on this connection.
    was_asked: bool,
}

impl Position {
    /// What `XREAD` is given: it reads behind that.
    fn from(&self) -> Id {
        let last = self.last.unwrap_or_default();
        if self.is_doubtful { last.before() } else { last }
    }
}

impl<S: Subscriber> Reader<S> {
    /// How much longer than it was asked to Redis may take for an answer.
    const PATIENCE: Duration = Duration::from_secs(3);

    /// A reader of these streams; it connects when [`Self::run`] is polled.
    pub fn new(
        subscriber: S,
        streams: Vec<String>,
        options: ReadOptions,
        registry: Arc<Registry>,
        recent: Arc<Recent>,
    ) -> Arc<Self> {
        let position =
            |stream| Position { stream, last: None, is_doubtful: false, was_asked: false };
        let positions = Mutex::new(streams.into_iter().map(position).collect());
        Arc::new(Self { subscriber, options, registry, recent, positions })
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Position>> {
        self.positions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Connects, reads and reconnects, until it is dropped.
    pub async fn run<C: Connector>(self: Arc<Self>, connector: Arc<C>) {
        let mut backoff = Backoff::new();
        loop {
            self.subscriber.capacity().await;
            let since = Instant::now();
            let error = match connector.connect(Purpose::Command, Patience::Limited).await {
                Ok(opened) => {
                    self.subscriber.opened(opened.connection.endpoint(), opened.warning);
                    let moved = moved(&connector, &opened.connection);
                    let (mut connection, mut was_up) = (opened.connection, false);
                    let ended = tokio::select! {
                        ended = self.serve(&mut connection, &mut was_up) => match ended {
                            Err(error) => Ok(error),
                            Ok(never) => match never {},
                        },
                        reason = moved => Err(reason),
                    };
                    let error = ended.unwrap_or_else(|reason| connection.lost(reason));
                    if was_up {
                        backoff = Backoff::after(since.into_std());
                        self.subscriber.event(SessionEvent::Disconnected(error));
                        None
                    } else {
                        Some(error)
                    }
                }
                Err(error) => Some(error),
            };
            let (attempt, delay) = backoff.next_pause();
            self.subscriber.event(SessionEvent::Retrying { error, attempt, delay });
            tokio::select! {
                () = sleep(delay) => {}
                () = connector.elsewhere() => {}
            }
        }
    }

    async fn serve<T: ByteStream>(
        &self,
        connection: &mut Connection<T>,
        was_up: &mut bool,
    ) -> Result<Infallible> {
        self.find_ends(connection).await?;
        let mut catch_up = None;
        loop {
            if !self.subscriber.has_capacity() {
                self.subscriber.capacity().await;
            }
            // At first without waiting, so that it is known soon whether it works.
            let block = if *was_up { self.options.block } else { Duration::ZERO };
            connection.queue(&self.question(block));
            let reply = self.answer(connection, block, &mut catch_up).await?;
            if !std::mem::replace(was_up, true) {
                self.subscriber.event(SessionEvent::Status(LinkStatus::Connected));
                self.ready();
            }
            self.look_at_empty(connection, &reply).await?;
            self.deliver(&reply).await;
            catch_up = self.subscriber.caught_up();
        }
    }

    fn ready(&self) {
        let positions = self.lock();
        let tickets = self.registry.ready(positions.iter().map(|position| &*position.stream));
        drop(positions);
        self.subscriber.settled(&tickets);
    }

    /// Finds out where the streams end: of those that nothing was read of yet, what is added from now on counts.
    async fn find_ends<T: ByteStream>(&self, connection: &mut Connection<T>) -> Result<()> {
        for (index, stream) in self.names() {
            let mut packed = Vec::new();
            pack("XREVRANGE", &[stream.as_bytes(), b"+", b"-", b"COUNT", b"1"], &mut packed);
            connection.queue(&packed);
            let reply = self.answer(connection, Duration::ZERO, &mut None).await?;
            let end = entry_ids(&reply).next();
            // Another master may lack some, and streams lose entries meanwhile.
            self.recent.forget(&stream);
            let mut positions = self.lock();
            let Some(position) = positions.get_mut(index) else { continue };
            (position.is_doubtful, position.was_asked) = (position.last.is_some(), false);
            match (position.last, end) {
                (None, _) => {
                    let last = end.unwrap_or_default();
                    position.last = Some(last);
                    drop(positions);
                    self.end(&stream, last);
                }
                // A master that has not got all. What it gets from now on may be in front of what was read.
                (Some(last), Some(end)) if end < last => {
                    (position.last, position.is_doubtful) = (Some(end), false);
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn names(&self) -> Vec<(usize, String)> {
        self.lock().iter().map(|position| position.stream.clone()).enumerate().collect()
    }

    /// Asks once what was dropped of the streams that are in doubt and of which nothing is there to be read.
    async fn look_at_empty<T: ByteStream>(
        &self,
        connection: &mut Connection<T>,
        reply: &Value,
    ) -> Result<()> {
        for (index, stream) in self.names() {
            let last = match self.lock().get_mut(index) {
                Some(position) if position.is_doubtful && !has_entries(reply, &stream) => {
                    if std::mem::replace(&mut position.was_asked, true) {
                        continue;
                    }
                    position.last.unwrap_or_default()
                }
                _ => continue,
            };
            let mut packed = Vec::new();
            pack("XINFO", &[b"STREAM", stream.as_bytes()], &mut packed);
            connection.queue(&packed);
            let newest = match self.answer(connection, Duration::ZERO, &mut None).await {
                Ok(info) => last_generated(&info),
                // All that a new one holds is new.
                Err(Error::Refused { reply, .. }) if reply.contains("no such key") => {
                    Some(Id::default())
                }
                // It may not be allowed.
                Err(Error::Refused { .. }) => None,
                Err(error) => return Err(error),
            };
            let Some(newest) = newest else { continue };
            if let Some(position) = self.lock().get_mut(index) {
                (position.last, position.is_doubtful) = (Some(newest), false);
            }
            if newest > last && last != Id::default() {
                self.recent.forget(&stream);
                self.trimmed(&stream, last, newest);
            }
        }
        Ok(())
    }

    /// `XREAD` behind all that was read; where that is in doubt, from the last entry on: while it is there, none
    /// behind it can have been dropped.
    fn question(&self, block: Duration) -> Vec<u8> {
        let positions = self.lock();
        let is_doubtful = positions.iter().any(|position| position.is_doubtful);
        let count = (self.options.count.saturating_add(is_doubtful.into())).to_string();
        let block_ms = block.as_millis().to_string();
        let ids: Vec<String> =
            positions.iter().map(|position| position.from().to_string()).collect();
        let mut args: Vec<&[u8]> = vec![b"COUNT", count.as_bytes()];
        if !block.is_zero() {
            args.extend([b"BLOCK".as_slice(), block_ms.as_bytes()]);
        }
        args.push(b"STREAMS");
        args.extend(positions.iter().map(|position| position.stream.as_bytes()));
        args.extend(ids.iter().map(String::as_bytes));
        let mut packed = Vec::new();
        pack("XREAD", &args, &mut packed);
        packed
    }

    /// The answer to what was queued last.
    async fn answer<T: ByteStream>(
        &self,
        connection: &mut Connection<T>,
        block: Duration,
        catch_up: &mut Option<Instant>,
    ) -> Result<Value> {
        let deadline = Instant::now() + block + Self::PATIENCE;
        loop {
            let due = *catch_up;
            tokio::select! {
                answered = timeout_at(deadline, connection.next()) => {
                    return match answered {
                        Ok(Ok(Value::Error(reply))) => {
                            let endpoint = connection.endpoint().to_owned();
                            Err(Error::Refused { endpoint, reply })
                        }
                        Ok(answer) => answer,
                        Err(_) => Err(connection.lost("no answer to XREAD")),
                    };
                }
                () = sleep_until(due.unwrap_or(deadline)), if due.is_some() => {
                    *catch_up = self.subscriber.caught_up();
                }
            }
        }
    }

    /// Hands out the entries of all streams.
    async fn deliver(&self, reply: &Value) {
        let Value::Array(streams) = reply else { return };
        for stream in streams {
            let Value::Array(parts) = stream else { continue };
            let [Value::Bulk(name), read] = parts.as_slice() else { continue };
            let Ok(stream) = str::from_utf8(name) else { continue };
            let Some(batch) = self.batch(stream, read) else { continue };
            // What is being handed out is always there already.
            self.keep(stream, &batch);
            self.registry.begin(stream).await;
            let last = self.deliver_of(stream, &batch);
            self.end(stream, last);
        }
    }

    /// What was read of one stream.
    fn batch<'a>(&self, stream: &str, read: &'a Value) -> Option<Batch<'a>> {
        let positions = self.lock();
        let position = positions.iter().find(|position| position.stream == stream)?;
        let before = position.last.unwrap_or_default();
        let is_there = || entry_ids(read).any(|id| id == before);
        let is_trimmed = position.is_doubtful && before != Id::default() && !is_there();
        let first = || entry_ids(read).find(|id| *id > before);
        Some(Batch { read, before, dropped_to: is_trimmed.then(first).flatten() })
    }

    fn keep(&self, stream: &str, batch: &Batch<'_>) {
        if batch.dropped_to.is_some() {
            self.recent.forget(stream);
        }
        let new = batch.entries().filter_map(|(_, entry)| entry);
        self.recent.add(stream, batch.dropped_to.unwrap_or(batch.before), new);
    }

    /// Hands out the entries of one stream. Returns how far it has been handed out.
    fn deliver_of(&self, stream: &str, batch: &Batch<'_>) -> Id {
        let (len, last) =
            batch.entries().fold((0, batch.before), |(len, last), (id, _)| (len + 1, last.max(id)));
        if let Some(first) = batch.dropped_to {
            self.trimmed(stream, batch.before, first);
        }
        if let Some(position) = self.lock().iter_mut().find(|of| of.stream == stream) {
            // Others may add faster than this reads.
            position.is_doubtful = len >= self.options.count as usize;
            position.last = Some(last);
        }
        for entry in batch.entries().filter_map(|(_, entry)| entry) {
            self.hand_out(&entry);
        }
        last
    }

    /// A stream has dropped entries between these two.
    fn trimmed(&self, stream: &str, from: Id, to: Id) {
        self.subscriber.event(SessionEvent::Trimmed {
            times: (from.time(), to.time()),
            stream: stream.to_owned(),
            between: (from.to_string(), to.to_string()),
        });
    }

    /// A stream was handed out up to there; who waits to hold it learns that.
    fn end(&self, stream: &str, last: Id) {
        let id = last.to_string();
        for ticket in self.registry.end(stream, last) {
            self.subscriber.held(ticket, &id);
        }
    }

    fn hand_out(&self, entry: &Entry<'_>) {
        let consumers = self.registry.consumers(entry.nsp);
        for consumer in consumers.iter().flat_map(|all| all.iter()) {
            if let Err(panic) = catch_unwind(AssertUnwindSafe(|| consumer.entry(entry))) {
                self.subscriber.panicked(panic_reason(&*panic));
            }
        }
    }
}

/// Entries of one stream that were read at once.
struct Batch<'a> {
    read: &'a Value,
    /// The last entry that was read before.
    before: Id,
    /// The first one that was still there, where the stream has dropped some behind that.
    dropped_to: Option<Id>,
}

impl<'a> Batch<'a> {
    /// Those that were not read before.
    fn entries(&self) -> impl Iterator<Item = (Id, Option<Entry<'a>>)> {
        let before = self.before;
        entries(self.read).filter(move |(id, _)| *id > before)
    }
}

/// Whether a reply to `XREAD` has entries of a stream.
fn has_entries(reply: &Value, name: &str) -> bool {
    let Value::Array(streams) = reply else { return false };
    streams.iter().any(|stream| match stream {
        Value::Array(parts) => {
            matches!(parts.first(), Some(Value::Bulk(of)) if **of == *name.as_bytes())
        }
        _ => false,
    })
}

/// The id of the last entry that a stream has got, of a reply to `XINFO STREAM`.
fn last_generated(info: &Value) -> Option<Id> {
    let Value::Array(info) = info else { return None };
    info.chunks_exact(2).find_map(|pair| match pair {
        [Value::Bulk(name), Value::Bulk(id)] if **name == *b"last-generated-id" => Id::parse(id),
        _ => None,
    })
}
