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

/// What was refused and is lost.
#[derive(Debug, PartialEq, Eq, Clone, Copy)]
pub(super) struct Lost {
    pub(super) count: u64,
    /// When the oldest of it had been queued.
    pub(super) since: Instant,
}

struct Outage {
    lost: Option<Lost>,
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

    /// Redis has refused `command`, which was queued then. Whether that is to be reported.
    pub(super) fn refused(&self, command: &'static str, reply: &str, queued: Instant) -> bool {
        let mut kinds = self.kinds.lock().unwrap_or_else(PoisonError::into_inner);
        let mut kind = kind_of(command, reply);
        if kinds.len() >= Self::MAX_KINDS && !kinds.contains_key(&kind) {
            kind.clear();
        }
        self.any.store(true, Ordering::Relaxed);
        let outage = kinds.entry(kind).or_insert_with(|| Outage {
            lost: None,
            commands: Vec::new(),
            is_over: true,
            reports: 0,
            since: Instant::now(),
        });
        let lost = outage.lost.get_or_insert(Lost { count: 0, since: queued });
        lost.count += 1;
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

    /// Redis has done `command`: what it was refused for is over. What was lost meanwhile.
    pub(super) fn worked(&self, command: &'static str) -> Option<Lost> {
        if !self.any.load(Ordering::Relaxed) {
            return None;
        }
        self.end(|outage| outage.commands.contains(&command))
    }

    /// Nothing will work any more. What is lost and was not told.
    pub(super) fn closed(&self) -> Option<Lost> {
        self.end(|_| true)
    }

    fn end(&self, is_over: impl Fn(&Outage) -> bool) -> Option<Lost> {
        let mut kinds = self.kinds.lock().unwrap_or_else(PoisonError::into_inner);
        let mut all: Option<Lost> = None;
        for outage in kinds.values_mut().filter(|outage| is_over(outage)) {
            outage.is_over = true;
            let Some(Lost { count, since }) = outage.lost.take() else { continue };
            let all = all.get_or_insert(Lost { count: 0, since });
            (all.count, all.since) = (all.count + count, all.since.min(since));
        }
        self.any.store(kinds.values().any(|outage| !outage.is_over), Ordering::Relaxed);
        all
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
    use super::{Duration, Instant, Lost, Outages};

    fn refused(outages: &Outages, command: &'static str, reply: &str) -> bool {
        outages.refused(command, reply, Instant::now())
    }

    const FULL: &str = "OOM command not allowed";
    const FORBIDDEN: &str = "NOPERM this user has no permissions";

    #[test]
    fn an_outage_lasts_until_something_works_that_was_refused() {
        let outages = Outages::default();
        assert!(refused(&outages, "HSET", FULL));
        assert!(!refused(&outages, "HSET", FULL));
        assert!(!refused(&outages, "EXPIRE", FULL));
        outages.worked("HGET");
        assert!(!refused(&outages, "HSET", FULL));
        outages.worked("EXPIRE");
        assert!(refused(&outages, "HSET", FULL));
        // It was not refused in this one.
        outages.worked("EXPIRE");
        assert!(!refused(&outages, "HSET", FULL));
    }

    #[test]
    fn codes_are_apart_and_rights_by_command() {
        let outages = Outages::default();
        assert!(refused(&outages, "HSET", FULL));
        assert!(refused(&outages, "HSET", "MISCONF Redis is configured to save"));
        assert!(refused(&outages, "HSET", FORBIDDEN));
        assert!(refused(&outages, "PUBLISH", FORBIDDEN));
        assert!(!refused(&outages, "PUBLISH", FORBIDDEN));
        outages.worked("PUBLISH");
        assert!(refused(&outages, "PUBLISH", FORBIDDEN));
        assert!(!refused(&outages, "HSET", FORBIDDEN));
    }

    #[tokio::test(start_paused = true)]
    async fn what_comes_and_goes_is_reported_ten_times_a_minute() {
        let outages = Outages::default();
        let come_and_go = || {
            let reported = (0..100).filter(|_| {
                let reported = refused(&outages, "HSET", FULL);
                outages.worked("HSET");
                reported
            });
            reported.count()
        };
        assert_eq!(come_and_go(), 10);
        tokio::time::advance(Duration::from_secs(60)).await;
        assert_eq!(come_and_go(), 10);
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_lost_is_told_at_the_end() {
        let outages = Outages::default();
        let since = Instant::now();
        refused(&outages, "HSET", FULL);
        tokio::time::advance(Duration::from_secs(1)).await;
        refused(&outages, "HSET", FULL);
        refused(&outages, "PUBLISH", FORBIDDEN);
        assert_eq!(outages.worked("HGET"), None);
        assert_eq!(outages.worked("HSET"), Some(Lost { count: 2, since }));
        assert_eq!(outages.worked("HSET"), None);
        let since = since + Duration::from_secs(1);
        assert_eq!(outages.closed(), Some(Lost { count: 1, since }));
        assert_eq!(outages.closed(), None);
    }

    #[test]
    fn kinds_are_bounded() {
        let outages = Outages::default();
        let reported = (0..1000).filter(|i| refused(&outages, "HSET", &format!("CODE{i}")));
        assert_eq!(reported.count(), Outages::MAX_KINDS + 1);
    }
}
