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
    // How many own beats have come back, and what the last said.
    own_beats: u64,
    own_seq: Option<u64>,
    own_at: Option<SystemTime>,
    peers: HashMap<String, Peer>,
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
    is_gone: bool,
}

/// What a beat comes to.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct News {
    /// Messages since then may be missing.
    pub(super) gap: Option<SystemTime>,
    /// Who has come.
    pub(super) joined: Vec<Member>,
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
    /// What was told of a gap holds for what is noticed this much later.
    const TOLERANCE: Duration = Duration::from_secs(2);

    pub(super) fn new(own: String) -> Self {
        let (own_beats, own_seq, own_at, peers, told) = Default::default();
        Self { own, own_beats, own_seq, own_at, peers, told }
    }

    /// A beat has arrived.
    pub(super) fn heard(&mut self, beat: Beat, now: SystemTime) -> News {
        if beat.id == self.own {
            return self.heard_own(beat.seq, now);
        }
        if beat.kind == Kind::Bye {
            let left = self.peers.remove(&beat.id).filter(|peer| !peer.is_gone);
            return News {
                left: left.map(|peer| peer.members).unwrap_or_default(),
                ..News::default()
            };
        }
        let answer = beat.kind == Kind::Hello;
        let Some(peer) = self.peers.get_mut(&beat.id) else {
            return News { answer: true, ..self.meet(beat, now) };
        };
        if beat.seq <= peer.seq {
            // Sent anew, or out of order: no news.
            return News { answer, ..News::default() };
        }
        let missed = beat.seq > peer.seq + 1;
        let before = std::mem::replace(&mut peer.members, beat.members);
        let (at, was_gone) = (peer.at, std::mem::take(&mut peer.is_gone));
        (peer.seq, peer.at, peer.own_beats) = (beat.seq, now, self.own_beats);
        let before = if was_gone { Vec::new() } else { before };
        let members = &peer.members;
        let joined = members.iter().filter(|one| !before.contains(one)).cloned().collect();
        let left = before.iter().filter(|one| !members.contains(one)).cloned().collect();
        let gap = if missed { self.tell(at, now) } else { None };
        News { gap, joined, left, answer }
    }

    fn meet(&mut self, beat: Beat, now: SystemTime) -> News {
        if self.peers.len() >= Self::MOST {
            self.peers.retain(|_, peer| !peer.is_gone);
        }
        if self.peers.len() >= Self::MOST {
            return News::default();
        }
        let Beat { id, seq, members, .. } = beat;
        let joined = members.clone();
        let own_beats = self.own_beats;
        self.peers.insert(id, Peer { seq, at: now, own_beats, members, is_gone: false });
        News { joined, ..News::default() }
    }

    fn heard_own(&mut self, seq: u64, now: SystemTime) -> News {
        let before = self.own_seq;
        if before.is_some_and(|before| seq <= before) {
            return News::default();
        }
        let missed = before.is_some_and(|before| seq > before + 1);
        let at = self.own_at.replace(now);
        self.own_seq = Some(seq);
        self.own_beats += 1;
        let gap = if missed { at.and_then(|at| self.tell(at, now)) } else { None };
        let mut left = Vec::new();
        for peer in self.peers.values_mut() {
            if !peer.is_gone && self.own_beats - peer.own_beats >= Self::GONE {
                peer.is_gone = true;
                left.extend(peer.members.iter().cloned());
            }
        }
        News { gap, left, ..News::default() }
    }

    /// The session has told of a gap.
    pub(super) fn told(&mut self, since: SystemTime, until: SystemTime) {
        self.told = Some((since, until));
    }

    /// A gap since `at`, unless what was told last covers it.
    fn tell(&mut self, at: SystemTime, now: SystemTime) -> Option<SystemTime> {
        let is_told = |(since, until): (SystemTime, SystemTime)| {
            since <= at && until + Self::TOLERANCE >= now
        };
        if self.told.is_some_and(is_told) {
            return None;
        }
        self.told = Some((at, now));
        Some(at)
    }

    /// The uids that serve the namespace with this channel of requests, on other processes.
    pub(super) fn uids(&self, channel: &str) -> Vec<String> {
        let alive = self.peers.values().filter(|peer| !peer.is_gone);
        let members = alive.flat_map(|peer| &peer.members);
        members.filter(|(of, _)| of == channel).map(|(_, uid)| uid.clone()).collect()
    }

    /// Whether another process is known, be it gone: it may only be out of hearing.
    pub(super) fn knows_any(&self) -> bool {
        !self.peers.is_empty()
    }

    /// The last own beat that has come back.
    pub(super) const fn last_own(&self) -> Option<u64> {
        self.own_seq
    }
}

#[cfg(test)]
#[path = "peers_tests.rs"]
mod tests;
