//! Heartbeats between the processes that share a Redis.
//!
//! They go the way that messages go, so they prove it: a peer whose beats are missed may have published
//! what did not arrive either, and that is a gap. By them, servers know each other by name. Where
//! nobody else beats, a process only says hello.

mod beat;
mod peers;

use std::borrow::Cow;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use tokio::sync::Notify;
use tokio::time::{Duration, Instant, MissedTickBehavior, interval};

use self::beat::{Beat, Kind, Member};
use self::peers::{News, Peers};
use super::Backplane;
use super::event_sink::EventSink;
use super::request::{Publication, Request};
use crate::error::Error;
use crate::event_loop::{Event, Link};
use crate::pubsub::Consumer;

/// The heartbeat of one backplane.
pub(super) struct Heartbeat {
    id: String,
    channel: String,
    /// Whether the channel is sharded.
    pub(super) sharded: bool,
    events: Arc<EventSink>,
    // A plain mutex: held for a look or a change.
    state: Mutex<State>,
    seq: AtomicU64,
    // Redis does not let this user beat.
    refused: AtomicBool,
    // Somebody is to hear that this process is there.
    wanted: Notify,
}

struct State {
    peers: Peers,
    members: Vec<Member>,
    // The last beat that Redis has confirmed, and when.
    confirmed: Option<(u64, SystemTime)>,
    // When it was last said that own beats do not come back.
    split: Option<Instant>,
}

impl Heartbeat {
    /// Between two beats. Three of them are missed within 3 s.
    const EVERY: Duration = Duration::from_millis(750);
    const TICK: Duration = Duration::from_millis(250);
    /// How long a beat may take from one node of a cluster to another.
    const TRANSIT: Duration = Duration::from_secs(2);
    /// Between two looks for servers anew.
    const SPLIT: Duration = Duration::from_secs(5);

    pub(super) fn new(channel: String, sharded: bool, events: Arc<EventSink>) -> Arc<Self> {
        let id: String = std::iter::repeat_with(fastrand::alphanumeric).take(20).collect();
        let peers = Peers::new(id.clone());
        let state = State { peers, members: Vec::new(), confirmed: None, split: None };
        let (seq, refused, wanted) = Default::default();
        let state = Mutex::new(state);
        Arc::new(Self { id, channel, sharded, events, state, seq, refused, wanted })
    }

    /// Its channel.
    pub(super) fn channel(&self) -> &str {
        &self.channel
    }

    /// This process serves a namespace.
    pub(super) fn serve(&self, member: Member) {
        self.lock().members.push(member);
        self.wanted.notify_one();
    }

    /// It serves it no more.
    pub(super) fn leave(&self, member: &Member) {
        let members = &mut self.lock().members;
        if let Some(place) = members.iter().position(|one| one == member) {
            members.swap_remove(place);
        }
        self.wanted.notify_one();
    }

    /// See [`Peers::uids`].
    pub(super) fn uids(&self, channel: &str) -> Vec<String> {
        self.lock().peers.uids(channel)
    }

    /// The session has told of a gap.
    pub(super) fn told(&self, since: SystemTime, until: SystemTime) {
        self.lock().peers.told(since, until);
    }

    /// What says that this process is about to leave.
    pub(super) fn bye(self: &Arc<Self>) -> Request {
        self.request(Kind::Bye)
    }

    fn request(self: &Arc<Self>, kind: Kind) -> Request {
        Request::Beat(OutgoingBeat { heartbeat: Arc::clone(self), kind, seq: AtomicU64::new(0) })
    }

    /// Beats, until it is dropped.
    pub(super) async fn run(self: Arc<Self>, backplane: std::sync::Weak<Backplane>) {
        let mut ticker = interval(Self::TICK);
        ticker.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut last = None;
        loop {
            let is_wanted = tokio::select! {
                _ = ticker.tick() => false,
                () = self.wanted.notified() => true,
            };
            let Some(backplane) = backplane.upgrade() else { return };
            let links = &self.events.links;
            if !links.publisher.is_up() || !links.subscriber.is_up() {
                last = None;
                self.refused.store(false, Ordering::Relaxed);
                continue;
            }
            let is_due =
                |last: Instant| last.elapsed() >= Self::EVERY && self.lock().peers.knows_any();
            let kind = match last {
                None => Some(Kind::Hello),
                Some(last) => (is_wanted || is_due(last)).then_some(Kind::Beat),
            };
            if let Some(kind) = kind.filter(|_| !self.refused.load(Ordering::Relaxed)) {
                last = Some(Instant::now());
                backplane.send(self.request(kind), None);
            }
            self.check(backplane.proven());
        }
    }

    /// Notices that what is published does not come back, by a ping that the subscriber's server has
    /// answered since.
    fn check(&self, proven: Option<SystemTime>) {
        let mut state = self.lock();
        let Some((seq, at)) = state.confirmed else { return };
        let is_back = state.peers.last_own().is_some_and(|last| last >= seq);
        if is_back || state.peers.last_own().is_none() {
            state.split = state.split.filter(|_| !is_back);
            return;
        }
        if proven.is_none_or(|proven| proven < at + Self::TRANSIT) {
            return;
        }
        let is_news = state.split.is_none();
        if !is_news && state.split.is_some_and(|split| split.elapsed() < Self::SPLIT) {
            return;
        }
        state.split = Some(Instant::now());
        drop(state);
        if is_news {
            self.events.error(Link::Sub, Error::Split { channel: self.channel.clone() });
        }
        self.events.look_anew(at);
    }

    fn report(&self, news: News, now: SystemTime) {
        let News { gap, joined, left, answer } = news;
        if let Some(since) = gap {
            self.events.emit(&Event::gap(Link::Sub, (since, now), 0, 0));
        }
        if !joined.is_empty() || !left.is_empty() {
            self.events.emit(&Event::Peers { joined, left });
        }
        if answer {
            self.wanted.notify_one();
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Consumer for Heartbeat {
    fn message(&self, channel: &[u8], payload: &[u8]) {
        let Some(beat) = Beat::read(payload) else {
            return self.events.malformed("heartbeat", channel);
        };
        let now = SystemTime::now();
        let news = self.lock().peers.heard(beat, now);
        self.report(news, now);
    }
}

/// A beat on its way out. It is numbered when it leaves, so that one that never left is not missed.
pub struct OutgoingBeat {
    heartbeat: Arc<Heartbeat>,
    kind: Kind,
    seq: AtomicU64,
}

impl std::fmt::Debug for OutgoingBeat {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OutgoingBeat").field("kind", &self.kind).finish_non_exhaustive()
    }
}

impl OutgoingBeat {
    /// Whether its channel is sharded.
    pub(super) fn is_sharded(&self) -> bool {
        self.heartbeat.sharded
    }

    /// Redis has published it.
    pub(super) fn confirmed(&self) {
        let seq = self.seq.load(Ordering::Relaxed);
        self.heartbeat.lock().confirmed = Some((seq, SystemTime::now()));
    }

    /// Redis does not let this user beat: nobody is told, since all else works.
    pub(super) fn refused(&self) {
        self.heartbeat.refused.store(true, Ordering::Relaxed);
    }
}

impl Publication for OutgoingBeat {
    fn channel(&self) -> Cow<'_, str> {
        Cow::Borrowed(self.heartbeat.channel())
    }

    fn payload(&self) -> Result<Cow<'_, [u8]>, String> {
        let seq = self.heartbeat.seq.fetch_add(1, Ordering::Relaxed) + 1;
        self.seq.store(seq, Ordering::Relaxed);
        let (id, members) = (self.heartbeat.id.clone(), self.heartbeat.lock().members.clone());
        Ok(Cow::Owned(Beat { v: 1, id, seq, kind: self.kind, members }.write()))
    }

    fn size(&self) -> usize {
        size_of::<Self>()
    }
}
