//! What Redis owes an answer to on one connection.

use std::collections::VecDeque;

use super::moment::Moment;
use super::op::Op;
use super::push::Push;

/// A command that was written.
pub(super) enum Owed {
    /// A change of a subscription.
    Op(Op),
    /// A ping that was sent at this time.
    Ping(Moment),
}

/// The commands that are not answered, in order. Every command has its place here, pings too: an error
/// answers the oldest of them.
pub(super) struct Unanswered {
    commands: VecDeque<Owed>,
    // How many of the first subscriptions are among them or not written yet: what was wanted when the
    // connection was opened. Later changes do not count, since some may always be under way.
    to_restore: usize,
}

impl Unanswered {
    /// None yet; so many subscriptions are to be restored.
    pub(super) const fn new(to_restore: usize) -> Self {
        Self { commands: VecDeque::new(), to_restore }
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.commands.len()
    }

    /// Whether there are none.
    pub(super) fn is_empty(&self) -> bool {
        self.commands.is_empty()
    }

    /// Adds one that is written next.
    pub(super) fn push(&mut self, owed: Owed) {
        self.commands.push_back(owed);
    }

    /// Whether all that was wanted when the connection was opened is answered.
    pub(super) const fn is_restored(&self) -> bool {
        self.to_restore == 0
    }

    /// Something else is wanted in the place of a subscription that was to be restored: all that is unanswered
    /// now, and `unsent` changes more, are to be restored as well.
    pub(super) fn restore(&mut self, unsent: usize) {
        let changes = self.commands.iter().filter(|owed| matches!(owed, Owed::Op(_)));
        self.to_restore = changes.count() + unsent;
    }

    /// Takes the oldest one, whatever it is.
    pub(super) fn take(&mut self) -> Option<Owed> {
        let owed = self.commands.pop_front()?;
        if let Owed::Op(_) = owed {
            self.to_restore = self.to_restore.saturating_sub(1);
        }
        Some(owed)
    }

    /// Takes the oldest one, if it is a ping. Returns when that was sent.
    pub(super) fn take_ping(&mut self) -> Option<Moment> {
        let Some(&Owed::Ping(sent)) = self.commands.front() else { return None };
        self.commands.pop_front();
        Some(sent)
    }

    /// Takes the oldest one, if it is the change that `push` confirms.
    pub(super) fn take_op(&mut self, push: &Push<'_>) -> Option<Op> {
        let Some(Owed::Op(op)) = self.commands.front() else { return None };
        if !push.confirms(op) {
            return None;
        }
        match self.take() {
            Some(Owed::Op(op)) => Some(op),
            _ => None,
        }
    }

    /// Takes all changes.
    pub(super) fn take_ops(&mut self) -> impl Iterator<Item = Op> {
        self.commands.drain(..).filter_map(|owed| match owed {
            Owed::Op(op) => Some(op),
            Owed::Ping(_) => None,
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::{Moment, Op, Owed, Push, Unanswered};
    use crate::pubsub::op::Kind;

    fn subscribe(name: &str) -> Owed {
        Owed::Op(Op::Subscribe(Kind::Channel, name.into(), 1))
    }

    #[test]
    fn an_answer_that_is_not_owed_takes_nothing() {
        let mut unanswered = Unanswered::new(1);
        unanswered.push(subscribe("a"));
        assert!(unanswered.take_ping().is_none(), "no ping is before it");
        for push in [
            Push::Subscribed(Kind::Channel, b"b"),
            Push::Subscribed(Kind::Pattern, b"a"),
            Push::Unsubscribed(Kind::Channel, b"a"),
        ] {
            assert!(unanswered.take_op(&push).is_none());
        }
        assert!(!unanswered.is_restored());
        assert!(unanswered.take_op(&Push::Subscribed(Kind::Channel, b"a")).is_some());
        assert!(unanswered.is_restored() && unanswered.is_empty());
    }

    #[test]
    fn pings_do_not_count_as_restored_and_later_changes_neither() {
        let mut unanswered = Unanswered::new(1);
        unanswered.push(Owed::Ping(Moment::now()));
        unanswered.push(subscribe("a"));
        assert!(matches!(unanswered.take(), Some(Owed::Ping(_))));
        assert!(!unanswered.is_restored());
        assert!(matches!(unanswered.take(), Some(Owed::Op(_))));
        unanswered.push(subscribe("b"));
        assert!(unanswered.is_restored());
        unanswered.restore(1);
        assert!(matches!(unanswered.take(), Some(Owed::Op(_))));
        assert!(!unanswered.is_restored(), "one is not written yet");
    }
}
