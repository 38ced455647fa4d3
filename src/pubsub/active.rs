//! One connection's time, from open to lost.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::time::SystemTime;

use futures_util::FutureExt;
use redis::cmd;
use tokio::time::{Instant, sleep_until};

use super::moment::Moment;
use super::op::{Kind, Op};
use super::owed::{Owed, Unanswered};
use super::push::Push;
use super::session::{LinkStatus, Session, SessionEvent, Subscriber};
use super::subscriptions::Refused;
use crate::connection::{
    Backoff, ByteStream, Connection, Connector, Ended, Purpose, Value, Verdict, Watchdog, moved,
};
use crate::error::{Error, Result, panic_reason};

/// How it ended.
pub(super) struct End<S> {
    pub(super) ended: Ended<S>,
    /// Whether all subscriptions had been answered.
    pub(super) was_up: bool,
}

pub(super) struct ActiveSession<'a, S: Subscriber, C: Connector> {
    session: &'a Session<S>,
    connector: Arc<C>,
    moved: Pin<Box<dyn Future<Output = String> + Send>>,
    connection: Connection<C::Stream>,
    watchdog: Watchdog<C>,
    unanswered: Unanswered,
    stalled: bool,
    status: Option<LinkStatus>,
    // When the last answered ping was sent: all that was published before has been read.
    proven: Moment,
    // When what Redis has refused is asked for again.
    retry: Option<Instant>,
    // When the subscriber is to catch up again.
    catch_up: Option<Instant>,
    retries: Backoff,
}

impl<'a, S: Subscriber, C: Connector> ActiveSession<'a, S, C> {
    /// Commands are written while fewer than this are unanswered.
    const MAX_UNANSWERED: usize = 1000;
    /// How many values are taken before the event loop is woken for them.
    const BURST: usize = 256;

    pub(super) fn new(
        session: &'a Session<S>,
        connector: &Arc<C>,
        connection: Connection<C::Stream>,
    ) -> Self {
        let to_restore = session.lock().online();
        // What arrives is published from now on.
        *session.proven() = Some(SystemTime::now());
        session.subscriber.proven(SystemTime::now());
        Self {
            session,
            connector: Arc::clone(connector),
            moved: moved(connector, &connection),
            connection,
            watchdog: Watchdog::new(Arc::clone(connector), Purpose::Subscribe),
            unanswered: Unanswered::new(to_restore),
            stalled: false,
            status: None,
            proven: Moment::now(),
            retry: None,
            catch_up: None,
            retries: Backoff::new(),
        }
    }

    pub(super) async fn serve(mut self) -> End<C::Stream> {
        let ended = loop {
            if let Some(error) = self.session.subscriber.gives_up() {
                break error.into();
            }
            if let Err(ended) = self.step().await {
                break ended;
            }
        };
        End { ended, was_up: self.status.is_some() }
    }

    /// Does one thing.
    async fn step(&mut self) -> Result<(), Ended<C::Stream>> {
        self.send_changes();
        self.update_status();
        let (retry, catch_up) = (self.retry, self.catch_up);
        tokio::select! {
            value = next(&self.session.subscriber, &mut self.connection) => {
                self.take_burst(value?)?;
            }
            () = self.session.changed.notified() => {}
            reason = &mut self.moved => {
                return Err(self.connection.lost(reason).into());
            }
            () = self.watchdog.tick() => self.check()?,
            () = at(catch_up), if catch_up.is_some() => {
                self.catch_up = self.session.subscriber.caught_up();
            }
            () = at(retry), if retry.is_some() => {
                self.retry = None;
                self.session.lock().retry();
            }
        }
        Ok(())
    }

    fn send_changes(&mut self) {
        let capacity = Self::MAX_UNANSWERED.saturating_sub(self.unanswered.len());
        let ops = self.session.lock().take_unsent(capacity);
        let mut packed = Vec::new();
        for op in ops {
            // One command a channel, so that a refusal is about that channel alone.
            cmd(op.command()).arg(&**op.name()).write_packed_command(&mut packed);
            self.unanswered.push(Owed::Op(op));
        }
        self.connection.queue(&packed);
    }

    /// Reports once that all that is wanted was answered, and each change of the status.
    fn update_status(&mut self) {
        if !self.unanswered.is_restored() {
            return;
        }
        let (degraded, degraded_since) = {
            let mut subscriptions = self.session.lock();
            (subscriptions.is_degraded(), subscriptions.take_degraded_since())
        };
        let status = match (self.stalled, degraded) {
            (true, _) => LinkStatus::Stalled,
            (_, true) => LinkStatus::Degraded,
            _ => LinkStatus::Connected,
        };
        if self.status.replace(status) != Some(status) {
            self.session.subscriber.event(SessionEvent::Status(status));
        }
        let gap_since = self.session.gap_since().take();
        let degraded = degraded_since.map(|since| (since, SystemTime::now()));
        for (since, until) in gap_since.map(Moment::until_now).into_iter().chain(degraded) {
            self.session.subscriber.event(SessionEvent::Gap(since, until));
        }
    }

    /// Pings, and sees whether the connection is alive.
    fn check(&mut self) -> Result<(), Ended<C::Stream>> {
        let subscriber = &self.session.subscriber;
        // While the mailbox is full nothing is read, and so nothing can be heard.
        if !subscriber.has_capacity() {
            self.watchdog.heard();
        } else if let Some(value) = self.connection.next().now_or_never() {
            self.take_burst(value?)?;
        }
        self.catch_up = subscriber.caught_up();
        match self.watchdog.judge(!self.unanswered.is_empty(), &self.connection) {
            Verdict::Fine => {}
            Verdict::Ping => {
                self.unanswered.push(Owed::Ping(Moment::now()));
                self.connection.queue(&cmd("PING").get_packed_command());
            }
            Verdict::Stalled(error) => {
                self.stalled = true;
                subscriber.event(SessionEvent::Error(error));
            }
            Verdict::Dead(ended) => return Err(ended),
        }
        Ok(())
    }

    /// Takes a value and all that came with it, so that the event loop is woken once for them.
    fn take_burst(&mut self, first: Value) -> Result<()> {
        let mut taken = self.take(first);
        for _ in 1..Self::BURST {
            if taken.is_err() || !self.session.subscriber.has_capacity() {
                break;
            }
            let Some(value) = self.connection.next().now_or_never() else { break };
            taken = value.and_then(|value| self.take(value));
        }
        self.catch_up = self.session.subscriber.caught_up();
        taken
    }

    fn take(&mut self, value: Value) -> Result<()> {
        self.watchdog.heard();
        if std::mem::take(&mut self.stalled) {
            // As it was before the stall; what this value changes comes after it.
            self.update_status();
        }
        match value {
            Value::Array(parts) => self.take_push(&parts),
            Value::Error(reply) => self.answered_by_error(&reply),
            // Outside of subscriptions, a ping is answered plainly.
            Value::Simple(_) => self.pong(),
            _ => Err(self.unexpected()),
        }
    }

    fn take_push(&mut self, parts: &[Value]) -> Result<()> {
        let Some(push) = Push::read(parts) else { return Err(self.unexpected()) };
        match push {
            Push::Message { kind, name, channel, payload } => {
                self.message(kind, name, channel, payload);
            }
            Push::Subscribed(..) => match self.unanswered.take_op(&push) {
                Some(op) => self.settle(&op),
                None => return Err(self.unexpected()),
            },
            Push::Unsubscribed(kind, name) => match self.unanswered.take_op(&push) {
                Some(op) => self.settle(&op),
                None => self.ended(kind, name),
            },
            Push::Pong => return self.pong(),
        }
        Ok(())
    }

    fn unexpected(&self) -> Error {
        self.connection.lost("unexpected push message")
    }

    fn message(&self, kind: Kind, name: &[u8], channel: &[u8], payload: &[u8]) {
        let consumers = self.session.lock().consumers(kind, name);
        for consumer in consumers.iter().flat_map(|all| all.iter()) {
            let called = catch_unwind(AssertUnwindSafe(|| consumer.message(channel, payload)));
            if let Err(panic) = called {
                self.session.subscriber.panicked(panic_reason(&*panic));
            }
        }
    }

    fn prove(&mut self, sent: Moment) {
        self.proven = sent;
        self.session.subscriber.proven(sent.time);
        *self.session.proven() = Some(sent.time);
    }

    fn pong(&mut self) -> Result<()> {
        let Some(sent) = self.unanswered.take_ping() else { return Err(self.unexpected()) };
        self.prove(sent);
        Ok(())
    }

    fn settle(&self, op: &Op) {
        let tickets = self.session.lock().confirmed(op);
        self.session.subscriber.settled(&tickets);
    }

    /// Redis has ended a subscription of its own accord.
    fn ended(&self, kind: Kind, name: &[u8]) {
        self.session.lock().ended(kind, name);
        self.session.subscriber.ended();
    }

    fn answered_by_error(&mut self, reply: &str) -> Result<()> {
        let restores = !self.unanswered.is_restored();
        match self.unanswered.take() {
            None => return Err(self.connection.lost(reply)),
            // Any answer to a ping means that the connection is alive.
            Some(Owed::Ping(sent)) => self.prove(sent),
            Some(Owed::Op(op)) if self.session.subscriber.redirects(op.name(), reply) => {
                self.session.lock().misplaced(&op);
            }
            Some(Owed::Op(op)) => self.refused(&op, reply, restores),
        }
        Ok(())
    }

    /// Redis has refused a change, which belongs to what is restored if `restores`.
    fn refused(&mut self, op: &Op, reply: &str, restores: bool) {
        let Refused { tickets, is_news, replacing } = self.session.lock().refused(op);
        if let Some(consumers) = replacing {
            consumers.iter().for_each(|consumer| consumer.refused());
            if restores {
                self.unanswered.restore(self.session.lock().unsent_len());
            }
            self.session.subscriber.settled(&tickets);
            return;
        }
        let error = refusal(op, reply.to_owned());
        // Status and report first: once a caller has the error, both say so.
        self.update_status();
        if is_news {
            self.session.subscriber.event(SessionEvent::Error(error.clone()));
        }
        self.session.subscriber.failed(&tickets, &error);
        if self.retry.is_none() && self.session.lock().has_refused() {
            self.retry = Some(Instant::now() + self.retries.next_pause().1);
        }
    }
}

/// Whatever ends it: what was left is left, and what is missing from now on is known.
impl<S: Subscriber, C: Connector> Drop for ActiveSession<'_, S, C> {
    fn drop(&mut self) {
        let mut subscriptions = self.session.lock();
        let tickets = subscriptions.offline(self.unanswered.take_ops());
        let is_closed = subscriptions.is_closed();
        drop(subscriptions);
        if is_closed {
            self.session.subscriber.failed(&tickets, &Error::Closed);
        } else {
            self.session.subscriber.settled(&tickets);
        }
        *self.session.proven() = None;
        if self.status.is_some() {
            // Where a server was left behind, what it brought had ceased to be all.
            let confirmed = self.connector.confirmed(self.connection.endpoint());
            let time = self.proven.time;
            let time = confirmed.map_or(time, |confirmed| confirmed.min(time));
            *self.session.gap_since() = Some(Moment { time, ..self.proven });
        }
    }
}

/// Why Redis has refused a subscription.
fn refusal(op: &Op, reply: String) -> Error {
    let command = op.command();
    let is_unknown = reply.to_ascii_lowercase().starts_with("err unknown command");
    if is_unknown && matches!(op, Op::Subscribe(Kind::Sharded, ..)) {
        return Error::ShardedUnsupported { command, reply };
    }
    Error::SubscriptionRefused { command, channel: op.name().to_string(), reply }
}

/// Waits for a time.
async fn at(time: Option<Instant>) {
    if let Some(time) = time {
        sleep_until(time).await;
    }
}

/// The next value, once there is capacity for it.
async fn next<S: Subscriber, T: ByteStream>(
    subscriber: &S,
    connection: &mut Connection<T>,
) -> Result<Value> {
    if !subscriber.has_capacity() {
        // What is queued leaves all the same. An error comes again, behind what has arrived.
        let _ = connection.flush().await;
        subscriber.capacity().await;
    }
    connection.next().await
}
