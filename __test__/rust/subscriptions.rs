//! Wanted against confirmed subscriptions, and the router.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::items_after_statements
)]

use std::collections::HashSet;

use socket_io_redis_native::pubsub::{Op, Subscriptions};
use socket_io_redis_native::wire::store09::Shape;

fn names(ops: &[Op]) -> Vec<String> {
    let name = |op: &Op| match op {
        Op::Subscribe(name) => format!("+{name}"),
        Op::Unsubscribe(name, _) => format!("-{name}"),
    };
    ops.iter().map(name).collect()
}

fn confirm_all(subscriptions: &mut Subscriptions) -> Vec<u32> {
    std::iter::from_fn(|| subscriptions.confirm()).flat_map(|(_, tickets)| tickets).collect()
}

#[test]
fn routes_by_name_and_never_reuses_a_number() {
    let mut subscriptions = Subscriptions::default();
    let dispatch = subscriptions.subscribe("dispatch", Shape::Dispatch, None);
    let join = subscriptions.subscribe("join", Shape::Any, None);
    assert_ne!(dispatch.channel, join.channel);
    assert_eq!(subscriptions.subscribe("join", Shape::Any, None), join);
    assert_eq!(subscriptions.route(b"dispatch"), Some(dispatch));
    assert_eq!(subscriptions.route(b"join"), Some(join));
    assert_eq!(subscriptions.route(b"joi"), None);
    assert_eq!(subscriptions.route(b"\xff"), None);
    subscriptions.unsubscribe("join", None);
    assert_eq!(subscriptions.route(b"join"), None);
    let again = subscriptions.subscribe("join", Shape::Any, None);
    assert!(again.channel > join.channel);
}

#[test]
fn asks_for_all_that_is_wanted_once_online() {
    let mut subscriptions = Subscriptions::default();
    subscriptions.subscribe("a", Shape::Any, Some(1));
    subscriptions.subscribe("b", Shape::Any, Some(2));
    subscriptions.subscribe("b", Shape::Any, Some(3));
    assert!(subscriptions.take_unsent(100).is_empty());
    subscriptions.online();
    assert!(!subscriptions.settled());
    let asked: HashSet<_> = names(&subscriptions.take_unsent(100)).into_iter().collect();
    assert_eq!(asked, HashSet::from(["+a".to_owned(), "+b".to_owned()]));
    let mut tickets = confirm_all(&mut subscriptions);
    tickets.sort_unstable();
    assert_eq!(tickets, [1, 2, 3]);
    assert!(subscriptions.settled());
}

#[test]
fn keeps_the_order_of_changes_while_online() {
    let mut subscriptions = Subscriptions::default();
    subscriptions.online();
    subscriptions.subscribe("a", Shape::Any, Some(1));
    assert_eq!(subscriptions.unsubscribe("a", Some(2)), [1]);
    subscriptions.subscribe("a", Shape::Any, Some(3));
    assert_eq!(names(&subscriptions.take_unsent(2)), ["+a", "-a"]);
    assert_eq!(names(&subscriptions.take_unsent(2)), ["+a"]);
    // The first confirmation already answers whoever waits for the channel.
    assert_eq!(confirm_all(&mut subscriptions), [3, 2]);
    assert!(subscriptions.confirm().is_none());
}

#[test]
fn an_outage_settles_those_who_leave_and_keeps_those_who_wait() {
    let mut subscriptions = Subscriptions::default();
    subscriptions.online();
    subscriptions.subscribe("stays", Shape::Any, Some(1));
    subscriptions.subscribe("goes", Shape::Any, None);
    subscriptions.take_unsent(100);
    subscriptions.unsubscribe("goes", Some(2));
    assert_eq!(subscriptions.offline(), [2]);
    // Offline there is nothing to leave.
    subscriptions.subscribe("brief", Shape::Any, Some(3));
    assert_eq!(subscriptions.unsubscribe("brief", Some(4)), [3, 4]);
    assert_eq!(subscriptions.unsubscribe("never", Some(5)), [5]);
    subscriptions.online();
    assert_eq!(names(&subscriptions.take_unsent(100)), ["+stays"]);
    assert_eq!(confirm_all(&mut subscriptions), [1]);
}

#[test]
fn changes_during_an_outage_do_not_pile_up() {
    let mut subscriptions = Subscriptions::default();
    for round in 0..1000 {
        let name = format!("room {round}");
        subscriptions.subscribe(&name, Shape::Any, Some(1));
        subscriptions.unsubscribe(&name, Some(2));
    }
    subscriptions.online();
    assert!(subscriptions.settled());
}
