//! Reports once what Redis refuses for as long as it, or a user's rights, are in a state: until the
//! same works again.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use tokio::time::{Duration, Instant};

/// The outages of one connection.
#[derive(Default)]
pub(super) struct Outages {
    // Whether one lasts: what works, which is much, looks at this alone.
    any: AtomicBool,
    // A plain mutex: one task takes it, and only when something has gone wrong.
    kinds: Mutex<HashMap<String, Outage>>,
}

struct Outage {
    // What was refused since it has begun, and whether any of it has worked since.
    commands: Vec<&'static str>,
    is_over: bool,
    // How many were reported since.
    reports: u32,
    since: Instant,
}

impl Outages {
    /// More kinds are not told apart.
    const MAX_KINDS: usize = 32;
    /// What comes and goes, as a lack of memory may, is reported at most this often ...
    const MAX_REPORTS: u32 = 10;
    /// ... within this time.
    const PERIOD: Duration = Duration::from_secs(60);

    /// Redis has refused `command`. Whether that is to be reported.
    pub(super) fn refused(&self, command: &'static str, reply: &str) -> bool {
        let mut kinds = self.kinds.lock().unwrap_or_else(PoisonError::into_inner);
        let mut kind = kind_of(command, reply);
        if kinds.len() >= Self::MAX_KINDS && !kinds.contains_key(&kind) {
            kind.clear();
        }
        self.any.store(true, Ordering::Relaxed);
        let outage = kinds.entry(kind).or_insert_with(|| Outage {
            commands: Vec::new(),
            is_over: true,
            reports: 0,
            since: Instant::now(),
        });
        let is_news = std::mem::take(&mut outage.is_over);
        if is_news {
            outage.commands.clear();
        }
        if !outage.commands.contains(&command) {
            outage.commands.push(command);
        }
        if is_news && outage.since.elapsed() >= Self::PERIOD {
            (outage.reports, outage.since) = (0, Instant::now());
        }
        outage.reports += u32::from(is_news);
        is_news && outage.reports <= Self::MAX_REPORTS
    }

    /// Redis has done `command`: what it was refused for is over.
    pub(super) fn worked(&self, command: &'static str) {
        if !self.any.load(Ordering::Relaxed) {
            return;
        }
        let mut kinds = self.kinds.lock().unwrap_or_else(PoisonError::into_inner);
        for outage in kinds.values_mut() {
            outage.is_over |= outage.commands.contains(&command);
        }
        self.any.store(kinds.values().any(|outage| !outage.is_over), Ordering::Relaxed);
    }
}

/// What is one outage: a state of the server, whatever was refused for it; else a command that is
/// refused on its own account.
fn kind_of(command: &str, reply: &str) -> String {
    match reply.split_whitespace().next().unwrap_or_default() {
        code @ ("NOPERM" | "ERR") => format!("{code} {command}"),
        code => code.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::{Duration, Outages};

    const FULL: &str = "OOM command not allowed";
    const FORBIDDEN: &str = "NOPERM this user has no permissions";

    #[test]
    fn an_outage_lasts_until_something_works_that_was_refused() {
        let outages = Outages::default();
        assert!(outages.refused("HSET", FULL));
        assert!(!outages.refused("HSET", FULL));
        assert!(!outages.refused("EXPIRE", FULL));
        outages.worked("HGET");
        assert!(!outages.refused("HSET", FULL));
        outages.worked("EXPIRE");
        assert!(outages.refused("HSET", FULL));
        // It was not refused in this one.
        outages.worked("EXPIRE");
        assert!(!outages.refused("HSET", FULL));
    }

    #[test]
    fn codes_are_apart_and_rights_by_command() {
        let outages = Outages::default();
        assert!(outages.refused("HSET", FULL));
        assert!(outages.refused("HSET", "MISCONF Redis is configured to save"));
        assert!(outages.refused("HSET", FORBIDDEN));
        assert!(outages.refused("PUBLISH", FORBIDDEN));
        assert!(!outages.refused("PUBLISH", FORBIDDEN));
        outages.worked("PUBLISH");
        assert!(outages.refused("PUBLISH", FORBIDDEN));
        assert!(!outages.refused("HSET", FORBIDDEN));
    }

    #[tokio::test(start_paused = true)]
    async fn what_comes_and_goes_is_reported_ten_times_a_minute() {
        let outages = Outages::default();
        let come_and_go = || {
            let reported = (0..100).filter(|_| {
                let reported = outages.refused("HSET", FULL);
                outages.worked("HSET");
                reported
            });
            reported.count()
        };
        assert_eq!(come_and_go(), 10);
        tokio::time::advance(Duration::from_secs(60)).await;
        assert_eq!(come_and_go(), 10);
    }

    #[test]
    fn kinds_are_bounded() {
        let outages = Outages::default();
        let reported = (0..1000).filter(|i| outages.refused("HSET", &format!("CODE{i}")));
        assert_eq!(reported.count(), Outages::MAX_KINDS + 1);
    }
}
