//! The ids of entries.

use std::fmt;
use std::time::{Duration, SystemTime};

/// The id of an entry: when it was added, in ms of the server's clock, and a number among those of the
/// same ms. The default one is before all others.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Id {
    ms: u64,
    number: u64,
}

impl Id {
    /// Reads an id as Redis writes it; `None` where it is none.
    #[must_use]
    pub fn parse(text: &[u8]) -> Option<Self> {
        let (ms, number) = str::from_utf8(text).ok()?.split_once('-')?;
        let number_of = |text: &str| {
            text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten()
        };
        Some(Self { ms: number_of(ms)?, number: number_of(number)? })
    }

    /// The id right before this one.
    #[must_use]
    pub fn before(self) -> Self {
        match self.number.checked_sub(1) {
            Some(number) => Self { number, ..self },
            None if self.ms == 0 => self,
            None => Self { ms: self.ms - 1, number: u64::MAX },
        }
    }

    /// The id right behind this one.
    #[must_use]
    pub fn after(self) -> Self {
        match self.number.checked_add(1) {
            Some(number) => Self { number, ..self },
            None => Self { ms: self.ms.saturating_add(1), number: 0 },
        }
    }

    /// When the entry was added.
    #[must_use]
    pub fn time(self) -> SystemTime {
        SystemTime::UNIX_EPOCH
            .checked_add(Duration::from_millis(self.ms))
            .unwrap_or(SystemTime::UNIX_EPOCH)
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.ms, self.number)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::Id;

    #[test]
    fn ids_are_read_as_redis_writes_them_and_ordered_by_time() {
        let id = |text: &str| Id::parse(text.as_bytes());
        assert_eq!(id("1732801234567-3").unwrap().to_string(), "1732801234567-3");
        assert!(
            id("9-10") > id("9-9") && id("10-0") > id("9-10") && id("0-1") > Some(Id::default())
        );
        assert_eq!(id("9-1").unwrap().before().to_string(), "9-0");
        assert_eq!(id("9-0").unwrap().before().to_string(), "8-18446744073709551615");
        assert_eq!(Id::default().before(), Id::default());
        assert_eq!(id("9-0").unwrap().after().to_string(), "9-1");
        assert_eq!(id("8-18446744073709551615").unwrap().after().to_string(), "9-0");
        for wrong in ["", "1", "1-", "-1", "+1-1", "1-+1", "1-1-1", "a-1", "18446744073709551616-0"]
        {
            assert_eq!(id(wrong), None, "{wrong}");
        }
    }
}
