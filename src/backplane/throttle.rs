//! Reports the same thing once a minute, and how often it has happened.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use tokio::time::{Duration, Instant};

/// Counts what happens by kind.
#[derive(Default)]
pub(super) struct Throttle {
    // A plain mutex: one task takes it, and only when something has gone wrong.
    kinds: Mutex<HashMap<&'static str, Reported>>,
}

struct Reported {
    at: Instant,
    since: u64,
}

impl Throttle {
    /// One kind is reported at most this often.
    const QUIET: Duration = Duration::from_secs(60);

    /// Counts one more of `kind`; when it is time to report, returns how many there were since it
    /// was last reported.
    pub(super) fn count(&self, kind: &'static str) -> Option<u64> {
        let mut kinds = self.kinds.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let Some(reported) = kinds.get_mut(kind) else {
            kinds.insert(kind, Reported { at: now, since: 0 });
            return Some(1);
        };
        reported.since += 1;
        if now.duration_since(reported.at) < Self::QUIET {
            return None;
        }
        reported.at = now;
        Some(std::mem::take(&mut reported.since))
    }
}

#[cfg(test)]
mod tests {
    use super::{Duration, Throttle};

    #[tokio::test(start_paused = true)]
    async fn reports_each_kind_once_a_minute_with_the_count_since() {
        let throttle = Throttle::default();
        assert_eq!(throttle.count("json"), Some(1));
        assert_eq!(throttle.count("type"), Some(1));
        assert_eq!(throttle.count("json"), None);
        tokio::time::advance(Duration::from_secs(59)).await;
        assert_eq!(throttle.count("json"), None);
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(throttle.count("json"), Some(3));
        assert_eq!(throttle.count("json"), None);
    }
}
