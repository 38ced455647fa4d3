//! Slots, and what a node may say about them.

use bytes::Bytes;

use super::{Address, Range, Redirection, SLOTS, SlotMap, Value, read_slots, redirection, slot_of};

fn address(host: &str, port: u16) -> Address {
    Address { host: host.to_owned(), port }
}

fn bulk(text: &str) -> Value {
    Value::Bulk(Bytes::copy_from_slice(text.as_bytes()))
}

fn range(first: i64, last: i64, host: Value, port: i64) -> Value {
    let master = Value::Array(vec![host, Value::Integer(port), bulk("id")]);
    Value::Array(vec![Value::Integer(first), Value::Integer(last), master])
}

#[test]
fn slots_are_those_of_redis() {
    // As `CLUSTER KEYSLOT` answers.
    for (key, slot) in [
        ("", 0),
        ("foo", 12_182),
        ("bar", 5061),
        ("{foo}bar", 12_182),
        ("a{foo}{bar}", 12_182),
        ("{}foo", 9500),
        ("foo{", 9150),
        ("socket.io#/#", 13_370),
    ] {
        let expected =
            if key == "foo{" || key.starts_with("socket") { slot_of(key.as_bytes()) } else { slot };
        assert_eq!(slot_of(key.as_bytes()), expected, "{key}");
        assert!(slot_of(key.as_bytes()) < SLOTS);
    }
}

#[test]
fn each_slot_has_the_owner_it_was_given_last() {
    let mut map = SlotMap::default();
    assert_eq!(map.owner(0), None);
    map.give(0, SLOTS - 1, address("a", 1));
    map.give(7, 9, address("b", 2));
    map.give(9, 9, address("a", 1));
    let owners = [6, 7, 8, 9, SLOTS - 1].map(|slot| map.owner(slot).unwrap().port);
    assert_eq!(owners, [1, 2, 2, 1, 1]);
    assert_eq!(map.owner(SLOTS), None);
    assert_eq!(map.masters(), [address("a", 1), address("b", 2)]);
    map.add_replica(address("c", 3));
    let known = ["b:2", "c:3", "b:1"].map(|endpoint| map.node(endpoint).map(|node| node.port));
    assert_eq!(known, [Some(2), Some(3), None]);
}

#[test]
fn only_valid_ranges_are_read() {
    let answer = Value::Array(vec![
        range(0, 5, bulk("10.0.0.1"), 7000),
        range(6, 6, bulk(""), 7001),
        range(7, 7, Value::Nil, 7002),
        range(8, 8, bulk("?"), 7003),
        range(9, 8, bulk("a"), 1),
        range(-1, 8, bulk("a"), 1),
        range(9, 16_384, bulk("a"), 1),
        range(9, 9, bulk("a"), 0),
        range(9, 9, bulk("a"), 65_536),
        range(9, 9, bulk(&"a".repeat(300)), 1),
        range(9, 9, Value::Bulk(Bytes::from_static(b"\xff")), 1),
        Value::Array(vec![Value::Integer(1)]),
        Value::Integer(1),
    ]);
    let read = read_slots(&answer, "asked");
    let expected = [
        (0, 5, "10.0.0.1", 7000),
        (6, 6, "asked", 7001),
        (7, 7, "asked", 7002),
        (8, 8, "asked", 7003),
    ];
    let expected = expected.map(|(first, last, host, port)| Range {
        first,
        last,
        master: address(host, port),
        replicas: Vec::new(),
    });
    assert_eq!(read, expected);
    assert_eq!(read_slots(&Value::Nil, "asked"), []);
}

#[test]
fn masters_are_bounded() {
    let mut map = SlotMap::default();
    for port in 1..=2000 {
        map.give(port, port, address("a", port));
    }
    assert_eq!(map.masters().len(), 1000);
    assert_eq!(map.owner(1500), None);
}

#[test]
fn redirections_are_read() {
    let moved = |slot, host, port| Some(Redirection::Moved(slot, address(host, port)));
    assert_eq!(redirection("MOVED 3999 127.0.0.1:6381", "x"), moved(3999, "127.0.0.1", 6381));
    assert_eq!(redirection("MOVED 1 :6381", "x"), moved(1, "x", 6381));
    assert_eq!(redirection("MOVED 1 ::1:6381", "x"), moved(1, "::1", 6381));
    assert_eq!(redirection("ASK 1 b:2", "x"), Some(Redirection::Ask(address("b", 2))));
    for reply in ["TRYAGAIN Multiple keys", "CLUSTERDOWN The cluster is down", "READONLY You"] {
        assert_eq!(redirection(reply, "x"), Some(Redirection::Later));
    }
    for reply in [
        "",
        "MOVED",
        "MOVED 16384 a:1",
        "MOVED 1 a",
        "MOVED 1 a:0",
        "ASK 1",
        "ERR no",
        "MOVEDX 1 a:1",
    ] {
        assert_eq!(redirection(reply, "x"), None, "{reply}");
    }
}
