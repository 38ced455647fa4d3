//! The pauses between attempts to reconnect.

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};

/// Exponential pauses with jitter, from 50 to 800 ms, without end: all is well again within a second.
#[derive(Debug)]
pub struct Backoff {
    pauses: ExponentialBackoff,
    attempt: u32,
}

impl Backoff {
    const SHORTEST: Duration = Duration::from_millis(50);
    // The jitter adds up to as much again, hence at most 800 ms.
    const LONGEST: Duration = Duration::from_millis(400);

    /// Starts anew, as after a connection that worked.
    #[must_use]
    pub fn new() -> Self {
        let builder = ExponentialBuilder::default()
            .with_min_delay(Self::SHORTEST)
            .with_max_delay(Self::LONGEST)
            .with_factor(2.0)
            .with_jitter()
            .without_max_times();
        Self { pauses: builder.build(), attempt: 0 }
    }

    /// Counts a failed attempt: its number and the pause to make before the next one.
    pub fn next_pause(&mut self) -> (u32, Duration) {
        self.attempt = self.attempt.saturating_add(1);
        (self.attempt, self.pauses.next().unwrap_or(Self::LONGEST))
    }
}

impl Default for Backoff {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::Backoff;

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
