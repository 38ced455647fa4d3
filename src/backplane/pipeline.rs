//! What is under way on one connection of a writer: every command that was written and is owed an
//! answer, in order, pings too.

use std::collections::VecDeque;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::time::SystemTime;

use futures_util::FutureExt;
use tokio::time::Instant;

use super::doubts::{Doubtful, Doubts};
use super::item::Item;
use super::link_events::LinkStatus;
use super::request::Request;
use super::router::Lane;
use super::writer::Writer;
use crate::connection::{
    Answer, Connection, Connector, Ended, Opened, Purpose, Role, Value, Verdict, Watchdog, moved,
    pack,
};
use crate::error::{Error, Result, panic_reason};
use crate::event_loop::Counters;

/// What Redis owes an answer to, and the bytes that were written for it.
enum Owed {
    Ping,
    /// A question about the server's role, that was sent at this time.
    Role(SystemTime),
    /// `ASKING`, which stands before a command.
    Asking,
    /// A publish, which is not written again, so nothing of it is kept.
    Publish {
        queued: Instant,
        bytes: usize,
    },
    /// A heartbeat, or a publish that may have to go to another node of the cluster, or whose sender waits.
    Routed(Item, usize),
    Command(Item, usize),
}

impl Owed {
    const fn bytes(&self) -> usize {
        match self {
            Self::Ping | Self::Role(_) | Self::Asking => 0,
            Self::Publish { bytes, .. } | Self::Command(_, bytes) | Self::Routed(_, bytes) => {
                *bytes
            }
        }
    }
}

pub(super) struct Pipeline<'a, C: Connector> {
    writer: &'a Writer,
    connector: Arc<C>,
    moved: Pin<Box<dyn Future<Output = String> + Send>>,
    doubts: Doubts,
    connection: Connection<C::Stream>,
    watchdog: Watchdog<C>,
    owed: VecDeque<Owed>,
    // How many commands have been answered.
    answered: u64,
    // Bytes of all that is owed.
    bytes: usize,
    stalled: bool,
    // What the server was when the connection was opened.
    role: Option<Role>,
    // Whether there is another connection to go on with.
    has_second: bool,
}

impl<'a, C: Connector> Pipeline<'a, C> {
    /// No more is written while this many bytes are unanswered.
    const MAX_BYTES: usize = 4 * 1024 * 1024;
    /// No more is written while this many requests are unanswered.
    const MAX_OWED: usize = 16 * 1024;
    /// No more is packed while this many bytes wait to be written: what has not left when the
    /// connection breaks counts as unconfirmed.
    const MAX_UNWRITTEN: usize = 64 * 1024;
    /// What is taken from the outbox at once.
    const BATCH_ITEMS: usize = 512;

    pub(super) fn new(writer: &'a Writer, connector: &Arc<C>, opened: Opened<C::Stream>) -> Self {
        let Opened { connection, role, .. } = opened;
        let watchdog = Watchdog::new(Arc::clone(connector), Purpose::Command);
        let (doubts, owed, answered, bytes, stalled, has_second) = Default::default();
        let (connector, moved) = (Arc::clone(connector), moved(connector, &connection));
        Self {
            writer,
            connector,
            moved,
            doubts,
            connection,
            watchdog,
            owed,
            answered,
            bytes,
            stalled,
            role,
            has_second,
        }
    }

    /// Writes and reads until the connection breaks; and what was published in vain, if the server was
    /// left by the others before.
    pub(super) async fn serve(mut self) -> (Ended<C::Stream>, Option<Doubtful>) {
        loop {
            if let Err(ended) = self.step().await {
                let doubtful = self.doubts.take(self.connection.endpoint(), self.right_until());
                return (ended, doubtful);
            }
        }
    }

    async fn step(&mut self) -> Result<(), Ended<C::Stream>> {
        self.fill();
        let has_capacity = self.has_capacity();
        tokio::select! {
            value = self.connection.next_or_written(Self::MAX_UNWRITTEN) => {
                if let Some(value) = value? {
                    self.take_burst(value)?;
                }
            }
            () = self.writer.outbox.queued.notified(), if has_capacity => {}
            reason = &mut self.moved => {
                return Err(self.connection.lost(reason).into());
            }
            () = self.watchdog.tick() => self.check()?,
        }
        Ok(())
    }

    fn has_capacity(&self) -> bool {
        self.bytes < Self::MAX_BYTES
            && self.owed.len() < Self::MAX_OWED
            && self.connection.unwritten() < Self::MAX_UNWRITTEN
    }

    /// Packs what waits in the outbox.
    fn fill(&mut self) {
        let mut packed = Vec::new();
        while self.has_capacity() {
            let most = Self::BATCH_ITEMS.min(Self::MAX_OWED - self.owed.len());
            let items = self.writer.outbox.take(most, Self::MAX_UNWRITTEN);
            if items.is_empty() {
                return;
            }
            for item in items {
                self.pack(item, &mut packed);
            }
            self.queue(&packed);
            packed.clear();
        }
    }

    /// Queues packed commands that are owed an answer.
    fn queue(&mut self, packed: &[u8]) {
        self.connection.queue(packed);
        if !packed.is_empty() {
            self.doubts.sent(self.answered + self.owed.len() as u64);
        }
    }

    /// Packs a request; one that cannot be packed is reported and left out.
    fn pack(&mut self, item: Item, packed: &mut Vec<u8>) {
        let start = packed.len();
        let asks = item.lane.as_ref().is_some_and(Lane::is_asking);
        if asks {
            pack("ASKING", &[], packed);
        }
        let before = packed.len();
        let done = catch_unwind(AssertUnwindSafe(|| item.request.pack(packed)));
        let done = done.unwrap_or_else(|panic| {
            Counters::count(&self.writer.events().counters.internal_errors);
            let (task, reason) = ("encoder of a message", panic_reason(&*panic));
            Err(Error::Internal { task, reason })
        });
        if let Err(error) = done {
            packed.truncate(start);
            self.writer.outbox.answered(1);
            return self.writer.refused(&item, error);
        }
        let bytes = packed.len() - before;
        self.bytes += bytes;
        if asks {
            self.owed.push_back(Owed::Asking);
        }
        let is_routed = self.writer.router.is_some();
        let is_kept = is_routed || item.ticket.is_some() || matches!(item.request, Request::Add(_));
        self.owed.push_back(if item.request.is_beat() || item.request.is_publish() && is_kept {
            Owed::Routed(item, bytes)
        } else if item.request.is_publish() {
            Owed::Publish { queued: item.queued, bytes }
        } else {
            Owed::Command(item, bytes)
        });
    }

    /// Takes an answer and all that came with it.
    fn take_burst(&mut self, first: Value) -> Result<()> {
        self.watchdog.heard();
        if std::mem::take(&mut self.stalled) {
            self.writer.link().status(LinkStatus::Connected);
        }
        self.take(first)?;
        while let Some(value) = self.connection.next().now_or_never() {
            self.take(value?)?;
        }
        self.writer.report_losses();
        Ok(())
    }

    fn take(&mut self, value: Value) -> Result<()> {
        self.answered += 1;
        self.doubts.answered(self.answered);
        if let Some(Owed::Role(sent)) = self.owed.front() {
            let sent = *sent;
            self.owed.pop_front();
            return self.judge_role(&value, sent);
        }
        let answer = match (self.owed.front(), value) {
            (Some(Owed::Command(item, _)), value @ Value::Array(_)) => item.request.read(value),
            (_, value) => Answer::from(value),
        };
        let Some(owed) = self.owed.pop_front() else {
            let reason = match answer {
                Answer::Error(reply) => reply,
                _ => "unexpected reply".to_owned(),
            };
            return Err(self.connection.lost(reason));
        };
        self.bytes -= owed.bytes();
        match owed {
            // Any answer to a ping means that the connection is alive.
            Owed::Ping | Owed::Role(_) | Owed::Asking => return Ok(()),
            Owed::Publish { queued, .. } => {
                self.confirmed(&answer);
                self.writer.published("PUBLISH", queued, &answer);
            }
            // Nothing was done: it is owed still, and goes again on the next connection.
            Owed::Routed(item, bytes) | Owed::Command(item, bytes)
                if self.is_read_only(&answer) =>
            {
                self.bytes += bytes;
                self.owed.push_front(Owed::Command(item, bytes));
                return Err(self.turned("it has become a replica"));
            }
            Owed::Routed(item, _) => {
                if let Some(item) = self.redirect(item, &answer) {
                    if !item.request.is_beat() && self.writer.router.is_none() {
                        self.confirmed(&answer);
                    }
                    self.writer.published_by(&item, &answer);
                }
            }
            Owed::Command(item, _) => {
                if let Some(mut item) = self.redirect(item, &answer) {
                    self.writer.answered(&mut item, &answer);
                }
            }
        }
        self.writer.outbox.answered(1);
        Ok(())
    }

    /// Redis has answered a message, which counts for as much as the server does.
    const fn confirmed(&mut self, answer: &Answer) {
        if !matches!(answer, Answer::Error(_)) {
            self.doubts.published();
        }
    }

    /// Asks what the server is, once a tick; the answer is one to a ping, too.
    fn ask_role(&mut self) {
        let is_asked = self.owed.iter().any(|owed| matches!(owed, Owed::Role(_)));
        if let (Some(role), false) = (&self.role, is_asked) {
            let question = role.question();
            self.owed.push_back(Owed::Role(SystemTime::now()));
            self.queue(&question);
        }
    }

    /// In a cluster, the router knows what to do.
    fn is_read_only(&self, answer: &Answer) -> bool {
        matches!(answer, Answer::Error(reply) if reply.starts_with("READONLY"))
            && self.writer.router.is_none()
    }

    /// The server has said what it is.
    fn judge_role(&mut self, answer: &Value, sent: SystemTime) -> Result<()> {
        if let Some(reason) = self.role.as_ref().and_then(|role| role.changed(answer)) {
            return Err(self.turned(reason));
        }
        self.doubts.is_same(sent, self.right_until());
        Ok(())
    }

    /// The server is not what it was: what it has published since may have reached nobody.
    fn turned(&mut self, reason: &str) -> Error {
        let (since, count) = self.doubts.has_changed(self.right_until());
        if count > 0 {
            self.writer.confirmed_in_vain(since, count);
        }
        self.writer.events().look_anew(self.doubts.same_until);
        self.connection.lost(reason)
    }

    /// Until when the server was the right one, where others tell.
    fn right_until(&self) -> Option<SystemTime> {
        self.connector.confirmed(self.connection.endpoint())
    }

    fn redirect(&self, item: Item, answer: &Answer) -> Option<Item> {
        self.writer.redirect(item, answer)
    }

    /// Pings, and sees whether the connection is alive.
    fn check(&mut self) -> Result<(), Ended<C::Stream>> {
        self.doubts.forget(self.right_until());
        if let Some(value) = self.connection.next().now_or_never() {
            self.take_burst(value?)?;
        }
        // Before anything is asked: what is written for that is no progress.
        match self.watchdog.judge(!self.owed.is_empty(), &self.connection) {
            Verdict::Fine => self.ask_role(),
            Verdict::Ping => {
                self.ask_role();
                if self.owed.is_empty() {
                    let mut packed = Vec::new();
                    pack("PING", &[], &mut packed);
                    self.owed.push_back(Owed::Ping);
                    self.queue(&packed);
                }
            }
            Verdict::Stalled(error) => {
                self.stalled = true;
                self.writer.link().status(LinkStatus::Stalled);
                self.writer.events().error(self.writer.link().link, error);
            }
            Verdict::Dead(ended) => {
                self.has_second = ended.second.is_some();
                return Err(ended);
            }
        }
        Ok(())
    }
}

/// Whatever has no answer when the connection breaks or the writer gives up: commands go again,
/// since doing them twice does no harm; a publish may already have been delivered, so it is
/// counted as unconfirmed and let go.
impl<C: Connector> Drop for Pipeline<'_, C> {
    fn drop(&mut self) {
        let Writer { outbox, .. } = self.writer;
        let mut again = Vec::new();
        for owed in self.owed.drain(..) {
            match owed {
                Owed::Ping
                | Owed::Role(_)
                | Owed::Asking
                | Owed::Routed(Item { request: Request::Beat(_), .. }, _) => {}
                Owed::Publish { queued, .. } => self.writer.unconfirmed(queued),
                Owed::Routed(Item { queued, ticket, .. }, _) => {
                    self.writer.unconfirmed(queued);
                    if let Some(ticket) = ticket.filter(|&ticket| outbox.claim(ticket)) {
                        let error = self.connection.lost("it may not have arrived");
                        self.writer.events().fail(ticket, &error);
                    }
                }
                Owed::Command(item, _) => again.push(item),
            }
        }
        if !self.has_second {
            outbox.set_online(false);
        }
        outbox.give_back(again);
    }
}
