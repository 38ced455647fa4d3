//! What a server has confirmed and may not have passed on: it was not the right one any more, or it is
//! gone now and had no more time to.
//!
//! Where others say which server is the right one (Sentinels, the nodes of a cluster), their word counts: a
//! master that they have left may go on to call itself one. Where there are no others, the server's own word
//! counts. A server that says itself that it has changed is believed in either case.

use std::collections::VecDeque;
use std::time::SystemTime;

/// Publishes by the time at which they were confirmed, as far as it is not known that the server was
/// the right one then.
pub(super) struct Doubts {
    // Each until when, and how many.
    recent: VecDeque<(SystemTime, u64)>,
    count: u64,
    /// Until when the server has not changed, by its own word; at first, when it was connected to.
    pub(super) same_until: SystemTime,
    passing: Passing,
}

/// What a node of a cluster is known to have passed on to the others. It answers a publish first, and passes
/// it on before it answers what has come later: so an answer to a command that was sent behind others' answers
/// shows that it has passed those on.
struct Passing {
    confirmed: u64,
    passed_on: u64,
    // All others were confirmed after this.
    since: SystemTime,
    witness: Option<Witness>,
}

/// A command that is not answered yet.
struct Witness {
    // Its number among all commands.
    number: u64,
    // How many publishes had been confirmed when it was sent, and when that was.
    confirmed: u64,
    sent: SystemTime,
}

/// Publishes that a server has confirmed and may have passed on to nobody.
pub(super) struct Doubtful {
    /// Where it is.
    pub(super) endpoint: String,
    // If it is not the right one: since when it is not known to be, and how many it has confirmed since.
    left: (SystemTime, u64),
    // If it is gone: after when it has confirmed what it may not have passed on, and how many those are.
    last: (SystemTime, u64),
}

impl Doubtful {
    /// How many may not have been passed on, and since when.
    pub(super) fn lost(&self, is_left: bool, is_gone: bool) -> Option<(SystemTime, u64)> {
        let left = Some(self.left).filter(|_| is_left);
        let last = Some(self.last).filter(|_| is_gone);
        // Either are those that were confirmed last.
        let both = left.into_iter().chain(last).filter(|(_, count)| *count > 0);
        both.reduce(|(since, count), (other, more)| (since.min(other), count.max(more)))
    }
}

impl Default for Passing {
    fn default() -> Self {
        let (confirmed, passed_on, witness) = Default::default();
        Self { confirmed, passed_on, since: SystemTime::now(), witness }
    }
}

impl Default for Doubts {
    fn default() -> Self {
        let (recent, count, passing) = Default::default();
        Self { recent, count, same_until: SystemTime::now(), passing }
    }
}

impl Doubts {
    /// Further back, times are not kept apart.
    const MAX_TIMES: usize = 60;

    /// The server has confirmed a publish.
    pub(super) const fn published(&mut self) {
        self.count += 1;
        self.passing.confirmed += 1;
    }

    /// The command of this number is on its way.
    pub(super) fn sent(&mut self, number: u64) {
        let Passing { confirmed, passed_on, witness, .. } = &mut self.passing;
        if witness.is_none() && confirmed > passed_on {
            *witness = Some(Witness { number, confirmed: *confirmed, sent: SystemTime::now() });
        }
    }

    /// The command of this number has been answered.
    pub(super) fn answered(&mut self, number: u64) {
        if let Some(witness) = self.passing.witness.take_if(|witness| witness.number <= number) {
            self.passing.passed_on = witness.confirmed;
            self.passing.since = witness.sent;
        }
    }

    /// The server answers that it is what it was, to a question that was sent at this time. For `confirmed`,
    /// see [`Self::forget`].
    pub(super) fn is_same(&mut self, asked: SystemTime, confirmed: Option<SystemTime>) {
        self.same_until = asked;
        if confirmed.is_none() {
            self.recent.clear();
            self.count = 0;
        }
    }

    /// The server says that it is not what it was: how many it may not have passed on, and since when. They are
    /// not in doubt any more.
    pub(super) fn has_changed(&mut self, confirmed: Option<SystemTime>) -> (SystemTime, u64) {
        self.passing = Passing::default();
        self.take_left(confirmed)
    }

    /// Forgets what is beyond doubt: the server was the right one until `confirmed`, others say, or without
    /// it until the server itself has last said so.
    pub(super) fn forget(&mut self, confirmed: Option<SystemTime>) {
        let count = std::mem::take(&mut self.count);
        let right_until = confirmed.unwrap_or(self.same_until);
        self.recent.push_back((SystemTime::now(), count));
        self.recent.retain(|(until, _)| *until > right_until);
        if self.recent.len() > Self::MAX_TIMES
            && let Some((_, count)) = self.recent.pop_front()
            && let Some((_, next)) = self.recent.front_mut()
        {
            *next += count;
        }
    }

    fn take_left(&mut self, confirmed: Option<SystemTime>) -> (SystemTime, u64) {
        self.forget(confirmed);
        let count = self.recent.drain(..).map(|(_, count)| count).sum();
        (confirmed.unwrap_or(self.same_until), count)
    }

    /// What is in doubt when the connection ends: nothing where no others say which server is the right one.
    pub(super) fn take(
        &mut self,
        endpoint: &str,
        confirmed: Option<SystemTime>,
    ) -> Option<Doubtful> {
        let left = self.take_left(Some(confirmed?));
        let Passing { confirmed, passed_on, since, .. } = self.passing;
        let last = (since, confirmed - passed_on);
        let doubtful = Doubtful { endpoint: endpoint.to_owned(), left, last };
        doubtful.lost(true, true).map(|_| doubtful)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::time::{Duration, SystemTime};

    use super::Doubts;

    fn published(doubts: &mut Doubts, count: u64) {
        (0..count).for_each(|_| doubts.published());
    }

    fn taken(mut doubts: Doubts, confirmed: Option<SystemTime>) -> Option<u64> {
        doubts.take("test:6379", confirmed)?.lost(true, false).map(|(_, count)| count)
    }

    #[test]
    fn what_was_answered_before_a_command_was_sent_that_is_answered_is_not() {
        let mut doubts = Doubts::default();
        published(&mut doubts, 3);
        doubts.sent(6);
        published(&mut doubts, 2);
        // Another one does not tell of more before the first is answered.
        doubts.sent(7);
        let before = SystemTime::now();
        doubts.answered(5);
        assert_eq!(doubts.passing.passed_on, 0);
        doubts.answered(6);
        assert!(doubts.passing.since <= before);
        doubts.answered(7);
        let doubtful = doubts.take("test:6379", Some(SystemTime::now())).unwrap();
        assert_eq!(doubtful.lost(false, true).unwrap().1, 2);
        assert_eq!(doubtful.lost(false, false), None);
    }

    #[test]
    fn only_what_came_after_is_in_doubt() {
        let mut doubts = Doubts::default();
        published(&mut doubts, 3);
        let early = SystemTime::now() - Duration::from_secs(1);
        doubts.forget(Some(early));
        let between = SystemTime::now();
        published(&mut doubts, 4);
        assert_eq!(taken(doubts, Some(between)), Some(4));
    }

    #[test]
    fn all_is_while_nothing_was_confirmed() {
        let mut doubts = Doubts::default();
        let early = SystemTime::now() - Duration::from_secs(1);
        for _ in 0..=2 * Doubts::MAX_TIMES {
            published(&mut doubts, 1);
            doubts.forget(Some(early));
        }
        assert!(doubts.recent.len() <= Doubts::MAX_TIMES);
        assert_eq!(taken(doubts, Some(early)), Some(2 * Doubts::MAX_TIMES as u64 + 1));
    }

    #[test]
    fn a_server_that_has_changed_is_in_doubt_since_it_last_said_that_it_had_not() {
        let mut doubts = Doubts::default();
        published(&mut doubts, 3);
        doubts.forget(None);
        let asked = SystemTime::now();
        published(&mut doubts, 1);
        doubts.is_same(asked, None);
        published(&mut doubts, 4);
        doubts.forget(None);
        published(&mut doubts, 1);
        assert_eq!(doubts.has_changed(None), (asked, 5));
        assert!(doubts.take("test:6379", Some(asked)).is_none(), "it was told before");
    }

    #[test]
    fn the_word_of_others_counts_for_more_than_its_own() {
        let mut doubts = Doubts::default();
        let early = SystemTime::now() - Duration::from_secs(1);
        published(&mut doubts, 3);
        doubts.is_same(SystemTime::now(), Some(early));
        assert_eq!(doubts.has_changed(Some(early)), (early, 3));
    }

    #[test]
    fn nothing_is_where_nobody_confirms_or_nothing_was_published() {
        let mut doubts = Doubts::default();
        published(&mut doubts, 3);
        assert_eq!(taken(doubts, None), None);
        assert_eq!(taken(Doubts::default(), Some(SystemTime::now())), None);
    }
}
