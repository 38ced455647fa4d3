//! Which of the Sentinels' answers counts, where they do not all say the same.

use std::time::SystemTime;

use super::super::endpoint::Address;

/// A master, and how new what is known of it is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Named {
    /// Where it is, as the address map has it.
    pub(super) master: Address,
    /// Its `config-epoch`, which each failover raises; 0 where the Sentinel does not say.
    pub(super) epoch: u64,
}

/// What a Sentinel has said.
#[derive(Debug, Clone)]
pub(super) struct Answer {
    /// The Sentinel's own id, where it says it: it may be known by several addresses.
    pub(super) id: Option<String>,
    pub(super) named: Named,
    /// How many Sentinels there are, itself too.
    pub(super) sentinels: usize,
    /// When it was asked.
    pub(super) asked: SystemTime,
}

/// All that name one master.
struct Group<'a> {
    master: &'a Address,
    votes: usize,
    epoch: u64,
    sentinels: usize,
}

impl Group<'_> {
    const fn is_majority_of(&self, all: usize) -> bool {
        self.votes * 2 > all
    }

    fn named(&self) -> Named {
        Named { master: self.master.clone(), epoch: self.epoch }
    }
}

fn groups<'a>(answers: &[&'a Answer]) -> Vec<Group<'a>> {
    let mut groups: Vec<Group<'a>> = Vec::new();
    for Answer { named, sentinels, .. } in answers {
        let index = groups.iter().position(|group| *group.master == named.master);
        match index.and_then(|index| groups.get_mut(index)) {
            Some(group) => {
                group.votes += 1;
                group.epoch = group.epoch.max(named.epoch);
                group.sentinels = group.sentinels.max(*sentinels);
            }
            None => groups.push(Group {
                master: &named.master,
                votes: 1,
                epoch: named.epoch,
                sentinels: *sentinels,
            }),
        }
    }
    groups
}

/// The master, as `answers` have it; `current` is what they had before. What most of them say
/// counts, since one may lie; where no answer has a majority, the newest does. Few that are behind
/// change nothing: they may be cut off from the others.
pub(super) fn decide(answers: &[&Answer], current: Option<&Named>) -> Option<Named> {
    let groups = groups(answers);
    let largest = groups.iter().max_by_key(|group| (group.votes, group.epoch))?;
    let newest = groups.iter().max_by_key(|group| (group.epoch, group.votes))?;
    let Some(current) = current else {
        let group = if largest.is_majority_of(answers.len()) { largest } else { newest };
        return Some(group.named());
    };
    let is_behind = largest.epoch < current.epoch && largest.master != &current.master;
    if largest.is_majority_of(largest.sentinels)
        || (largest.is_majority_of(answers.len()) && !is_behind)
    {
        return Some(largest.named());
    }
    let is_newer = newest.epoch > current.epoch && !largest.is_majority_of(answers.len());
    Some(if is_newer { newest.named() } else { current.clone() })
}

/// Whether most of all Sentinels say the same.
pub(super) fn is_settled(answers: &[&Answer]) -> bool {
    groups(answers).iter().any(|group| group.is_majority_of(group.sentinels))
}

/// Until when `named` was known to be the master: most of all Sentinels have said so since, and none
/// of those that answer knows of a later one.
pub(super) fn confirmed(answers: &[&Answer], named: &Named) -> Option<SystemTime> {
    let (same, others): (Vec<&Answer>, Vec<&Answer>) =
        answers.iter().partition(|answer| answer.named.master == named.master);
    if others.iter().any(|other| other.named.epoch > named.epoch) {
        return None;
    }
    let sentinels = same.iter().map(|answer| answer.sentinels).max()?;
    let mut asked: Vec<_> = same.iter().map(|answer| answer.asked).collect();
    asked.sort_unstable_by(|a, b| b.cmp(a));
    asked.get(sentinels / 2).copied()
}

#[cfg(test)]
#[path = "votes_tests.rs"]
mod tests;
