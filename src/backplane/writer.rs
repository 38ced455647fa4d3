//! The one task that writes to a connection, in order.
//!
//! Writing and reading run side by side: what waits is written as long as not too much is
//! unanswered, whether or not earlier answers have come. After a break it is known what was
//! confirmed.

use std::sync::{Arc, Weak};
use std::time::{SystemTime, UNIX_EPOCH};

use futures_util::FutureExt;
use tokio::time::{Duration, Instant, sleep, sleep_until};

use super::doubts::Doubtful;
use super::event_sink::EventSink;
use super::item::Item;
use super::link_events::{LinkEvents, LinkStatus};
use super::outages::{Lost, Outages};
use super::outbox::{Losses, Outbox};
use super::pipeline::Pipeline;
use super::request::Request;
use super::router::Router;
use super::throttle::Throttle;
use crate::connection::{Address, Answer, Backoff, Connector, Ended, Opened, Patience, Purpose};
use crate::error::Error;
use crate::event_loop::{Counters, Event, Outcome};

/// Writes an outbox to Redis.
pub(super) struct Writer {
    pub(super) outbox: Arc<Outbox>,
    // What takes back what a node of a cluster does not do.
    pub(super) router: Option<(Weak<Router>, Address)>,
    // What Redis has refused, and what was wrong before it was asked.
    outages: Outages,
    failures: Throttle,
}

impl Writer {
    /// A timer that fires this late was not waited for, and this is how long reading then takes at
    /// most.
    const FROZEN: Duration = Duration::from_secs(1);

    pub(super) fn new(outbox: Arc<Outbox>) -> Self {
        let (outages, failures) = Default::default();
        Self { outbox, router: None, outages, failures }
    }

    /// The writer of one node of a cluster.
    pub(super) fn routed(outbox: Arc<Outbox>, router: Weak<Router>, node: &Address) -> Self {
        Self { router: Some((router, node.clone())), ..Self::new(outbox) }
    }

    /// Hands a request back that was redirected; gives it back where it was not.
    pub(super) fn redirect(&self, item: Item, answer: &Answer) -> Option<Item> {
        let (Some((router, node)), Answer::Error(reply)) = (&self.router, answer) else {
            return Some(item);
        };
        match router.upgrade() {
            Some(router) => router.redirected(item, reply, node),
            None => Some(item),
        }
    }

    /// Connects, writes and reconnects, until the outbox is closed and empty.
    pub(super) async fn run<C: Connector>(self: Arc<Self>, connector: Arc<C>) {
        tokio::select! {
            () = self.outbox.finished() => {}
            () = self.keep_writing(&connector) => {}
            () = self.expire() => {}
        }
        self.report_losses();
        self.report(self.outages.closed());
    }

    async fn keep_writing<C: Connector>(&self, connector: &Arc<C>) {
        let mut backoff = Backoff::new();
        let mut second: Option<Box<Opened<C::Stream>>> = None;
        let mut doubtful: Option<Doubtful> = None;
        // Where the last connection led, and whether its server was away since.
        let mut last: Option<(String, bool)> = None;
        loop {
            let opened = match second.take() {
                Some(opened) => Ok(*opened),
                None => connector.connect(Purpose::Command, Patience::Limited).await,
            };
            let error = match opened {
                Ok(opened) => {
                    let since = Instant::now();
                    if let Some(doubtful) = doubtful.take() {
                        self.doubt(&doubtful, connector, opened.connection.endpoint());
                    }
                    let at = opened.connection.endpoint().to_owned();
                    if let Some((endpoint, was_away)) = last.replace((at.clone(), false))
                        && self.publishes()
                    {
                        self.events().heard_again(was_away || endpoint != at).await;
                    }
                    let (ended, in_doubt) = self.serve(connector, opened).await;
                    backoff = Backoff::after(since.into_std());
                    doubtful = in_doubt;
                    self.link().disconnected(ended.error);
                    second = ended.second;
                    if second.is_some() {
                        continue;
                    }
                    None
                }
                Err(error) => {
                    last = last.map(|(endpoint, _)| (endpoint, true));
                    Some(error)
                }
            };
            let (attempt, pause) = backoff.next_pause();
            self.link().retrying(error, attempt, pause);
            tokio::select! {
                () = sleep(pause) => {}
                () = connector.elsewhere() => {}
            }
        }
    }

    /// Whether messages wait that other nodes are to hear.
    fn publishes(&self) -> bool {
        self.router.is_none() && self.outbox.holds_publishes()
    }

    /// Writes until the connection breaks.
    async fn serve<C: Connector>(
        &self,
        connector: &Arc<C>,
        opened: Opened<C::Stream>,
    ) -> (Ended<C::Stream>, Option<Doubtful>) {
        self.link().opened(opened.connection.endpoint(), opened.warning);
        self.outbox.set_online(true);
        self.link().status(LinkStatus::Connected);
        self.report_losses();
        // However it ends, what it owes is accounted for and the outbox is offline.
        Pipeline::new(self, connector, opened).serve().await
    }

    /// Where `endpoint` is another server since the last one was not the right one any more, what that
    /// one had confirmed meanwhile may have reached nobody; where that one cannot be reached any more, what it
    /// had confirmed last.
    fn doubt<C: Connector>(&self, doubtful: &Doubtful, connector: &Arc<C>, endpoint: &str) {
        let is_gone = doubtful.endpoint != endpoint;
        let is_left = is_gone && connector.moved(&doubtful.endpoint).now_or_never().is_some();
        if let Some((since, count)) = doubtful.lost(is_left, is_gone) {
            self.confirmed_in_vain(since, count);
        }
    }

    /// What had been confirmed since then may not have been passed on.
    pub(super) fn confirmed_in_vain(&self, since: SystemTime, count: u64) {
        Counters::take(&self.events().counters.published, count);
        Counters::add(&self.events().counters.unconfirmed, count);
        let ago = SystemTime::now().duration_since(since).unwrap_or_default();
        let since = Instant::now().checked_sub(ago).unwrap_or_else(Instant::now);
        self.outbox.doubt(since, count);
    }

    /// Redis has answered a publish.
    pub(super) fn published(&self, command: &'static str, queued: Instant, answer: &Answer) {
        if let Answer::Error(reply) = answer {
            let reply = reply.clone();
            self.dropped(queued, Error::Reply { command, reply });
        } else {
            self.report(self.outages.worked(command));
            Counters::count(&self.events().counters.published);
        }
    }

    /// Redis has answered a publish that was kept.
    pub(super) fn published_by(&self, item: &Item, answer: &Answer) {
        match (&item.request, answer) {
            (Request::Beat(beat), Answer::Error(_)) => beat.refused(),
            (Request::Beat(beat), _) => beat.confirmed(),
            (request, answer) => {
                self.published(request.name(), item.queued, answer);
                let Some(ticket) = item.ticket.filter(|&ticket| self.outbox.claim(ticket)) else {
                    return;
                };
                match answer {
                    Answer::Bytes(id) => self.events().reply(ticket, Outcome::Bytes(id)),
                    Answer::Error(reply) => {
                        let (command, reply) = (request.name(), reply.clone());
                        self.events().fail(ticket, &Error::Reply { command, reply });
                    }
                    _ => self.events().reply(ticket, Outcome::Nil),
                }
            }
        }
    }

    /// Redis may not have got a publish.
    pub(super) fn unconfirmed(&self, queued: Instant) {
        Counters::count(&self.events().counters.unconfirmed);
        self.outbox.lose(queued, false);
    }

    /// Redis has answered a command.
    pub(super) fn answered(&self, item: &mut Item, answer: &Answer) {
        if let Some(part) = &mut item.part {
            return part.answer(answer);
        }
        let outcome = match answer {
            Answer::Nil => Outcome::Nil,
            Answer::Integer(number) => Outcome::Integer(*number),
            Answer::Bytes(bytes) => Outcome::Bytes(bytes),
            Answer::List(json) => Outcome::List(json),
            Answer::Error(reply) => {
                let (command, reply) = (item.request.name(), reply.clone());
                return self.refused(item, Error::Reply { command, reply });
            }
        };
        self.report(self.outages.worked(item.request.name()));
        if let Some(ticket) = item.ticket.filter(|&ticket| self.outbox.claim(ticket)) {
            self.events().reply(ticket, outcome);
        }
    }

    /// Answers the caller that `item` was not done; where no caller waits, it is reported.
    pub(super) fn refused(&self, item: &Item, error: Error) {
        match item.ticket {
            Some(ticket) if self.outbox.claim(ticket) => self.events().fail(ticket, &error),
            Some(_) => {}
            None => self.dropped(item.queued, error),
        }
    }

    /// Counts a request that is dropped, and reports why: once in an outage, else now and then.
    fn dropped(&self, queued: Instant, error: Error) {
        Counters::count(&self.events().counters.dropped);
        let count = match &error {
            Error::Reply { command, reply } => {
                self.outages.refused(command, reply, queued).then_some(1)
            }
            _ => self.failures.count(error.code()),
        };
        if let Some(count) = count {
            self.events().error(self.link().link, error.times(count));
        }
    }

    /// Drops what is left once no more can be written.
    pub(super) fn abandon(&self) {
        for item in self.outbox.take_all() {
            if item.request.is_beat() {
                continue;
            }
            Counters::count(&self.events().counters.dropped);
            self.outbox.lose(item.queued, true);
            item.ticket.iter().for_each(|&ticket| self.events().fail(ticket, &Error::Closed));
        }
        self.report_losses();
        self.report(self.outages.closed());
    }

    pub(super) fn report_losses(&self) {
        let Losses { dropped, unconfirmed, since } = self.outbox.take_losses();
        if let Some(since) = since {
            self.gap(since, dropped, unconfirmed);
        }
    }

    /// Reports what Redis has refused.
    fn report(&self, lost: Option<Lost>) {
        if let Some(Lost { count, since }) = lost {
            self.gap(since, count, 0);
        }
    }

    fn gap(&self, since: Instant, dropped: u64, unconfirmed: u64) {
        let since = SystemTime::now().checked_sub(since.elapsed()).unwrap_or(UNIX_EPOCH);
        let times = (since, SystemTime::now());
        self.events().emit(&Event::gap(self.link().link, times, dropped, unconfirmed));
    }

    pub(super) fn link(&self) -> &LinkEvents {
        &self.outbox.link
    }

    pub(super) fn events(&self) -> &EventSink {
        &self.link().events
    }

    /// Answers the commands whose time is up.
    pub(super) async fn expire(&self) {
        loop {
            let Some(deadline) = self.outbox.next_deadline() else {
                self.outbox.deadlines.notified().await;
                continue;
            };
            // A little later, so that a burst of commands is taken out at once.
            sleep_until(deadline + Duration::from_millis(5)).await;
            // This process was frozen: the answers that wait for it are read first.
            if deadline.elapsed() >= Self::FROZEN {
                sleep(Self::FROZEN).await;
            }
            for ticket in self.outbox.expired(Instant::now()) {
                self.events().fail(ticket, &Error::Timeout(self.outbox.command_timeout_ms()));
            }
        }
    }
}

#[cfg(test)]
#[path = "writer_tests.rs"]
mod tests;

#[cfg(test)]
#[path = "rejoining_tests.rs"]
mod rejoining_tests;

#[cfg(test)]
#[path = "losses_tests.rs"]
mod losses_tests;

#[cfg(test)]
#[path = "watchdog_tests.rs"]
mod watchdog_tests;
