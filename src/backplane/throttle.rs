//! Telling the same thing once a minute, and how often it has happened.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use tokio::time::{Duration, Instant};

/// Counts what happens by kind.
#[derive(Default)]
pub(super) struct Throttle {
    // A plain mutex: one task takes it, and only when something has gone wrong.
    kinds: Mutex<HashMap<&'static str, Told>>,
}

struct Told {
    at: Instant,
    since: u64,
}

impl Throttle {
    /// One kind is told at most this often.
    const QUIET: Duration = Duration::from_secs(60);

    /// Counts one more of `kind`; when it is time to tell, returns how many there were since it
    /// was last told.
    pub(super) fn count(&self, kind: &'static str) -> Option<u64> {
        let mut kinds = self.kinds.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let Some(told) = kinds.get_mut(kind) else {
            kinds.insert(kind, Told { at: now, since: 0 });
            return Some(1);
        };
        told.since += 1;
        if now.duration_since(told.at) < Self::QUIET {
            return None;
        }
        told.at = now;
        Some(std::mem::take(&mut told.since))
    }
}

#[cfg(test)]
mod tests {
    use super::{Duration, Throttle};

    #[tokio::test(start_paused = true)]
    async fn tells_each_kind_once_a_minute_with_the_count_since() {
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
