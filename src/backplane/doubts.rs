//! What a server has confirmed that may have been left by the others before: it reached nobody there.

use std::collections::VecDeque;
use std::time::SystemTime;

/// Publishes by the time at which they were confirmed, as far as it is not known that the server was
/// the right one then.
#[derive(Default)]
pub(super) struct Doubts {
    // Each until when, and how many.
    recent: VecDeque<(SystemTime, u64)>,
    count: u64,
    /// Whether the server is known to be the wrong one.
    pub(super) is_certain: bool,
}

/// Publishes that a server has confirmed which may not have been the right one.
pub(super) struct Doubtful {
    /// Where it is.
    pub(super) endpoint: String,
    /// When it was known to be the right one for the last time.
    pub(super) since: SystemTime,
    pub(super) count: u64,
    /// Whether the server is known to have been the wrong one.
    pub(super) is_certain: bool,
}

impl Doubts {
    /// Further back, times are not kept apart.
    const MAX_TIMES: usize = 60;

    /// The server has confirmed a publish.
    pub(super) const fn published(&mut self) {
        self.count += 1;
    }

    /// Forgets what is beyond doubt: the server was the right one until `confirmed`; without it, nothing
    /// is in doubt.
    pub(super) fn forget(&mut self, confirmed: Option<SystemTime>) {
        let count = std::mem::take(&mut self.count);
        let Some(confirmed) = confirmed else { return self.recent.clear() };
        self.recent.push_back((SystemTime::now(), count));
        self.recent.retain(|(until, _)| *until > confirmed);
        if self.recent.len() > Self::MAX_TIMES
            && let Some((_, count)) = self.recent.pop_front()
            && let Some((_, next)) = self.recent.front_mut()
        {
            *next += count;
        }
    }

    /// What is in doubt when the connection ends.
    pub(super) fn take(
        &mut self,
        endpoint: &str,
        confirmed: Option<SystemTime>,
    ) -> Option<Doubtful> {
        self.forget(confirmed);
        let (since, endpoint) = (confirmed?, endpoint.to_owned());
        let count = self.recent.drain(..).map(|(_, count)| count).sum();
        Some(Doubtful { endpoint, since, count, is_certain: self.is_certain })
            .filter(|doubtful| doubtful.count > 0)
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use super::Doubts;

    fn published(doubts: &mut Doubts, count: u64) {
        (0..count).for_each(|_| doubts.published());
    }

    fn taken(mut doubts: Doubts, confirmed: Option<SystemTime>) -> Option<u64> {
        doubts.take("test:6379", confirmed).map(|doubtful| doubtful.count)
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
    fn nothing_is_where_nobody_confirms_or_nothing_was_published() {
        let mut doubts = Doubts::default();
        published(&mut doubts, 3);
        assert_eq!(taken(doubts, None), None);
        assert_eq!(taken(Doubts::default(), Some(SystemTime::now())), None);
    }
}
