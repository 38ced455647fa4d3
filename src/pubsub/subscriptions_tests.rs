//! Wanted against confirmed subscriptions, and the router.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;
use std::time::SystemTime;

use super::{Consumer, Kind, Need, Op, Refused, Subscriptions};

struct Unused(#[expect(dead_code, reason = "so that each has an address of its own")] u8);

impl Consumer for Unused {
    fn message(&self, _: &[u8], _: &[u8]) {}
}

fn consumer() -> Arc<dyn Consumer> {
    Arc::new(Unused(0))
}

/// One consumer and its subscriptions, all of them to channels, and what Redis owes.
struct Client {
    subscriptions: Subscriptions,
    consumer: Arc<dyn Consumer>,
    owed: VecDeque<Op>,
}

impl Client {
    fn new() -> Self {
        let (subscriptions, owed) = (Subscriptions::default(), VecDeque::new());
        Self { subscriptions, consumer: consumer(), owed }
    }

    fn online() -> Self {
        let mut client = Self::new();
        client.subscriptions.online();
        client
    }

    fn subscribe(&mut self, name: &str, ticket: Option<u32>) -> bool {
        self.want(name, Need::Required, ticket)
    }

    fn want(&mut self, name: &str, need: Need, ticket: Option<u32>) -> bool {
        let consumer = Arc::clone(&self.consumer);
        self.subscriptions.subscribe(Kind::Channel, name, consumer, need, ticket)
    }

    fn unsubscribe(&mut self, name: &str, ticket: Option<u32>) -> Vec<u32> {
        self.subscriptions.unsubscribe(Kind::Channel, name, &self.consumer, ticket)
    }

    /// Writes what is to be written, and says what that is.
    fn send(&mut self) -> Vec<String> {
        let ops = self.subscriptions.take_unsent(usize::MAX);
        self.owed.extend(ops.iter().cloned());
        names(&ops)
    }

    fn confirm(&mut self) -> Vec<u32> {
        let op = self.owed.pop_front().unwrap();
        self.subscriptions.confirmed(&op)
    }

    fn confirm_all(&mut self) -> Vec<u32> {
        let owed = std::mem::take(&mut self.owed);
        owed.iter().flat_map(|op| self.subscriptions.confirmed(op)).collect()
    }

    fn refuse(&mut self) -> (Vec<u32>, bool) {
        let op = self.owed.pop_front().unwrap();
        let Refused { tickets, is_news, .. } = self.subscriptions.refused(&op);
        (tickets, is_news)
    }

    fn offline(&mut self) -> Vec<u32> {
        self.subscriptions.offline(self.owed.drain(..))
    }
}

fn names(ops: &[Op]) -> Vec<String> {
    let sign = |op: &Op| match op {
        Op::Subscribe(Kind::Channel, ..) => "+",
        Op::Subscribe(Kind::Pattern, ..) => "+p",
        Op::Subscribe(Kind::Sharded, ..) => "+s",
        Op::Unsubscribe(Kind::Channel, ..) => "-",
        Op::Unsubscribe(Kind::Pattern, ..) => "-p",
        Op::Unsubscribe(Kind::Sharded, ..) => "-s",
    };
    ops.iter().map(|op| format!("{}{}", sign(op), op.name())).collect()
}

fn consumers_of(subscriptions: &Subscriptions, kind: Kind, name: &[u8]) -> usize {
    subscriptions.consumers(kind, name).map_or(0, |all| all.len())
}

#[test]
fn routes_by_name_and_kind() {
    let mut subscriptions = Subscriptions::default();
    let (one, other) = (consumer(), consumer());
    let mut subscribe = |kind, consumer: &Arc<dyn Consumer>, expected: [usize; 2]| {
        subscriptions.subscribe(kind, "join", Arc::clone(consumer), Need::Required, None);
        let counts =
            [Kind::Channel, Kind::Pattern].map(|kind| consumers_of(&subscriptions, kind, b"join"));
        assert_eq!(counts, expected);
    };
    subscribe(Kind::Channel, &one, [1, 0]);
    subscribe(Kind::Channel, &one, [1, 0]);
    subscribe(Kind::Channel, &other, [2, 0]);
    subscribe(Kind::Pattern, &other, [2, 1]);
    assert_eq!(consumers_of(&subscriptions, Kind::Channel, b"joi"), 0);
    assert_eq!(consumers_of(&subscriptions, Kind::Channel, b"\xff"), 0);
    subscriptions.unsubscribe(Kind::Channel, "join", &one, None);
    assert_eq!(consumers_of(&subscriptions, Kind::Channel, b"join"), 1);
    subscriptions.unsubscribe(Kind::Channel, "join", &other, None);
    assert!(subscriptions.consumers(Kind::Channel, b"join").is_none());
}

#[test]
fn leaves_a_channel_with_its_last_consumer() {
    let mut client = Client::online();
    let other = consumer();
    client.subscribe("a", None);
    let required = Need::Required;
    client.subscriptions.subscribe(Kind::Channel, "a", Arc::clone(&other), required, None);
    assert_eq!(client.send(), ["+a", "+a"]);
    client.confirm_all();
    // There still is a consumer, so nothing is to be left and there is nothing to wait for.
    assert_eq!(client.unsubscribe("a", Some(1)), [1]);
    assert!(client.send().is_empty());
    assert!(client.subscriptions.unsubscribe(Kind::Channel, "a", &other, Some(2)).is_empty());
    assert_eq!(client.send(), ["-a"]);
    assert_eq!(client.confirm_all(), [2]);
}

#[test]
fn asks_for_all_that_is_wanted_once_online() {
    let mut client = Client::new();
    client.subscribe("a", Some(1));
    client.subscribe("b", Some(2));
    client.subscribe("b", Some(3));
    assert!(client.send().is_empty());
    assert_eq!(client.subscriptions.online(), 2);
    let asked: HashSet<_> = client.send().into_iter().collect();
    assert_eq!(asked, HashSet::from(["+a".to_owned(), "+b".to_owned()]));
    let mut tickets = client.confirm_all();
    tickets.sort_unstable();
    assert_eq!(tickets, [1, 2, 3]);
}

#[test]
fn keeps_the_order_of_changes_while_online() {
    let mut client = Client::online();
    client.subscribe("a", Some(1));
    assert_eq!(client.unsubscribe("a", Some(2)), [1]);
    client.subscribe("a", Some(3));
    assert_eq!(client.send(), ["+a", "-a", "+a"]);
    // The caller of the second subscription is not answered by the confirmation of the first.
    assert!(client.confirm().is_empty());
    assert_eq!(client.confirm(), [2]);
    assert_eq!(client.confirm(), [3]);
}

#[test]
fn an_outage_settles_those_who_leave_and_keeps_those_who_wait() {
    let mut client = Client::online();
    client.subscribe("stays", Some(1));
    client.subscribe("goes", None);
    client.send();
    client.unsubscribe("goes", Some(2));
    assert_eq!(client.offline(), [2]);
    // Offline there is nothing to leave.
    client.subscribe("brief", Some(3));
    assert_eq!(client.unsubscribe("brief", Some(4)), [3, 4]);
    assert_eq!(client.unsubscribe("never", Some(5)), [5]);
    client.subscriptions.online();
    assert_eq!(client.send(), ["+stays"]);
    assert_eq!(client.confirm_all(), [1]);
}

#[test]
fn an_outage_answers_a_leave_that_was_written_and_not_confirmed() {
    let mut client = Client::online();
    client.subscribe("a", None);
    client.unsubscribe("a", Some(1));
    client.send();
    assert_eq!(client.offline(), [1]);
}

#[test]
fn changes_during_an_outage_do_not_pile_up() {
    let mut client = Client::new();
    for round in 0..1000 {
        let name = format!("room {round}");
        client.subscribe(&name, Some(1));
        client.unsubscribe(&name, Some(2));
    }
    assert_eq!(client.subscriptions.online(), 0);
}

#[test]
fn a_refusal_is_no_confirmation_and_is_tried_again() {
    let mut client = Client::online();
    client.subscribe("a", Some(1));
    client.send();
    assert_eq!(client.refuse(), (vec![1], true));
    assert!(client.subscriptions.is_degraded());
    assert_eq!(client.subscriptions.refused_names(9), ["a"]);
    assert!(client.subscriptions.take_degraded_since().is_none());
    client.subscriptions.retry();
    client.subscriptions.retry();
    assert_eq!(client.send(), ["+a"], "asked once at a time");
    // A caller that comes later waits for the answer to the retry.
    client.subscribe("a", Some(2));
    assert_eq!(client.refuse(), (vec![2], false));
    client.subscriptions.retry();
    assert_eq!(client.send(), ["+a", "+a"]);
    assert!(client.confirm_all().is_empty());
    assert!(!client.subscriptions.is_degraded());
    assert!(client.subscriptions.refused_names(9).is_empty());
    assert!(client.subscriptions.take_degraded_since().is_some());
    assert!(client.subscriptions.take_degraded_since().is_none());
}

#[test]
fn a_refused_channel_that_is_left_is_not_missed() {
    let mut client = Client::online();
    client.subscribe("a", None);
    client.send();
    client.refuse();
    client.unsubscribe("a", None);
    assert!(!client.subscriptions.is_degraded());
    assert!(!client.subscriptions.has_refused());
}

#[test]
fn what_is_optional_is_not_missed() {
    let mut client = Client::online();
    client.want("a", Need::Optional, None);
    client.send();
    assert_eq!(client.refuse(), (vec![], false));
    assert!(!client.subscriptions.is_degraded());
    assert!(!client.subscriptions.has_refused());
    client.subscriptions.retry();
    assert!(client.send().is_empty());
    client.offline();
    client.subscriptions.online();
    assert_eq!(client.send(), ["+a"]);
}

#[test]
fn what_can_be_replaced_is_wanted_until_it_is_refused() {
    let mut client = Client::online();
    client.want("a", Need::Replaceable, Some(1));
    client.send();
    assert!(client.subscriptions.wants(Kind::Channel, "a"));
    let op = client.owed.pop_front().unwrap();
    let Refused { tickets, is_news, replacing } = client.subscriptions.refused(&op);
    assert_eq!((tickets, is_news), (vec![1], false));
    assert_eq!(replacing.map(|consumers| consumers.len()), Some(1));
    assert!(!client.subscriptions.wants(Kind::Channel, "a"));
    assert!(!client.subscriptions.is_degraded());
    assert!(client.subscriptions.take_degraded_since().is_none(), "nothing was missed");
    assert!(!client.subscriptions.has_refused());
    // An answer that comes behind it, to the same.
    assert!(client.subscriptions.refused(&op).replacing.is_none());
}

#[test]
fn a_refusal_that_outlives_a_connection_is_told_once() {
    let mut client = Client::online();
    client.subscribe("a", None);
    client.send();
    assert!(client.refuse().1);
    client.offline();
    client.subscriptions.online();
    client.send();
    assert!(!client.refuse().1);
    assert!(client.subscriptions.is_degraded());
}

#[test]
fn what_redis_ends_is_asked_for_again() {
    let mut client = Client::online();
    client.subscribe("a", None);
    client.send();
    client.confirm_all();
    client.subscriptions.ended(Kind::Channel, b"a");
    client.subscriptions.ended(Kind::Channel, b"b");
    assert!(client.subscriptions.is_degraded());
    assert_eq!(client.send(), ["+a"]);
    client.confirm_all();
    assert!(!client.subscriptions.is_degraded());
}

#[test]
fn the_end_answers_all_tickets_and_accepts_no_more() {
    let mut client = Client::online();
    client.subscribe("a", Some(1));
    client.send();
    client.subscribe("b", Some(2));
    client.unsubscribe("c", Some(3));
    let mut tickets = client.subscriptions.close();
    tickets.sort_unstable();
    assert_eq!(tickets, [1, 2, 3]);
    assert!(!client.subscribe("d", Some(4)));
    assert!(client.subscriptions.is_closed());
    client.subscriptions.online();
    assert!(client.send().is_empty());
}

#[test]
fn what_is_handed_over_and_back_is_heard_once_it_is_confirmed_again() {
    let (mut one, mut other) = (Subscriptions::default(), Subscriptions::default());
    one.online();
    other.online();
    assert!(one.subscribe(Kind::Sharded, "a", consumer(), Need::Required, Some(1)));
    let [first] = &one.take_unsent(9)[..] else { panic!() };
    assert_eq!(consumers_of(&one, Kind::Sharded, b"a"), 0);
    assert_eq!(one.confirmed(first), [1]);
    assert_eq!(consumers_of(&one, Kind::Sharded, b"a"), 1);
    let since = SystemTime::now();
    let handover = one.withdraw(Kind::Sharded, "a").unwrap();
    assert!(other.adopt(handover, Some(since)).is_ok());
    assert!(other.is_degraded() && !one.is_degraded());
    let handover = other.withdraw(Kind::Sharded, "a").unwrap();
    assert!(one.adopt(handover, Some(since)).is_ok());
    assert!(one.is_degraded() && !other.is_degraded());
    // What was published before the first subscription was left is still on its way.
    assert_eq!(consumers_of(&one, Kind::Sharded, b"a"), 0);
    let ops = one.take_unsent(9);
    assert_eq!(names(&ops), ["-sa", "+sa"]);
    for op in &ops {
        assert_eq!(consumers_of(&one, Kind::Sharded, b"a"), 0);
        one.confirmed(op);
    }
    assert_eq!(consumers_of(&one, Kind::Sharded, b"a"), 1);
    assert!(one.take_degraded_since().is_some_and(|told| told <= since));
    assert!(one.wants(Kind::Sharded, "a") && !other.wants(Kind::Sharded, "a"));
    assert!(other.is_empty());
}
