//! The pauses between attempts to reconnect.

use std::time::{Duration, Instant};

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};

/// Exponential pauses with jitter, from 50 to 800 ms, without end: all is well again within a second.
/// There is none before the first attempt after a connection that has lasted.
#[derive(Debug)]
pub struct Backoff {
    pauses: ExponentialBackoff,
    attempt: u32,
    is_at_once: bool,
}

impl Backoff {
    const SHORTEST: Duration = Duration::from_millis(50);
    // The jitter adds up to as much again, hence at most 800 ms.
    const LONGEST: Duration = Duration::from_millis(400);
    /// A server that ends connections sooner is not to be asked again without a pause.
    const LASTING: Duration = Duration::from_millis(100);

    /// Starts anew.
    #[must_use]
    pub fn new() -> Self {
        let builder = ExponentialBuilder::default()
            .with_min_delay(Self::SHORTEST)
            .with_max_delay(Self::LONGEST)
            .with_factor(2.0)
            .with_jitter()
            .without_max_times();
        Self { pauses: builder.build(), attempt: 0, is_at_once: false }
    }

    /// Starts anew, after a connection that has worked since `since`.
    #[must_use]
    pub fn after(since: Instant) -> Self {
        Self { is_at_once: since.elapsed() >= Self::LASTING, ..Self::new() }
    }

    /// Counts a failed attempt: its number and the pause to make before the next one.
    pub fn next_pause(&mut self) -> (u32, Duration) {
        self.attempt = self.attempt.saturating_add(1);
        if std::mem::take(&mut self.is_at_once) {
            return (self.attempt, Duration::ZERO);
        }
        (self.attempt, self.pauses.next().unwrap_or(Self::LONGEST))
    }
}

impl Default for Backoff {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::time::{Duration, Instant};

    use super::Backoff;

    #[test]
    fn the_first_attempt_after_a_connection_that_lasted_is_at_once() {
        let long_ago = Instant::now().checked_sub(Duration::from_secs(1)).unwrap();
        let mut backoff = Backoff::after(long_ago);
        assert_eq!(backoff.next_pause(), (1, Duration::ZERO));
        let (attempt, pause) = backoff.next_pause();
        assert!(attempt == 2 && pause.as_millis() >= 50, "{pause:?}");
        let (_, pause) = Backoff::after(Instant::now()).next_pause();
        assert!(pause.as_millis() >= 50, "{pause:?}");
    }

    #[test]
    fn pauses_grow_from_50_to_800_ms_and_never_end() {
        let mut backoff = Backoff::new();
        let mut longest = 0;
        for expected in 1..=1000 {
            let (attempt, pause) = backoff.next_pause();
            assert_eq!(attempt, expected);
            let pause = pause.as_millis();
            assert!((50..=800).contains(&pause), "{pause}");
            longest = longest.max(pause);
        }
        assert!(longest > 400);
        let (_, first) = Backoff::new().next_pause();
        assert!(first.as_millis() <= 100);
    }
}
