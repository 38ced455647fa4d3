//! A time by two clocks.

use std::time::{Instant, SystemTime};

/// A time by the clock that others have too, and by one that nobody sets.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moment {
    pub(super) time: SystemTime,
    pub(super) instant: Instant,
}

impl Moment {
    pub(super) fn now() -> Self {
        // In this order it is never taken for later than it was.
        let instant = Instant::now();
        Self { time: SystemTime::now(), instant }
    }

    /// From then until now. Should the clock have been set meanwhile, what was published lies between these
    /// by the old time and by the new one.
    pub(super) fn until_now(self) -> (SystemTime, SystemTime) {
        let (now, elapsed) = (SystemTime::now(), self.instant.elapsed());
        let since = now.checked_sub(elapsed).map_or(self.time, |since| since.min(self.time));
        let until = self.time.checked_add(elapsed).map_or(now, |until| until.max(now));
        (since, until)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::time::{Duration, SystemTime};

    use super::Moment;

    #[test]
    fn a_clock_that_was_set_makes_it_longer() {
        let hour = Duration::from_secs(3600);
        let before = SystemTime::now();
        let (since, until) = Moment::now().until_now();
        assert!(before <= since && since <= until && until <= SystemTime::now());
        let moment = Moment::now();
        for time in [moment.time + hour, moment.time - hour] {
            let (since, until) = Moment { time, ..moment }.until_now();
            assert!(since <= time && until >= time);
            assert!(since <= moment.time && until >= moment.time);
            assert!(until.duration_since(since).unwrap() >= hour);
        }
    }
}
