//! A backplane's heartbeat, and which other processes that tells of.

use std::sync::{Arc, PoisonError, Weak};
use std::time::SystemTime;

use super::Backplane;
use super::heartbeat::{Heartbeat, Uids};
use super::link_events::LinkEvents;
use super::supervisor::supervise;
use crate::event_loop::Link;
use crate::pubsub::{Consumer, Kind, Need};

impl Backplane {
    /// Beats on `channel` from now on, and hears others there; the first call counts. Redis may refuse
    /// the channel: all else goes on.
    pub fn beat(self: &Arc<Self>, channel: String, sharded: bool) {
        if self.heartbeat.get().is_some() {
            return;
        }
        let heartbeat = Heartbeat::new(channel, sharded, Arc::clone(&self.events));
        self.events.set_heartbeat(&heartbeat);
        self.heartbeat.get_or_init(|| Arc::clone(&heartbeat));
        let kind = if sharded { Kind::Sharded } else { Kind::Channel };
        let consumer: Arc<dyn Consumer> = Arc::clone(&heartbeat) as _;
        self.subscribe(kind, heartbeat.channel(), consumer, Need::Optional, None);
        let link = LinkEvents::new(Arc::clone(&self.events), Link::Sub);
        let backplane = Arc::downgrade(self);
        let run = move || Arc::clone(&heartbeat).run(Weak::clone(&backplane));
        let task = self.runtime.spawn(supervise(link, "heartbeat", run));
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner).heartbeat = Some(task);
    }

    /// This process serves the namespace with this channel of requests, as `uid`.
    pub fn serve(&self, channel: String, uid: String) {
        if let Some(heartbeat) = self.heartbeat.get() {
            heartbeat.serve((channel, uid));
        }
    }

    /// Takes that back.
    pub fn serve_no_more(&self, channel: String, uid: String) {
        if let Some(heartbeat) = self.heartbeat.get() {
            heartbeat.leave(&(channel, uid));
        }
    }

    /// The uids of the other servers of this package that serve the namespace with this channel of
    /// requests; nothing where no heartbeat tells.
    #[must_use]
    pub fn peers(&self, channel: &str) -> Option<Uids> {
        self.heartbeat.get()?.uids(channel)
    }

    /// How many other processes of this package are there, as heartbeats tell.
    #[must_use]
    pub fn peer_count(&self) -> usize {
        self.heartbeat.get().map_or(0, |heartbeat| heartbeat.peer_count())
    }

    /// What has become of the heartbeat: `off`, `on`, or `refused` by Redis.
    #[must_use]
    pub fn heartbeat(&self) -> &'static str {
        match self.heartbeat.get() {
            None => "off",
            Some(heartbeat) if heartbeat.is_refused() => "refused",
            Some(_) => "on",
        }
    }

    /// Whether Redis refuses the subscription to heartbeats.
    pub(super) fn refuses_heartbeat(&self) -> bool {
        let Some(heartbeat) = self.heartbeat.get() else { return false };
        match self.shards.get().filter(|_| heartbeat.sharded) {
            Some(shards) => shards.refuses(heartbeat.channel()),
            None if heartbeat.sharded => self.session.refuses(Kind::Sharded, heartbeat.channel()),
            None => self.session.refuses(Kind::Channel, heartbeat.channel()),
        }
    }

    /// When the last ping was sent that the subscriber's server has answered.
    pub(super) fn proven(&self) -> Option<SystemTime> {
        match self.shards.get() {
            Some(shards) => shards.proven(),
            None => self.session.proven_at(),
        }
    }
}
