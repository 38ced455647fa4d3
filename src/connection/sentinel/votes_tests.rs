use std::time::{Duration, SystemTime};

use super::super::super::endpoint::Address;
use super::{Answer, Named, confirmed, decide, is_settled};

fn named(master: &str, epoch: u64) -> Named {
    Named { master: Address { host: master.to_owned(), port: 6379 }, epoch }
}

fn at(second: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(second)
}

/// One of three Sentinels.
fn answer(master: &str, epoch: u64, second: u64) -> Answer {
    Answer { id: None, named: named(master, epoch), sentinels: 3, asked: at(second) }
}

/// What becomes of `a 5`, a name and an epoch for each answer, with `current` before.
fn decided(answers: &str, current: Option<(&str, u64)>) -> Option<(String, u64)> {
    let mut words = answers.split_whitespace();
    let mut all = Vec::new();
    while let (Some(master), Some(epoch)) = (words.next(), words.next()) {
        all.push(answer(master, epoch.parse().unwrap(), 0));
    }
    let current = current.map(|(master, epoch)| named(master, epoch));
    let decided = decide(&all.iter().collect::<Vec<_>>(), current.as_ref())?;
    Some((decided.master.host, decided.epoch))
}

#[test]
fn most_answers_win_then_the_newest() {
    for (answers, current, expected) in [
        ("", None, None),
        ("", Some(("a", 5)), None),
        ("a 5", None, Some(("a", 5))),
        ("a 5 a 5 b 4", None, Some(("a", 5))),
        // One lies, whatever it claims.
        ("a 5 a 5 b 900", None, Some(("a", 5))),
        ("a 5 a 5 b 900", Some(("a", 5)), Some(("a", 5))),
        // Two disagree.
        ("a 5 b 6", None, Some(("b", 6))),
        ("a 5 b 6", Some(("a", 5)), Some(("b", 6))),
        ("a 5 b 6", Some(("b", 6)), Some(("b", 6))),
        ("a 5 b 5", Some(("b", 5)), Some(("b", 5))),
        // A failover spreads.
        ("a 5 a 5 b 6", Some(("a", 5)), Some(("a", 5))),
        ("a 5 b 6 b 6", Some(("a", 5)), Some(("b", 6))),
        // One that is cut off does not know of it, and is alone.
        ("a 5", Some(("b", 6)), Some(("b", 6))),
        ("a 7", Some(("b", 6)), Some(("a", 7))),
        // All were set up anew.
        ("a 0 a 0 a 0", Some(("b", 6)), Some(("a", 0))),
        ("a 7", Some(("a", 6)), Some(("a", 7))),
    ] {
        let expected = expected.map(|(master, epoch): (&str, u64)| (master.to_owned(), epoch));
        assert_eq!(decided(answers, current), expected, "{answers} after {current:?}");
    }
}

#[test]
fn most_of_all_sentinels_confirm() {
    let [a, b, c] = [answer("a", 5, 3), answer("a", 5, 1), answer("a", 5, 2)];
    let master = named("a", 5);
    // Not by one alone, which may be cut off from the others.
    assert_eq!(confirmed(&[&a], &master), None);
    // Two have said so since.
    assert_eq!(confirmed(&[&a, &b], &master), Some(at(1)));
    assert_eq!(confirmed(&[&a, &b, &c], &master), Some(at(2)));
    // One that is behind does not matter; one that is ahead does.
    assert_eq!(confirmed(&[&a, &b, &answer("b", 4, 3)], &master), Some(at(1)));
    assert_eq!(confirmed(&[&a, &b, &answer("b", 6, 3)], &master), None);
    assert_eq!(confirmed(&[&answer("b", 6, 3)], &master), None);
}

#[test]
fn is_settled_by_most_of_all() {
    let [a, b] = [answer("a", 5, 0), answer("b", 5, 0)];
    assert!(!is_settled(&[]));
    assert!(!is_settled(&[&a]));
    assert!(!is_settled(&[&a, &b]));
    assert!(is_settled(&[&a, &b, &a]));
}
