//! What one connection reports: how it is and where it leads.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::time::{Duration, Instant};

use super::event_sink::EventSink;
use super::fleet::Fleet;
use crate::connection::Warning;
use crate::error::Error;
use crate::event_loop::{ConnectionState, Counters, Event, Link, LinkState, ms};
pub(super) use crate::pubsub::LinkStatus;

/// The events of one connection.
#[derive(Clone)]
pub(super) struct LinkEvents {
    pub(super) events: Arc<EventSink>,
    pub(super) link: Link,
    // The fleet that the connection is one of, and its number there.
    part: Option<(Arc<Fleet>, u64)>,
    // Whether nobody is told how the connection is: nothing depends on it.
    quiet: bool,
    // With what Redis has refused it when that was last told, until it is up. A plain mutex: the task
    // that has the connection takes it.
    refusal: Arc<Mutex<Option<String>>>,
}

impl LinkEvents {
    pub(super) fn new(events: Arc<EventSink>, link: Link) -> Self {
        Self { events, link, part: None, quiet: false, refusal: Arc::default() }
    }

    /// The events of a connection of which nobody is told how it is.
    pub(super) fn quiet(&self) -> Self {
        Self { quiet: true, ..self.clone() }
    }

    /// The events of a connection that is one of a fleet.
    pub(super) fn part(&self, fleet: &Arc<Fleet>, number: u64) -> Self {
        fleet.joins(number);
        let part = Some((Arc::clone(fleet), number));
        Self { part, refusal: Arc::default(), ..self.clone() }
    }

    pub(super) fn state(&self) -> &LinkState {
        self.events.links.of(self.link)
    }

    /// The connection is open, to `endpoint`; it may not be up yet.
    pub(super) fn opened(&self, endpoint: &str, warning: Option<Warning>) {
        if self.quiet {
            return;
        }
        match &self.part {
            Some((fleet, number)) => fleet.opened(*number, endpoint, self.state()),
            None => self.state().set_server(endpoint.to_owned()),
        }
        if let Some(Warning::PasswordUnused) = warning {
            let (connection, endpoint) = (self.link, endpoint.to_owned());
            let code = "WARN_PASSWORD_UNUSED";
            let message = "Redis asks for no password, and one was given: leave it out, or set one";
            self.events.emit(&Event::Warning { connection, endpoint, code, message });
        }
    }

    /// The connection has another status. It is back where it was not there, or not whole.
    pub(super) fn status(&self, status: LinkStatus) {
        if self.quiet {
            return;
        }
        *self.refusal() = None;
        let status = match &self.part {
            Some((fleet, number)) => fleet.status(*number, status),
            None => Some(status),
        };
        let Some(status) = status else { return };
        let before = self.state().change(match status {
            LinkStatus::Connected => ConnectionState::Connected,
            LinkStatus::Degraded => ConnectionState::Degraded,
            LinkStatus::Stalled => ConnectionState::Stalled,
        });
        if before == ConnectionState::Reconnecting {
            Counters::count(&self.events.counters.reconnects);
        }
        let was_down =
            matches!(before, ConnectionState::Connecting | ConnectionState::Reconnecting);
        if was_down && self.link == Link::Sub {
            self.events.subscribed.send_replace(Some(Instant::now()));
        }
        if let Some(heartbeat) = self.events.heartbeat().filter(|_| was_down) {
            heartbeat.connected();
        }
        let is_news = !matches!(before, ConnectionState::Stalled | ConnectionState::Connected);
        if status == LinkStatus::Connected && is_news {
            let (connection, endpoint) = (self.link, self.state().endpoint());
            self.events.emit(&Event::Connect { connection, endpoint });
        }
    }

    pub(super) fn disconnected(&self, error: Error) {
        if self.quiet {
            return;
        }
        let led_to = match &self.part {
            Some((fleet, number)) => fleet.lost(*number),
            None => Some(self.state().endpoint()),
        };
        let (connection, Some(endpoint)) = (self.link, led_to) else { return };
        self.state().change(ConnectionState::Reconnecting);
        if self.link == Link::Sub {
            self.events.subscribed.send_replace(None);
        }
        self.events.emit(&Event::Disconnect { connection, endpoint, error });
    }

    pub(super) fn retrying(&self, error: Option<Error>, attempt: u32, delay: Duration) {
        if self.quiet {
            return;
        }
        if let Some(error) = error.filter(|error| self.is_news(error)) {
            self.events.error(self.link, error);
        }
        let (connection, endpoint, delay) = (self.link, self.state().endpoint(), ms(delay));
        self.events.emit(&Event::Reconnecting { connection, endpoint, attempt, delay });
    }

    /// A server may refuse for long, and for the same reason all the time: that is told once.
    fn is_news(&self, error: &Error) -> bool {
        let Error::Refused { reply, .. } = error else { return true };
        self.refusal().replace(reply.clone()).is_none_or(|before| before != *reply)
    }

    fn refusal(&self) -> MutexGuard<'_, Option<String>> {
        self.refusal.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts and reports a panic of the task that has the connection: if that was up, it is lost.
    pub(super) fn task_panicked(&self, task: &'static str, reason: String) {
        self.panicked(task, reason.clone());
        if self.state().is_up() && !self.quiet {
            self.disconnected(Error::Internal { task, reason });
        }
    }

    /// Counts and reports a panic.
    pub(super) fn panicked(&self, task: &'static str, reason: String) {
        Counters::count(&self.events.counters.internal_errors);
        if self.events.panics.count(task).is_some() {
            self.events.error(self.link, Error::Internal { task, reason });
        }
    }
}
