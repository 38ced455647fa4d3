//! Heartbeats between the processes that share a Redis.
//!
//! They go the way that messages go, so they prove it: a peer whose beats are missed may have published
//! what did not arrive either, and that is a gap. By them, servers know each other by name. Where
//! nobody else beats, a process only says hello.

mod beat;
mod peers;

use std::borrow::Cow;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::SystemTime;

use tokio::sync::Notify;
use tokio::time::{Duration, Instant, MissedTickBehavior, interval};

use self::beat::{Beat, Kind, Member};
pub use self::peers::Uids;
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
    // Beats that Redis has not answered. There is one at a time: those that pile up before a paused Redis
    // would be no clock.
    under_way: AtomicUsize,
    // Redis does not let this user beat.
    refused: AtomicBool,
    // Something is due, or what was under way is not any more.
    wanted: Notify,
}

struct State {
    peers: Peers,
    members: Vec<Member>,
    // What is to be said as soon as it can be.
    due: Option<Kind>,
    // The first beat that Redis has confirmed and that has not come back, and when it was confirmed.
    missing: Option<(u64, SystemTime)>,
    // Since own beats do not come back: when servers are looked for anew the next time, and the pause then.
    split: Option<(Instant, Duration)>,
}

impl Heartbeat {
    /// Between two beats. Three of them are missed within 3 s.
    const EVERY: Duration = Duration::from_millis(750);
    const TICK: Duration = Duration::from_millis(250);
    /// How long a beat may take from one node of a cluster to another.
    const TRANSIT: Duration = Duration::from_secs(2);
    /// Between two looks for servers anew: this at first, then twice as long each time.
    const SPLIT: Duration = Duration::from_secs(5);
    const MAX_SPLIT: Duration = Duration::from_secs(60);

    pub(super) fn new(channel: String, sharded: bool, events: Arc<EventSink>) -> Arc<Self> {
        let id: String = std::iter::repeat_with(fastrand::alphanumeric).take(20).collect();
        let peers = Peers::new(id.clone());
        let (members, due, missing, split) = Default::default();
        let state = Mutex::new(State { peers, members, due, missing, split });
        let (seq, under_way, refused, wanted) = Default::default();
        Arc::new(Self { id, channel, sharded, events, state, seq, under_way, refused, wanted })
    }

    /// Its channel.
    pub(super) fn channel(&self) -> &str {
        &self.channel
    }

    /// This process serves a namespace.
    pub(super) fn serve(&self, member: Member) {
        self.lock().members.push(member);
        self.say(Kind::Beat);
    }

    /// It serves it no more.
    pub(super) fn leave(&self, member: &Member) {
        self.lock().members.retain(|one| one != member);
        self.say(Kind::Beat);
    }

    /// See [`Peers::uids`]; nothing where own beats do not come back either.
    pub(super) fn uids(&self, channel: &str) -> Option<Uids> {
        let state = self.lock();
        let hears = state.peers.last_own().is_some() && state.split.is_none();
        (hears && !self.is_refused()).then(|| state.peers.uids(channel))
    }

    /// How many beats are among what is to be published.
    pub(super) fn queued(&self) -> usize {
        self.under_way.load(Ordering::Relaxed)
    }

    /// How many peers are there.
    pub(super) fn peer_count(&self) -> usize {
        self.lock().peers.count()
    }

    /// A session is about to tell of a gap; returns since when messages may really be missing.
    pub(super) fn told(&self, since: SystemTime, until: SystemTime) -> SystemTime {
        self.lock().peers.told(since, until)
    }

    /// A connection is up again: it may lead to another server, and all that hear this one there are to
    /// say so. What its last server had is not waited for.
    pub(super) fn connected(&self) {
        self.lock().missing = None;
        self.refused.store(false, Ordering::Relaxed);
        self.say(Kind::Hello);
    }

    /// Whether Redis does not let this user beat, or hear others.
    pub(super) fn is_refused(&self) -> bool {
        self.refused.load(Ordering::Relaxed)
    }

    fn say(&self, kind: Kind) {
        {
            let due = &mut self.lock().due;
            *due = due.filter(|due| *due == Kind::Hello).or(Some(kind));
        }
        self.wanted.notify_one();
    }

    /// What says that this process is about to leave, if there is somebody to hear it.
    pub(super) fn bye(self: &Arc<Self>) -> Option<Request> {
        let is_heard = self.lock().peers.knows_any() && self.events.links.publisher.is_up();
        (is_heard && !self.is_refused()).then(|| self.request(Kind::Bye))
    }

    fn request(self: &Arc<Self>, kind: Kind) -> Request {
        self.under_way.fetch_add(1, Ordering::Relaxed);
        Request::Beat(OutgoingBeat { heartbeat: Arc::clone(self), kind, seq: AtomicU64::new(0) })
    }

    /// Beats, until it is dropped.
    pub(super) async fn run(self: Arc<Self>, backplane: Weak<Backplane>) {
        let mut ticker = interval(Self::TICK);
        ticker.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut last = Instant::now();
        loop {
            tokio::select! {
                _ = ticker.tick() => {}
                () = self.wanted.notified() => {}
            }
            let Some(backplane) = backplane.upgrade() else { return };
            let links = &self.events.links;
            if !links.publisher.is_up() || !links.subscriber.is_up() {
                continue;
            }
            if backplane.refuses_heartbeat() {
                self.refused.store(true, Ordering::Relaxed);
            }
            if self.is_refused() {
                continue;
            }
            if let Some(kind) = self.take_due(last) {
                last = Instant::now();
                backplane.send(self.request(kind), None);
            }
            self.check(backplane.proven());
        }
    }

    fn take_due(&self, last: Instant) -> Option<Kind> {
        if self.under_way.load(Ordering::Relaxed) > 0 {
            return None;
        }
        let mut state = self.lock();
        let is_time = last.elapsed() >= Self::EVERY && state.peers.knows_any();
        state.due.take().or_else(|| is_time.then_some(Kind::Beat))
    }

    /// Notices that what is published does not come back, by a ping that the subscriber's server has
    /// answered since.
    fn check(&self, proven: Option<SystemTime>) {
        let mut state = self.lock();
        let Some((_, since)) = state.missing else { return };
        // One from the future was sent before the clock was set back.
        let now = SystemTime::now();
        if proven.is_none_or(|proven| proven < since + Self::TRANSIT || proven > now) {
            return;
        }
        let (next, pause) = match state.split {
            Some((next, _)) if Instant::now() < next => return,
            Some((_, pause)) => (Instant::now() + pause, (pause * 2).min(Self::MAX_SPLIT)),
            None => (Instant::now() + Self::SPLIT, Self::SPLIT * 2),
        };
        let is_news = state.split.replace((next, pause)).is_none();
        let since = state.peers.own_at().map_or(since, |at| at.min(since));
        drop(state);
        if is_news {
            self.events.error(Link::Sub, Error::Split { channel: self.channel.clone() });
        }
        self.events.look_anew(since);
    }

    /// An own beat has come back.
    fn returned(state: &mut State, seq: u64) {
        state.missing = state.missing.filter(|(missing, _)| *missing > seq);
        if state.split.take().is_some() {
            state.peers.parted();
        }
    }

    fn report(&self, news: News, now: SystemTime) {
        let News { gap, left, answer } = news;
        if let Some(since) = gap {
            self.events.emit(&Event::gap(Link::Sub, (since, now), 0, 0));
        }
        if !left.is_empty() {
            self.events.emit(&Event::Peers { left });
        }
        if answer {
            self.say(Kind::Beat);
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Consumer for Heartbeat {
    fn message(&self, channel: &[u8], payload: &[u8]) {
        let beat = match Beat::read(payload) {
            Ok(Some(beat)) => beat,
            // Of a version to come.
            Ok(None) => return,
            Err(()) => return self.events.malformed("heartbeat", channel),
        };
        let now = SystemTime::now();
        let news = {
            let mut state = self.lock();
            if beat.id == self.id {
                Self::returned(&mut state, beat.seq);
            }
            state.peers.heard(beat, now)
        };
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
        let mut state = self.heartbeat.lock();
        if state.missing.is_none() && state.peers.last_own().is_none_or(|last| last < seq) {
            state.missing = Some((seq, SystemTime::now()));
        }
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
        // Packed once more where a node of a cluster has sent it on.
        let mut seq = self.seq.load(Ordering::Relaxed);
        if seq == 0 {
            seq = self.heartbeat.seq.fetch_add(1, Ordering::Relaxed) + 1;
            self.seq.store(seq, Ordering::Relaxed);
        }
        let (id, members) = (self.heartbeat.id.clone(), self.heartbeat.lock().members.clone());
        Ok(Cow::Owned(Beat { v: 1, id, seq, kind: self.kind, members }.write()))
    }

    fn size(&self) -> usize {
        size_of::<Self>()
    }
}

/// However it ends: the next one may leave.
impl Drop for OutgoingBeat {
    fn drop(&mut self) {
        self.heartbeat.under_way.fetch_sub(1, Ordering::Relaxed);
        self.heartbeat.wanted.notify_one();
    }
}
