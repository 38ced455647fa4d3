//! The one task that writes to a connection, in order: what waits goes out in one pipeline, and
//! the next one once Redis has answered it. So a batch grows with the load, and after a break it
//! is known what was confirmed.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use tokio::time::{Duration, Instant, sleep, sleep_until};

use super::outbox::{Item, Losses, Outbox};
use super::reporter::Reporter;
use super::throttle::Throttle;
use crate::connection::{Answer, Backoff, Connection, Endpoint};
use crate::delivery::{Counters, Event, Reply};
use crate::error::{Error, Result};
use crate::wire::store09::Codec;

/// Writes an outbox to Redis.
pub(super) struct Writer {
    pub(super) outbox: Arc<Outbox>,
    pub(super) codec: Codec,
    pub(super) node_id: String,
    pub(super) refusals: Throttle,
}

impl Writer {
    const BATCH_ITEMS: usize = 512;
    const BATCH_BYTES: usize = 1024 * 1024;

    /// Connects, writes and reconnects, until the outbox is closed and empty.
    pub(super) async fn run(self: Arc<Self>, endpoint: Endpoint) {
        tokio::select! {
            () = self.outbox.finished() => {}
            () = self.keep_writing(&endpoint) => {}
            () = expire(&self.outbox, self.reporter()) => {}
        }
        self.tell_losses();
    }

    async fn keep_writing(&self, endpoint: &Endpoint) {
        let mut backoff = Backoff::new();
        let mut again = false;
        loop {
            let error = match Connection::open(endpoint).await {
                Ok(connection) => {
                    self.outbox.set_online(true);
                    self.outbox.voice.connected(std::mem::replace(&mut again, true));
                    self.tell_losses();
                    backoff = Backoff::new();
                    let Err(error) = self.serve(connection).await;
                    self.outbox.set_online(false);
                    self.outbox.voice.disconnected(error);
                    None
                }
                Err(error) => Some(error),
            };
            let (attempt, pause) = backoff.next_pause();
            self.outbox.voice.retrying(error, attempt, pause);
            sleep(pause).await;
        }
    }

    /// Writes until the connection breaks.
    async fn serve(&self, mut connection: Connection) -> Result<Infallible> {
        loop {
            let batch = self.outbox.take(Self::BATCH_ITEMS, Self::BATCH_BYTES);
            if batch.is_empty() {
                connection.rest(self.outbox.queued.notified()).await?;
            } else {
                self.exchange(&mut connection, batch).await?;
            }
        }
    }

    async fn exchange(&self, connection: &mut Connection, items: VecDeque<Item>) -> Result<()> {
        let mut batch = Batch { writer: self, items };
        connection.send(batch.pack()).await?;
        while !batch.items.is_empty() {
            let answer = connection.reply().await?;
            batch.answered(&answer);
        }
        drop(batch);
        self.tell_losses();
        Ok(())
    }

    fn answer(&self, item: &Item, answer: &Answer) {
        let reply = match answer {
            Answer::Nil => Reply::Nil,
            Answer::Integer(number) => Reply::Integer(*number),
            Answer::Bytes(bytes) => Reply::Bytes(bytes),
            Answer::List(json) => Reply::List(json),
            Answer::Error(reply) => {
                let (command, reply) = (item.request.name(), reply.clone());
                return self.refused(item, Error::Reply { count: 1, command, reply });
            }
        };
        if item.request.is_publish() {
            Counters::count(&self.reporter().counters.published);
        }
        if let Some(ticket) = item.ticket.filter(|&ticket| self.outbox.claim(ticket)) {
            self.reporter().reply(ticket, reply);
        }
    }

    /// Tells the caller that `item` was not done, or everybody, now and then, when no caller waits.
    fn refused(&self, item: &Item, error: Error) {
        match item.ticket {
            Some(ticket) if self.outbox.claim(ticket) => self.reporter().fail(ticket, &error),
            Some(_) => {}
            None => {
                Counters::count(&self.reporter().counters.dropped);
                if let Some(count) = self.refusals.count(error.code()) {
                    self.reporter().error(self.outbox.voice.link, error.times(count));
                }
            }
        }
    }

    /// Drops what is left once no more can be written.
    pub(super) fn abandon(&self) {
        for item in self.outbox.take_all() {
            Counters::count(&self.reporter().counters.dropped);
            self.outbox.lose(&item, true);
            item.ticket.iter().for_each(|&ticket| self.reporter().fail(ticket, &Error::Closed));
        }
        self.tell_losses();
    }

    fn tell_losses(&self) {
        let Losses { dropped, unconfirmed, since } = self.outbox.take_losses();
        if let Some(since) = since {
            let since = SystemTime::now().checked_sub(since.elapsed()).unwrap_or(UNIX_EPOCH);
            let gap = Event::gap(self.outbox.voice.link, since, dropped, unconfirmed);
            self.reporter().tell(&gap);
        }
    }

    fn reporter(&self) -> &Reporter {
        &self.outbox.voice.reporter
    }
}

/// Answers the commands whose time is up.
async fn expire(outbox: &Outbox, reporter: &Reporter) {
    loop {
        match outbox.next_deadline() {
            // A little later, so that a burst of commands is taken out at once.
            Some(deadline) => sleep_until(deadline + Duration::from_millis(5)).await,
            None => outbox.deadlines.notified().await,
        }
        for ticket in outbox.expired(Instant::now()) {
            reporter.fail(ticket, &Error::Timeout(outbox.command_timeout_ms()));
        }
    }
}

/// What was written and is not yet answered.
struct Batch<'a> {
    writer: &'a Writer,
    items: VecDeque<Item>,
}

impl Batch<'_> {
    /// Packs the items; those that cannot be packed are told and left out.
    fn pack(&mut self) -> Vec<u8> {
        let mut packed = Vec::new();
        let writer = self.writer;
        self.items.retain(|item| {
            match item.request.pack(writer.codec, &writer.node_id, &mut packed) {
                Ok(()) => true,
                Err(error) => {
                    writer.refused(item, error);
                    false
                }
            }
        });
        packed
    }

    fn answered(&mut self, answer: &Answer) {
        if let Some(item) = self.items.pop_front() {
            self.writer.outbox.answered();
            self.writer.answer(&item, answer);
        }
    }
}

/// Whatever has no answer when the connection breaks or the store gives up: commands go again,
/// since doing them twice does no harm; a publish may already have been delivered, so it is
/// counted as unconfirmed and let go.
impl Drop for Batch<'_> {
    fn drop(&mut self) {
        let Writer { outbox, .. } = self.writer;
        let (publishes, again): (Vec<Item>, _) =
            self.items.drain(..).partition(|item| item.request.is_publish());
        for item in &publishes {
            Counters::count(&self.writer.reporter().counters.unconfirmed);
            outbox.lose(item, false);
        }
        outbox.done(again);
    }
}
