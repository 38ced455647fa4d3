//! Wanted against confirmed subscriptions, and the router.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::items_after_statements
)]

use std::collections::HashSet;
use std::sync::Arc;

use socket_io_redis_native::pubsub::{Consumer, Kind, Op, Subscriptions};

struct Nobody(#[expect(dead_code, reason = "so that each has an address of its own")] u8);

impl Consumer for Nobody {
    fn message(&self, _: &[u8], _: &[u8]) {}
}

fn consumer() -> Arc<dyn Consumer> {
    Arc::new(Nobody(0))
}

/// One consumer and its subscriptions, all of them to channels.
struct Wants(Subscriptions, Arc<dyn Consumer>);

impl Wants {
    fn new() -> Self {
        Self(Subscriptions::default(), consumer())
    }
    fn subscribe(&mut self, name: &str, ticket: Option<u32>) {
        self.0.subscribe(Kind::Channel, name, Arc::clone(&self.1), ticket);
    }
    fn unsubscribe(&mut self, name: &str, ticket: Option<u32>) -> Vec<u32> {
        self.0.unsubscribe(Kind::Channel, name, &self.1, ticket)
    }
}

fn names(ops: &[Op]) -> Vec<String> {
    let name = |op: &Op| match op {
        Op::Subscribe(Kind::Channel, name, _) => format!("+{name}"),
        Op::Subscribe(Kind::Pattern, name, _) => format!("+p{name}"),
        Op::Unsubscribe(Kind::Channel, name, _) => format!("-{name}"),
        Op::Unsubscribe(Kind::Pattern, name, _) => format!("-p{name}"),
    };
    ops.iter().map(name).collect()
}

fn confirm_all(subscriptions: &mut Subscriptions) -> Vec<u32> {
    std::iter::from_fn(|| subscriptions.confirm()).flat_map(|(_, tickets)| tickets).collect()
}

fn consumers_of(subscriptions: &Subscriptions, kind: Kind, name: &[u8]) -> usize {
    subscriptions.consumers(kind, name).map_or(0, |all| all.len())
}

#[test]
fn routes_by_name_and_kind() {
    let mut subscriptions = Subscriptions::default();
    let (one, other) = (consumer(), consumer());
    subscriptions.subscribe(Kind::Channel, "join", Arc::clone(&one), None);
    subscriptions.subscribe(Kind::Channel, "join", Arc::clone(&one), None);
    assert_eq!(consumers_of(&subscriptions, Kind::Channel, b"join"), 1);
    subscriptions.subscribe(Kind::Channel, "join", Arc::clone(&other), None);
    assert_eq!(consumers_of(&subscriptions, Kind::Channel, b"join"), 2);
    assert_eq!(consumers_of(&subscriptions, Kind::Pattern, b"join"), 0);
    assert_eq!(consumers_of(&subscriptions, Kind::Channel, b"joi"), 0);
    assert_eq!(consumers_of(&subscriptions, Kind::Channel, b"\xff"), 0);
    subscriptions.subscribe(Kind::Pattern, "join", Arc::clone(&other), None);
    assert_eq!(consumers_of(&subscriptions, Kind::Pattern, b"join"), 1);
    subscriptions.unsubscribe(Kind::Channel, "join", &one, None);
    assert_eq!(consumers_of(&subscriptions, Kind::Channel, b"join"), 1);
    subscriptions.unsubscribe(Kind::Channel, "join", &other, None);
    assert!(subscriptions.consumers(Kind::Channel, b"join").is_none());
}

#[test]
fn leaves_a_channel_with_its_last_consumer() {
    let mut subscriptions = Subscriptions::default();
    let (one, other) = (consumer(), consumer());
    subscriptions.online();
    subscriptions.subscribe(Kind::Pattern, "a*", Arc::clone(&one), None);
    subscriptions.subscribe(Kind::Pattern, "a*", Arc::clone(&other), None);
    assert_eq!(names(&subscriptions.take_unsent(9)), ["+pa*", "+pa*"]);
    // There is still somebody, so nothing is to be left and nobody has to wait.
    assert_eq!(subscriptions.unsubscribe(Kind::Pattern, "a*", &one, Some(1)), [1]);
    assert!(subscriptions.take_unsent(9).is_empty());
    assert!(subscriptions.unsubscribe(Kind::Pattern, "a*", &other, Some(2)).is_empty());
    assert_eq!(names(&subscriptions.take_unsent(9)), ["-pa*"]);
    assert_eq!(confirm_all(&mut subscriptions), [2]);
}

#[test]
fn asks_for_all_that_is_wanted_once_online() {
    let mut subscriptions = Wants::new();
    subscriptions.subscribe("a", Some(1));
    subscriptions.subscribe("b", Some(2));
    subscriptions.subscribe("b", Some(3));
    assert!(subscriptions.0.take_unsent(100).is_empty());
    subscriptions.0.online();
    assert!(!subscriptions.0.settled());
    let asked: HashSet<_> = names(&subscriptions.0.take_unsent(100)).into_iter().collect();
    assert_eq!(asked, HashSet::from(["+a".to_owned(), "+b".to_owned()]));
    let mut tickets = confirm_all(&mut subscriptions.0);
    tickets.sort_unstable();
    assert_eq!(tickets, [1, 2, 3]);
    assert!(subscriptions.0.settled());
}

#[test]
fn keeps_the_order_of_changes_while_online() {
    let mut subscriptions = Wants::new();
    subscriptions.0.online();
    subscriptions.subscribe("a", Some(1));
    assert_eq!(subscriptions.unsubscribe("a", Some(2)), [1]);
    subscriptions.subscribe("a", Some(3));
    assert_eq!(names(&subscriptions.0.take_unsent(2)), ["+a", "-a"]);
    assert_eq!(names(&subscriptions.0.take_unsent(2)), ["+a"]);
    // Who waits for the second subscription is not answered by the confirmation of the first.
    assert_eq!(confirm_all(&mut subscriptions.0), [2, 3]);
    assert!(subscriptions.0.confirm().is_none());
}

#[test]
fn an_outage_settles_those_who_leave_and_keeps_those_who_wait() {
    let mut subscriptions = Wants::new();
    subscriptions.0.online();
    subscriptions.subscribe("stays", Some(1));
    subscriptions.subscribe("goes", None);
    subscriptions.0.take_unsent(100);
    subscriptions.unsubscribe("goes", Some(2));
    assert_eq!(subscriptions.0.offline(), [2]);
    // Offline there is nothing to leave.
    subscriptions.subscribe("brief", Some(3));
    assert_eq!(subscriptions.unsubscribe("brief", Some(4)), [3, 4]);
    assert_eq!(subscriptions.unsubscribe("never", Some(5)), [5]);
    subscriptions.0.online();
    assert_eq!(names(&subscriptions.0.take_unsent(100)), ["+stays"]);
    assert_eq!(confirm_all(&mut subscriptions.0), [1]);
}

#[test]
fn changes_during_an_outage_do_not_pile_up() {
    let mut subscriptions = Wants::new();
    for round in 0..1000 {
        let name = format!("room {round}");
        subscriptions.subscribe(&name, Some(1));
        subscriptions.unsubscribe(&name, Some(2));
    }
    subscriptions.0.online();
    assert!(subscriptions.0.settled());
}
