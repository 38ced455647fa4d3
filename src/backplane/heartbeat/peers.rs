//! Who is there, and whether all of them have been heard.
//!
//! Pure state. The own beats that come back through Redis are the clock: a peer is gone when several
//! have come and none of its. So a Redis that is slow, and a process that was frozen, lose nobody.

use std::collections::HashMap;
use std::time::{Duration, SystemTime};

use super::beat::{Beat, Kind, Member};

/// The processes that share a Redis, as one of them sees them.
pub(super) struct Peers {
    own: String,
    // How many own beats have come back, apart enough to be a clock, and when the last of them did.
    own_beats: u64,
    counted: Option<SystemTime>,
    // The last own beat that has come back, and when.
    own_seq: Option<u64>,
    own_at: Option<SystemTime>,
    // What was published here did not come back for a while.
    parted: bool,
    known: HashMap<String, Peer>,
    // What they hold, in bytes.
    bytes: usize,
    // The last gap that was told, by whatever noticed it.
    told: Option<(SystemTime, SystemTime)>,
}

struct Peer {
    seq: u64,
    // When its last beat arrived.
    at: SystemTime,
    // The own beats by then.
    own_beats: u64,
    members: Vec<Member>,
    size: usize,
    is_gone: bool,
}

/// Servers of this package, by their uids.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Uids {
    /// Those whose beats come.
    pub alive: Vec<String>,
    /// Up to 100 that have gone without a word.
    pub gone: Vec<String>,
}

/// What a beat comes to.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct News {
    /// Messages since then may be missing.
    pub(super) gap: Option<SystemTime>,
    /// Who is gone.
    pub(super) left: Vec<Member>,
    /// Whether a peer is to be told that this process is there.
    pub(super) answer: bool,
}

impl Peers {
    /// A peer is gone when this many own beats have come back since its last one.
    const GONE: u64 = 3;
    /// How many are known at a time.
    const MOST: usize = 1000;
    /// What these may hold, in bytes.
    const MOST_BYTES: usize = 8 * 1024 * 1024;
    /// How many that are gone are named at once.
    const MOST_GONE: usize = 100;
    /// Own beats that come back faster are no clock: several answer peers that have just come.
    const APART: Duration = Duration::from_millis(500);
    /// Between the last beats of peers that were lost at the same time.
    const TOGETHER: Duration = Duration::from_millis(1500);
    /// What was told of a gap holds for what is noticed this much later.
    const TOLERANCE: Duration = Duration::from_secs(2);

    pub(super) fn new(own: String) -> Self {
        let (own_beats, counted, own_seq, own_at, parted) = Default::default();
        let (known, bytes, told) = Default::default();
        Self { own, own_beats, counted, own_seq, own_at, parted, known, bytes, told }
    }

    /// A beat has arrived.
    pub(super) fn heard(&mut self, beat: Beat, now: SystemTime) -> News {
        if beat.id == self.own {
            return self.heard_own(beat.seq, now);
        }
        if beat.kind == Kind::Bye {
            let peer = self.known.remove(&beat.id);
            self.bytes -= peer.as_ref().map_or(0, |peer| peer.size);
            let left = peer.filter(|peer| !peer.is_gone);
            return News {
                left: left.map(|peer| peer.members).unwrap_or_default(),
                ..News::default()
            };
        }
        let answer = beat.kind == Kind::Hello;
        let Some(peer) = self.known.get_mut(&beat.id) else {
            self.meet(beat, now);
            return News { answer: true, ..News::default() };
        };
        if beat.seq <= peer.seq {
            // Sent anew, or out of order: no news.
            return News { answer, ..News::default() };
        }
        let missed = beat.seq - peer.seq > 1;
        let size = beat.size();
        let rest = self.bytes - std::mem::replace(&mut peer.size, size);
        self.bytes = rest + size;
        let before = std::mem::replace(&mut peer.members, beat.members);
        let (at, was_gone) = (peer.at, std::mem::take(&mut peer.is_gone));
        (peer.seq, peer.at, peer.own_beats) = (beat.seq, now, self.own_beats);
        let before = if was_gone { Vec::new() } else { before };
        let members = &peer.members;
        let left = before.iter().filter(|one| !members.contains(one)).cloned().collect();
        let gap = if missed { self.tell(at, now) } else { None };
        News { gap, left, answer }
    }

    fn meet(&mut self, beat: Beat, now: SystemTime) {
        let size = beat.size();
        let is_full =
            |peers: &Self| peers.known.len() >= Self::MOST || peers.bytes + size > Self::MOST_BYTES;
        if is_full(self) {
            self.known.retain(|_, peer| !peer.is_gone);
            self.bytes = self.known.values().map(|peer| peer.size).sum();
        }
        if is_full(self) {
            return;
        }
        let Beat { id, seq, members, .. } = beat;
        let own_beats = self.own_beats;
        self.known.insert(id, Peer { seq, at: now, own_beats, members, size, is_gone: false });
        self.bytes += size;
    }

    fn heard_own(&mut self, seq: u64, now: SystemTime) -> News {
        let before = self.own_seq;
        if before.is_some_and(|before| seq <= before) {
            return News::default();
        }
        let at = self.own_at.replace(now);
        self.own_seq = Some(seq);
        let parted = std::mem::take(&mut self.parted);
        let gap = if parted { at.and_then(|at| self.tell(at, now)) } else { None };
        let is_close =
            |before: SystemTime| now.duration_since(before).is_ok_and(|time| time < Self::APART);
        if self.counted.is_some_and(is_close) {
            return News { gap, ..News::default() };
        }
        self.counted = Some(now);
        self.own_beats += 1;
        let mut left = Vec::new();
        for peer in self.known.values_mut() {
            if !peer.is_gone && self.own_beats - peer.own_beats >= Self::GONE {
                peer.is_gone = true;
                left.extend(peer.members.iter().cloned());
            }
        }
        News { gap, left, ..News::default() }
    }

    /// What was published here has not come back for a while, and does again.
    pub(super) fn parted(&mut self) {
        self.parted = true;
    }

    /// A session is about to tell of a gap; returns since when messages may really be missing. A peer that
    /// was heard last before may have been on another server since.
    pub(super) fn told(&mut self, since: SystemTime, until: SystemTime) -> SystemTime {
        let alive = self.known.values().filter(|peer| !peer.is_gone).map(|peer| peer.at);
        let since = alive.chain([since]).min().unwrap_or(since);
        self.told = Some((since, until));
        since
    }

    /// A gap since `at`, unless what was told last covers it. Peers that were lost at the same time are
    /// in it.
    fn tell(&mut self, at: SystemTime, now: SystemTime) -> Option<SystemTime> {
        let is_told = |(since, until): (SystemTime, SystemTime)| {
            since <= at && until + Self::TOLERANCE >= now
        };
        if self.told.is_some_and(is_told) {
            return None;
        }
        let earliest = at.checked_sub(Self::TOGETHER).unwrap_or(at);
        let others = self.known.values().map(|peer| peer.at).filter(|other| *other >= earliest);
        let since = others.chain([at]).min().unwrap_or(at);
        self.told = Some((since, now));
        Some(since)
    }

    /// Who serves the namespace with this channel of requests on other processes.
    pub(super) fn uids(&self, channel: &str) -> Uids {
        let of = |is_gone: bool| {
            let peers = self.known.values().filter(move |peer| peer.is_gone == is_gone);
            let members = peers.flat_map(|peer| &peer.members);
            members.filter(|(of, _)| of == channel).map(|(_, uid)| uid.clone())
        };
        Uids { alive: of(false).collect(), gone: of(true).take(Self::MOST_GONE).collect() }
    }

    /// How many other processes are there.
    pub(super) fn count(&self) -> usize {
        self.known.values().filter(|peer| !peer.is_gone).count()
    }

    /// Whether another process is known, be it gone: it may only be out of hearing.
    pub(super) fn knows_any(&self) -> bool {
        !self.known.is_empty()
    }

    /// When the last own beat has come back.
    pub(super) const fn own_at(&self) -> Option<SystemTime> {
        self.own_at
    }

    /// The last own beat that has come back.
    pub(super) const fn last_own(&self) -> Option<u64> {
        self.own_seq
    }
}

#[cfg(test)]
#[path = "peers_tests.rs"]
mod tests;
