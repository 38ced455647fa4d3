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

use super::entry::{Entry, entry_ids, last_generated, streams};
use super::id::Id;
use super::positions::{Batch, Positions};
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
    positions: Mutex<Positions>,
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
        let positions = Mutex::new(Positions::new(streams));
        Arc::new(Self { subscriber, options, registry, recent, positions })
    }

    fn lock(&self) -> MutexGuard<'_, Positions> {
        self.positions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Connects, reads and reconnects, until it is dropped.
    pub async fn run<C: Connector>(self: Arc<Self>, connector: Arc<C>) {
        let mut backoff = Backoff::new();
        loop {
            self.subscriber.capacity().await;
            let (since, mut was_up) = (Instant::now(), false);
            let error = self.connect_and_read(&connector, &mut was_up).await;
            let error = if was_up {
                backoff = Backoff::after(since.into_std());
                self.subscriber.event(SessionEvent::Disconnected(error));
                None
            } else {
                Some(error)
            };
            let (attempt, delay) = backoff.next_pause();
            self.subscriber.event(SessionEvent::Retrying { error, attempt, delay });
            tokio::select! {
                () = sleep(delay) => {}
                () = connector.elsewhere() => {}
            }
        }
    }

    /// Reads on one connection. Returns why it has ended, or could not be opened.
    async fn connect_and_read<C: Connector>(&self, connector: &Arc<C>, was_up: &mut bool) -> Error {
        let opened = match connector.connect(Purpose::Command, Patience::Limited).await {
            Ok(opened) => opened,
            Err(error) => return error,
        };
        let mut connection = opened.connection;
        self.subscriber.opened(connection.endpoint(), opened.warning);
        let moved = moved(connector, &connection);
        tokio::select! {
            ended = self.serve(&mut connection, was_up) => match ended {
                Err(error) => error,
                Ok(never) => match never {},
            },
            reason = moved => connection.lost(reason),
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
            let options = ReadOptions { block, ..self.options };
            connection.queue(&self.lock().question(options));
            let reply = self.answer(connection, block, &mut catch_up).await?;
            if !std::mem::replace(was_up, true) {
                self.subscriber.event(SessionEvent::Status(LinkStatus::Connected));
                self.confirm_ready();
            }
            self.look_at_unanswered(connection, &reply).await?;
            self.deliver(&reply).await;
            catch_up = self.subscriber.caught_up();
        }
    }

    fn confirm_ready(&self) {
        let positions = self.lock();
        let tickets = self.registry.ready(positions.names());
        drop(positions);
        self.subscriber.settled(&tickets);
    }

    /// Finds out where the streams end: of those that nothing was read of yet, what is added from now on counts.
    async fn find_ends<T: ByteStream>(&self, connection: &mut Connection<T>) -> Result<()> {
        let names: Vec<String> = self.lock().names().map(str::to_owned).collect();
        for stream in names {
            let args: [&[u8]; 5] = [stream.as_bytes(), b"+", b"-", b"COUNT", b"1"];
            let reply = self.ask(connection, "XREVRANGE", &args).await?;
            // Another master may lack some, and streams lose entries meanwhile.
            self.recent.forget(&stream);
            let begun = self.lock().begin(&stream, entry_ids(&reply).next());
            if let Some(last) = begun {
                self.end_turn(&stream, last);
            }
        }
        Ok(())
    }

    /// Asks once what was dropped of the streams that are in doubt and of which nothing is there to be read.
    async fn look_at_unanswered<T: ByteStream>(
        &self,
        connection: &mut Connection<T>,
        reply: &Value,
    ) -> Result<()> {
        let unanswered = self.lock().take_unanswered(reply);
        for (stream, last) in unanswered {
            let newest = match self.ask(connection, "XINFO", &[b"STREAM", stream.as_bytes()]).await
            {
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
            self.lock().skip_to(&stream, newest);
            if newest > last && last != Id::default() {
                self.recent.forget(&stream);
                self.trimmed(&stream, last, newest);
            }
        }
        Ok(())
    }

    /// The answer to a command that Redis answers at once.
    async fn ask<T: ByteStream>(
        &self,
        connection: &mut Connection<T>,
        command: &str,
        args: &[&[u8]],
    ) -> Result<Value> {
        let mut packed = Vec::new();
        pack(command, args, &mut packed);
        connection.queue(&packed);
        self.answer(connection, Duration::ZERO, &mut None).await
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
        for (name, read) in streams(reply) {
            let Ok(stream) = str::from_utf8(name) else { continue };
            let batch = self.lock().batch(stream, read);
            let Some(batch) = batch else { continue };
            // What is being handed out is always there already.
            self.remember(stream, &batch);
            self.registry.begin(stream).await;
            if let Some(first) = batch.dropped_to {
                self.trimmed(stream, batch.before, first);
            }
            let last = self.lock().advance(stream, &batch, self.options);
            for entry in batch.of_adapters() {
                self.hand_out(&entry);
            }
            self.end_turn(stream, last);
        }
    }

    fn remember(&self, stream: &str, batch: &Batch<'_>) {
        if batch.dropped_to.is_some() {
            self.recent.forget(stream);
        }
        let behind = batch.dropped_to.unwrap_or(batch.before);
        self.recent.add(stream, behind, batch.of_adapters());
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
    fn end_turn(&self, stream: &str, last: Id) {
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
