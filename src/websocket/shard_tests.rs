//! A shard with real sockets.

use std::net::{Shutdown, TcpStream};
use std::sync::atomic::Ordering;

use super::testing::Entry::{Closed, Error, Pong, Sent, Text};
use super::testing::{Fixture, LIMIT, Peer, UNLIMITED, close_frame};
use crate::websocket::frame::{binary_frame, control_frame, opcode, text_frame};
use crate::websocket::{Adoption, ConnectionId};

#[test]
fn all_writes_leave_in_their_order_and_tickets_come_back() {
    let mut fixture = Fixture::new();
    let (id, mut peer) = fixture.connect(UNLIMITED);
    let mut expected = Vec::new();
    for number in 0..300 {
        let text = text_frame(&number.to_string());
        if number % 3 == 0 {
            fixture.connections.broadcast(&[id], &text, false, true);
        } else {
            fixture.connections.send(id, text.clone(), u32::from(number % 100 == 1) * number);
        }
        expected.extend_from_slice(&text);
    }
    assert!(fixture.connections.buffered(id) > 0);
    fixture.connections.close(id, 1000, "bye".to_owned());
    expected.extend_from_slice(&close_frame(1000, "bye"));
    // Nothing follows a close frame.
    fixture.connections.send(id, text_frame("late"), 9);
    fixture.broadcast(&[id], &text_frame("late"), false);
    peer.expect(&expected);
    fixture.expect(&[Sent(1), Sent(101)]);
    fixture.until(|connections| connections.buffered(id) == 0);
    // All that arrives until the peer's close frame is passed on.
    peer.send(opcode::TEXT, b"so long");
    peer.send(opcode::CLOSE, &[&1000_u16.to_be_bytes(), b"ok".as_slice()].concat());
    assert!(peer.rest().is_empty());
    fixture.expect(&[Text(id, "so long".into()), Closed(id, 1000, "ok".into())]);
    assert_eq!(fixture.connections.buffered(id), 0);
}

#[test]
fn each_cork_holds_what_comes_behind_it() {
    let mut fixture = Fixture::new();
    let (id, mut peer) = fixture.connect(UNLIMITED);
    let [a, b, c, own] = ["a", "b", "c", "own"].map(text_frame);
    fixture.connections.cork(id);
    fixture.connections.broadcast(&[id], &a, false, true);
    fixture.connections.cork(id);
    fixture.connections.broadcast(&[id], &b, false, true);
    fixture.connections.broadcast(&[id], &own, false, false);
    fixture.connections.send(id, own.clone(), 0);
    fixture.connections.wake();
    peer.expect(&[&*own, &*own].concat());
    fixture.connections.uncork(id);
    fixture.connections.send(id, own.clone(), 0);
    fixture.connections.wake();
    peer.expect(&[&*a, &*own].concat());
    fixture.connections.uncork(id);
    fixture.broadcast(&[id], &c, false);
    peer.expect(&[&*b, &*c].concat());
    // What is held when it closes comes to nothing, and delays nothing.
    fixture.connections.cork(id);
    fixture.connections.broadcast(&[id], &a, false, true);
    fixture.connections.close(id, 0, String::new());
    fixture.connections.uncork(id);
    fixture.connections.wake();
    peer.expect(&control_frame(opcode::CLOSE, b""));
    peer.send(opcode::CLOSE, b"");
    assert!(peer.rest().is_empty());
    fixture.expect(&[Closed(id, 1005, String::new())]);
}

#[test]
fn a_client_that_takes_too_little_is_closed_and_hears_why() {
    let mut fixture = Fixture::new();
    let (slow, mut slow_peer) = fixture.connect(1 << 20);
    let (fast, mut fast_peer) = fixture.connect(UNLIMITED);
    let frame = binary_frame(&vec![7; 1 << 16]);
    let reads = std::thread::spawn(move || {
        // More than any kernel takes for a client that does not read.
        (0..1024).for_each(|_| fast_peer.expect(&binary_frame(&vec![7; 1 << 16])));
        fast_peer
    });
    for _ in 0..1024 {
        fixture.broadcast(&[slow, fast], &frame, false);
    }
    let _fast_peer = reads.join().unwrap();
    fixture.expect(&[Closed(slow, 1013, String::new())]);
    assert_eq!(fixture.connections.counters().slow.load(Ordering::Relaxed), 1);
    assert_eq!(fixture.connections.buffered(slow), 0);
    // Whole frames, as many as the kernel had, and the reason; then the end.
    let read = slow_peer.rest();
    let close = close_frame(1013, "");
    let frames = read.strip_suffix(&*close).unwrap();
    assert!(frames.len() >= frame.len() && frames.len() % frame.len() == 0);
    assert!(frames.len() < 1024 * frame.len());
    fixture.broadcast(&[slow], &frame, false);
    fixture.connections.send(slow, frame, 5);
    fixture.until(|connections| connections.backlog() == 0);
}

#[test]
fn a_client_that_takes_all_is_not_slow_however_much_comes_at_once() {
    let fixture = Fixture::new();
    let (id, mut peer) = fixture.connect(10_000);
    // Each is as much as may wait, together they are more, and one is more by itself.
    let frames = [5000, 5000, 8000, 15_000].map(|len| binary_frame(&vec![1; len]));
    for frames in &frames {
        fixture.connections.broadcast(&[id], frames, false, true);
    }
    fixture.connections.wake();
    peer.expect(&frames.concat());
    for frames in &frames {
        fixture.connections.send(id, frames.clone(), 0);
    }
    fixture.connections.wake();
    peer.expect(&frames.concat());
}

#[test]
fn a_volatile_broadcast_passes_over_those_that_have_something_to_write() {
    let fixture = Fixture::new();
    let (busy, mut busy_peer) = fixture.connect(UNLIMITED);
    let (idle, mut idle_peer) = fixture.connect(UNLIMITED);
    let large = binary_frame(&vec![0; 64 << 20]);
    fixture.connections.send(busy, large.clone(), 0);
    fixture.connections.broadcast(&[busy, idle], &text_frame("volatile"), true, true);
    fixture.broadcast(&[busy, idle], &text_frame("all"), false);
    busy_peer.expect(&[&*large, &*text_frame("all")].concat());
    idle_peer.expect(&[&*text_frame("volatile"), &*text_frame("all")].concat());
    assert_eq!(fixture.connections.counters().volatile_dropped.load(Ordering::Relaxed), 1);
}

/// What is ready first is told first, so this is the order in which the shard has written.
#[cfg(target_os = "linux")]
#[test]
fn a_long_broadcast_delays_a_short_one_and_a_single_write_by_a_chunk() {
    use mio::unix::SourceFd;
    use mio::{Events, Interest, Poll, Token};
    use std::os::fd::AsRawFd;

    let fixture = Fixture::new();
    let all: Vec<_> = (0..400).map(|_| fixture.connect(UNLIMITED)).collect();
    // Of the same shard.
    let of_shard: Vec<_> = all.iter().filter(|(id, _)| id % 2 == all[0].0 % 2).collect();
    let [(single, _), (few, _), many @ ..] = of_shard.as_slice() else { panic!("too few") };
    let mut poll = Poll::new().unwrap();
    for (id, Peer(stream)) in of_shard.iter().copied() {
        let token = Token(*id as usize);
        poll.registry()
            .register(&mut SourceFd(&stream.as_raw_fd()), token, Interest::READABLE)
            .unwrap();
    }
    let many: Vec<_> = many.iter().map(|(id, _)| *id).collect();
    let frames = text_frame("for many");
    fixture.connections.broadcast(&many, &frames, false, true);
    fixture.connections.broadcast(&many, &frames, false, true);
    fixture.connections.broadcast(&[*few], &frames, false, true);
    fixture.connections.send(*single, frames, 0);
    fixture.connections.wake();
    let total = (many.len() + 2) as u64;
    let counters = fixture.connections.counters();
    fixture.until(|_| counters.writes.load(Ordering::Relaxed) >= total + all.len() as u64);
    let mut events = Events::with_capacity(all.len());
    poll.poll(&mut events, Some(LIMIT)).unwrap();
    let order: Vec<_> = events.iter().map(|event| event.token().0).collect();
    assert_eq!(order.len(), of_shard.len());
    let place = |id: ConnectionId| order.iter().position(|each| *each == id as usize).unwrap();
    assert!(place(*single) <= 32, "the single write is number {}", place(*single));
    assert!(place(*few) <= 3 * 32, "the short broadcast is number {}", place(*few));
}

#[test]
fn a_clients_end_is_told_once_however_it_comes() {
    let mut fixture = Fixture::new();
    let (id, mut peer) = fixture.connect(UNLIMITED);
    peer.send(opcode::CLOSE, &[&4001_u16.to_be_bytes(), b"gone".as_slice()].concat());
    assert_eq!(peer.rest(), close_frame(4001, "gone"));
    fixture.expect(&[Closed(id, 4001, "gone".into())]);
    drop(peer);

    let (id, peer) = fixture.connect(UNLIMITED);
    drop(peer);
    fixture.expect(&[Closed(id, 1006, String::new())]);

    // With something unread, the kernel says that it was reset.
    let (id, peer) = fixture.connect(UNLIMITED);
    fixture.connections.send(id, text_frame("unread"), 3);
    fixture.connections.wake();
    fixture.expect(&[Sent(3)]);
    peer.0.peek(&mut [0]).unwrap();
    drop(peer);
    fixture.expect(&[Closed(id, 1006, String::new())]);

    // Half open: what it still says does not matter without a close frame.
    let (id, mut peer) = fixture.connect(UNLIMITED);
    peer.send(opcode::TEXT, b"last");
    peer.0.shutdown(Shutdown::Write).unwrap();
    fixture.expect(&[Text(id, "last".into()), Closed(id, 1006, String::new())]);
    assert!(peer.rest().is_empty());

    let (id, mut peer) = fixture.connect(UNLIMITED);
    fixture.connections.terminate(id);
    fixture.connections.terminate(id);
    fixture.connections.wake();
    fixture.expect(&[Closed(id, 1006, String::new())]);
    assert!(peer.rest().is_empty());

    let (id, mut peer) = fixture.connect(UNLIMITED);
    peer.send(0xc1, b"rsv");
    assert_eq!(peer.rest(), close_frame(1002, ""));
    fixture.expect(&[Error(id, "WS_ERR_UNEXPECTED_RSV_1".into()), Closed(id, 1006, String::new())]);
    drop(peer);
    // A round trip on each shard: nothing is told twice.
    for ticket in 1..=2 {
        let (id, mut peer) = fixture.connect(UNLIMITED);
        fixture.connections.send(id, text_frame("hi"), ticket);
        fixture.connections.wake();
        peer.expect(&text_frame("hi"));
        fixture.expect(&[Sent(ticket)]);
        drop(peer);
        fixture.expect(&[Closed(id, 1006, String::new())]);
    }
    let counters = fixture.connections.counters();
    assert_eq!(counters.open.load(Ordering::Relaxed), 0);
    assert_eq!(counters.violations.load(Ordering::Relaxed), 1);
    assert_eq!(counters.internal_errors.load(Ordering::Relaxed), 0);
}

#[test]
fn a_full_mailbox_stops_reading_and_a_drain_begins_again() {
    const SENT: usize = 20_000;
    let mut fixture = Fixture::with_messages(50);
    let (id, mut peer) = fixture.connect(UNLIMITED);
    let (other, mut other_peer) = fixture.connect(UNLIMITED);
    let sender = std::thread::spawn(move || {
        (0..SENT).for_each(|number| peer.send(opcode::TEXT, number.to_string().as_bytes()));
        peer.send(opcode::PONG, b"");
        peer
    });
    // What one read brings may be more than fits.
    let most = (64 << 10) / 7 + 50;
    fixture.until(|connections| connections.depth().0 >= 50);
    let mut number = 0;
    while number < SENT {
        assert!(fixture.connections.depth().0 <= most);
        match fixture.next() {
            Text(from, text) => assert_eq!((from, text), (id, number.to_string())),
            entry => panic!("{entry:?}"),
        }
        number += 1;
    }
    fixture.expect(&[Pong(id)]);
    other_peer.send(opcode::TEXT, b"at last");
    fixture.expect(&[Text(other, "at last".into())]);
    drop(sender.join().unwrap());
    fixture.expect(&[Closed(id, 1006, String::new())]);
}

#[test]
fn nothing_is_read_before_somebody_listens_and_what_came_first_is_first() {
    let mut fixture = Fixture::new();
    let mut peer = Peer(TcpStream::connect(fixture.listener.local_addr().unwrap()).unwrap());
    let (socket, _) = fixture.listener.accept().unwrap();
    peer.send(opcode::TEXT, b"second");
    let head = [&[opcode::TEXT, 0x85, 0, 0, 0, 0], b"first".as_slice()].concat();
    let adoption = Adoption { response: vec![], head, max_payload: 100, max_buffered: UNLIMITED };
    let id = fixture.connections.adopt(socket.into(), adoption).unwrap();
    // A round trip: it has been served, and not read.
    fixture.connections.send(id, text_frame("hi"), 1);
    fixture.connections.wake();
    peer.expect(&text_frame("hi"));
    fixture.expect(&[Sent(1)]);
    fixture.connections.pause(id, false);
    fixture.connections.wake();
    fixture.expect(&[Text(id, "first".into()), Text(id, "second".into())]);
    fixture.connections.pause(id, true);
    fixture.connections.send(id, text_frame("hi"), 2);
    fixture.connections.wake();
    fixture.expect(&[Sent(2)]);
    peer.send(opcode::TEXT, b"third");
    fixture.connections.send(id, text_frame("hi"), 3);
    fixture.connections.wake();
    fixture.expect(&[Sent(3)]);
    fixture.connections.pause(id, false);
    fixture.connections.wake();
    fixture.expect(&[Text(id, "third".into())]);
}

#[test]
fn an_end_that_came_with_the_last_message_is_seen() {
    let mut fixture = Fixture::new();
    let (id, mut peer) = fixture.connect(UNLIMITED);
    fixture.connections.pause(id, true);
    fixture.connections.send(id, text_frame("hi"), 1);
    fixture.connections.wake();
    fixture.expect(&[Sent(1)]);
    peer.send(opcode::TEXT, b"last");
    peer.0.shutdown(Shutdown::Write).unwrap();
    // A round trip: the shard has been told of both, and of nothing else from here on.
    fixture.connections.send(id, text_frame("hi"), 2);
    fixture.connections.wake();
    fixture.expect(&[Sent(2)]);
    fixture.connections.pause(id, false);
    fixture.connections.wake();
    fixture.expect(&[Text(id, "last".into()), Closed(id, 1006, String::new())]);
}

#[test]
fn the_end_of_all_ends_each() {
    let fixture = Fixture::new();
    let mut peers: Vec<_> = (0..20).map(|_| fixture.connect(UNLIMITED).1).collect();
    drop(fixture.connections);
    for peer in &mut peers {
        assert!(peer.rest().is_empty());
    }
}

#[test]
fn a_failing_shard_ends_its_connections_and_serves_on() {
    let mut fixture = Fixture::new();
    // Other tests take numbers too, so the shards do not get the same share.
    let mut connected = Vec::new();
    let count = |connected: &[(ConnectionId, Peer)], shard| {
        connected.iter().filter(|(id, _)| id % 2 == shard).count()
    };
    while count(&connected, 0) < 3 || count(&connected, 1) < 3 {
        connected.push(fixture.connect(UNLIMITED));
    }
    let failed = connected[0].0;
    let ids: Vec<_> = connected.iter().map(|(id, _)| *id).collect();
    let mut lost: Vec<_> = ids.iter().copied().filter(|id| id % 2 == failed % 2).collect();
    fixture.connections.broadcast(&ids, &text_frame("before"), false, true);
    fixture.connections.fail(failed);
    fixture.connections.broadcast(&ids, &text_frame("behind"), false, true);
    fixture.connections.wake();
    while !lost.is_empty() {
        let Closed(id, 1006, _) = fixture.next() else { panic!("something else has come") };
        lost.remove(lost.iter().position(|lost| *lost == id).unwrap());
    }
    for (id, mut peer) in connected {
        if id % 2 == failed % 2 {
            // The shard may have been awake, and have written the first before it was to fail.
            let rest = peer.rest();
            assert!(rest.is_empty() || rest == *text_frame("before"), "{rest:?}");
        } else {
            peer.expect(&[&*text_frame("before"), &*text_frame("behind")].concat());
            drop(peer);
            fixture.expect(&[Closed(id, 1006, String::new())]);
        }
    }
    // Both shards.
    for _ in 0..2 {
        let (id, mut peer) = fixture.connect(UNLIMITED);
        fixture.broadcast(&[id], &text_frame("after"), false);
        peer.expect(&text_frame("after"));
        drop(peer);
        fixture.expect(&[Closed(id, 1006, String::new())]);
    }
    assert_eq!(fixture.connections.counters().internal_errors.load(Ordering::Relaxed), 1);
    fixture.until(|connections| connections.backlog() == 0);
}
