//! Who is gone, and which silence is a gap.

use std::time::{Duration, SystemTime};

use super::{Beat, Kind, Member, News, Peers, Uids};

fn at(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
}

fn member(id: &str) -> Member {
    ("requests".to_owned(), format!("uid of {id}"))
}

fn beat(id: &str, seq: u64, kind: Kind) -> Beat {
    Beat { v: 1, id: id.to_owned(), seq, kind, members: vec![member(id)] }
}

fn peers() -> Peers {
    Peers::new("me".to_owned())
}

#[test]
fn a_peer_that_is_met_is_answered_and_known() {
    let mut peers = peers();
    assert!(!peers.knows_any());
    let news = peers.heard(beat("a", 5, Kind::Hello), at(0));
    assert_eq!(news, News { answer: true, ..News::default() });
    assert_eq!(peers.heard(beat("a", 6, Kind::Beat), at(1)), News::default());
    assert!(peers.knows_any());
    assert_eq!(peers.uids("requests").alive, ["uid of a"]);
    assert_eq!(peers.uids("others"), Uids::default());
}

#[test]
fn a_peer_is_gone_once_three_own_beats_have_come_and_none_of_its() {
    let mut peers = peers();
    peers.heard(beat("a", 1, Kind::Beat), at(0));
    for seq in 1..=2 {
        assert_eq!(peers.heard(beat("me", seq, Kind::Beat), at(seq)).left, []);
    }
    // However late: Redis was paused, or this process.
    peers.heard(beat("a", 2, Kind::Beat), at(100));
    for seq in 3..=4 {
        assert_eq!(peers.heard(beat("me", seq, Kind::Beat), at(100 + seq)).left, []);
    }
    assert_eq!(peers.heard(beat("me", 5, Kind::Beat), at(105)).left, [member("a")]);
    assert!(peers.knows_any(), "it may only be out of hearing");
    let Uids { alive, gone } = peers.uids("requests");
    assert_eq!((alive, gone), (vec![], vec!["uid of a".to_owned()]));
    // Said once.
    assert_eq!(peers.heard(beat("me", 6, Kind::Beat), at(106)), News::default());
    let news = peers.heard(beat("a", 9, Kind::Beat), at(107));
    assert_eq!(news, News { gap: Some(at(100)), ..News::default() });
}

#[test]
fn a_peer_that_says_bye_is_gone_at_once_and_leaves_no_gap() {
    let mut peers = peers();
    peers.heard(beat("a", 1, Kind::Beat), at(0));
    assert_eq!(peers.heard(beat("a", 2, Kind::Bye), at(1)).left, [member("a")]);
    assert_eq!(peers.heard(beat("a", 2, Kind::Bye), at(1)), News::default());
    assert_eq!(peers.heard(beat("a", 9, Kind::Hello), at(2)).gap, None);
}

#[test]
fn beats_that_are_missed_are_a_gap_since_the_last_one() {
    let mut peers = peers();
    peers.heard(beat("a", 1, Kind::Beat), at(10));
    assert_eq!(peers.heard(beat("a", 2, Kind::Beat), at(11)).gap, None);
    assert_eq!(peers.heard(beat("a", 4, Kind::Beat), at(13)).gap, Some(at(11)));
    // What is sent anew is no news.
    assert_eq!(peers.heard(beat("a", 4, Kind::Beat), at(14)), News::default());
    assert_eq!(peers.heard(beat("a", 3, Kind::Beat), at(14)), News::default());
    assert_eq!(peers.heard(beat("a", 5, Kind::Beat), at(14)).gap, None);
}

#[test]
fn own_beats_that_did_not_come_back_are_a_gap_once_redis_had_them() {
    let mut peers = peers();
    peers.heard(beat("me", 1, Kind::Beat), at(20));
    // One may be lost with the connection that publishes, and nothing with it that was for this process.
    assert_eq!(peers.heard(beat("me", 3, Kind::Beat), at(22)).gap, None);
    peers.parted();
    assert_eq!(peers.heard(beat("me", 9, Kind::Beat), at(30)).gap, Some(at(22)));
    assert_eq!(peers.heard(beat("me", 11, Kind::Beat), at(31)).gap, None);
}

#[test]
fn own_beats_that_come_back_at_once_are_one_tick_of_the_clock() {
    let mut peers = peers();
    peers.heard(beat("a", 1, Kind::Beat), at(0));
    // Answers to others that have come, say.
    for seq in 1..=9 {
        assert_eq!(peers.heard(beat("me", seq, Kind::Beat), at(1)).left, []);
    }
    assert_eq!(peers.heard(beat("me", 10, Kind::Beat), at(2)).left, []);
    assert_eq!(peers.heard(beat("me", 11, Kind::Beat), at(3)).left, [member("a")]);
}

#[test]
fn a_gap_of_the_session_begins_with_the_last_beat_of_a_peer() {
    let mut peers = peers();
    assert_eq!(peers.told(at(3), at(4)), at(3));
    peers.heard(beat("a", 1, Kind::Beat), at(10));
    peers.heard(beat("b", 1, Kind::Beat), at(11));
    // It may have been on another server since.
    assert_eq!(peers.told(at(12), at(14)), at(10));
    assert_eq!(peers.heard(beat("a", 4, Kind::Beat), at(15)).gap, None);
    for seq in 1..=3 {
        peers.heard(beat("me", seq, Kind::Beat), at(15 + seq));
    }
    // What is gone does not count: it tells of its own gap.
    assert_eq!(peers.told(at(30), at(31)), at(30));
    assert_eq!(peers.heard(beat("b", 9, Kind::Beat), at(32)).gap, Some(at(11)));
}

#[test]
fn what_peers_hold_is_bounded() {
    let mut peers = peers();
    let members = vec![("x".repeat(1000), "u".to_owned()); 250];
    for number in 0..100 {
        let id = number.to_string();
        peers.heard(Beat { members: members.clone(), ..beat(&id, 1, Kind::Hello) }, at(0));
    }
    assert!((20..40).contains(&peers.known.len()), "{}", peers.known.len());
    // Those that leave make room.
    peers.heard(beat("0", 2, Kind::Bye), at(1));
    peers.heard(beat("1", 2, Kind::Beat), at(1));
    let known = peers.known.len();
    peers.heard(Beat { members, ..beat("new", 1, Kind::Hello) }, at(1));
    assert_eq!(peers.known.len(), known + 1);
}

#[test]
fn a_gap_is_told_once() {
    let mut peers = peers();
    for id in ["a", "b", "c"] {
        peers.heard(beat(id, 1, Kind::Beat), at(10));
    }
    peers.heard(beat("d", 1, Kind::Beat), at(8));
    peers.heard(beat("e", 1, Kind::Beat), at(9));
    // Since the last beat of those that were lost together.
    assert_eq!(peers.heard(beat("a", 3, Kind::Beat), at(20)).gap, Some(at(9)));
    assert_eq!(peers.heard(beat("e", 3, Kind::Beat), at(20)).gap, None);
    assert_eq!(peers.heard(beat("b", 3, Kind::Beat), at(21)).gap, None);
    // It reaches further back, or comes much later.
    assert_eq!(peers.heard(beat("d", 3, Kind::Beat), at(21)).gap, Some(at(8)));
    assert_eq!(peers.heard(beat("c", 3, Kind::Beat), at(30)).gap, Some(at(10)));
    // The session has told of it.
    peers.told(at(29), at(40));
    assert_eq!(peers.heard(beat("c", 9, Kind::Beat), at(41)).gap, None);
}

#[test]
fn the_number_of_peers_is_bounded() {
    let mut peers = peers();
    for number in 0..2000 {
        peers.heard(beat(&number.to_string(), 1, Kind::Beat), at(0));
    }
    assert_eq!(peers.uids("requests").alive.len(), 1000);
    for seq in 1..=3 {
        peers.heard(beat("me", seq, Kind::Beat), at(seq));
    }
    // The dead make room.
    peers.heard(beat("new", 1, Kind::Beat), at(9));
    assert_eq!(peers.uids("requests").alive, ["uid of new"]);
}

#[test]
fn namespaces_come_and_go() {
    let mut peers = peers();
    peers.heard(beat("a", 1, Kind::Beat), at(0));
    let members = vec![member("b")];
    let news = peers.heard(Beat { members, ..beat("a", 2, Kind::Beat) }, at(1));
    assert_eq!(news.left, [member("a")]);
    assert_eq!(peers.uids("requests").alive, ["uid of b"]);
}
