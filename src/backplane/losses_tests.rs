//! What a writer accounts for when its connection breaks.

use std::collections::HashSet;
use std::time::SystemTime;

use tokio::time::Duration;

use super::super::testing::Fixture;
use crate::connection::testing::Server;

/// Reads these commands; pings are answered.
async fn expect_all(server: &mut Server, commands: &[String]) {
    for command in commands {
        server.expect(command).await;
    }
}

#[tokio::test(start_paused = true)]
async fn every_publish_is_accounted_for_wherever_the_connection_breaks() {
    const SENT: usize = 30;
    // Of about 20 KiB, so that the limit of what waits to be written cuts the queue as well.
    let filler = "x".repeat(20 * 1024);
    for buffer in [1024, 64 * 1024, 1024 * 1024] {
        for answered in 0..=SENT {
            let mut fixture = Fixture::new();
            (0..SENT).for_each(|number| fixture.publish(&format!("{number} {filler}")));
            let mut first = fixture.servers.attempt().await.accept_with(buffer);
            fixture.inbox.expect(&["connect"]).await;
            let mut received = HashSet::new();
            for _ in 0..answered {
                let command = first.command().await.unwrap();
                assert!(received.insert(command.split(' ').nth(2).unwrap().to_owned()));
                first.say(":1\r\n").await;
                assert_eq!(fixture.accounted(), SENT as u64);
            }
            drop(first);
            fixture.inbox.expect(&["disconnect", "reconnecting 1"]).await;
            let [published, dropped, unconfirmed] = fixture.inbox.counts();
            assert_eq!((published, dropped), (answered as u64, 0));
            assert_eq!(fixture.accounted(), SENT as u64);
            let waiting = fixture.outbox.depth().0;
            assert_eq!(unconfirmed, (SENT - answered - waiting) as u64);
            // What waited is sent now; what was written is not sent twice.
            let mut second = fixture.servers.accept().await;
            for _ in 0..waiting {
                let command = second.command().await.unwrap();
                assert!(received.insert(command.split(' ').nth(2).unwrap().to_owned()));
                second.say(":1\r\n").await;
            }
            fixture.inbox.expect(&["connect"]).await;
            if unconfirmed > 0 {
                fixture.inbox.expect(&[&format!("gap 0 {unconfirmed}")]).await;
            }
            fixture.sleep(&mut second, 2).await;
            assert_eq!(fixture.inbox.counts(), [SENT as u64 - unconfirmed, 0, unconfirmed]);
            assert_eq!(fixture.outbox.depth(), (0, 0));
            assert!(fixture.inbox.unseen().is_empty());
        }
    }
}

#[tokio::test(start_paused = true)]
async fn commands_are_sent_again_in_order_and_publishes_are_not() {
    const SENT: u32 = 12;
    let line = |number: u32| match number % 3 {
        0 => format!("PUBLISH c {number}"),
        _ => format!("HGET {number}"),
    };
    for answered in 0..=SENT {
        let (mut fixture, mut first) = Fixture::connected().await;
        for number in 0..SENT {
            match number % 3 {
                0 => fixture.publish(&number.to_string()),
                1 => fixture.command(&number.to_string(), Some(number)),
                _ => fixture.command(&number.to_string(), None),
            }
        }
        let lines: Vec<_> = (0..SENT).map(line).collect();
        expect_all(&mut first, &lines).await;
        first.say(&":1\r\n".repeat(answered as usize)).await;
        let replied = (0..answered).filter(|number| number % 3 == 1);
        for number in replied {
            fixture.inbox.expect(&[&format!("reply {number} 1")]).await;
        }
        drop(first);
        fixture.inbox.expect(&["disconnect", "reconnecting 1"]).await;
        // One that comes later stays behind them.
        fixture.command("last", Some(99));
        let mut second = fixture.servers.accept().await;
        let again: Vec<_> = (answered..SENT).filter(|number| number % 3 != 0).collect();
        for &number in &again {
            second.expect(&line(number)).await;
        }
        second.expect("HGET last").await;
        second.say(&":2\r\n".repeat(again.len() + 1)).await;
        fixture.inbox.expect(&["connect"]).await;
        let unconfirmed = (answered..SENT).filter(|number| number % 3 == 0).count();
        if unconfirmed > 0 {
            fixture.inbox.expect(&[&format!("gap 0 {unconfirmed}")]).await;
        }
        for number in again.iter().filter(|&number| number % 3 == 1) {
            fixture.inbox.expect(&[&format!("reply {number} 2")]).await;
        }
        fixture.inbox.expect(&["reply 99 2"]).await;
        fixture.sleep(&mut second, 60).await;
        assert!(fixture.inbox.unseen().is_empty());
        assert_eq!(fixture.inbox.counts()[2], unconfirmed as u64);
    }
}

#[tokio::test(start_paused = true)]
async fn what_no_longer_fits_while_redis_is_away_is_dropped_and_reported() {
    let mut fixture = Fixture::new();
    let sent = Fixture::QUEUE + 5;
    fixture.command("oldest", Some(1));
    (1..sent).for_each(|number| fixture.publish(&number.to_string()));
    fixture.inbox.expect(&["error ERR_QUEUE_FULL", "failed 1 ERR_QUEUE_FULL"]).await;
    assert_eq!(fixture.accounted(), sent as u64);
    let mut server = fixture.servers.accept().await;
    for number in 5..sent {
        server.answer(&format!("PUBLISH c {number}"), ":1\r\n").await;
    }
    fixture.inbox.expect(&["connect", "gap 5 0"]).await;
    fixture.sleep(&mut server, 5).await;
    assert_eq!(fixture.inbox.counts(), [Fixture::QUEUE as u64, 5, 0]);
    assert!(fixture.inbox.unseen().is_empty());
}

#[tokio::test(start_paused = true)]
async fn what_waits_behind_a_dead_connection_goes_to_the_second_one() {
    let mut fixture = Fixture::new();
    // It takes no byte, so the rest waits.
    let dead = fixture.servers.attempt().await.accept_with(1);
    fixture.inbox.expect(&["connect"]).await;
    let filler = "x".repeat(1024);
    let sent = 3 * Fixture::QUEUE;
    (0..sent).for_each(|number| fixture.publish(&format!("{number} {filler}")));
    let mut server = fixture.servers.accept().await;
    fixture.inbox.expect(&["disconnect", "connect"]).await;
    let unconfirmed = sent - fixture.outbox.depth().0;
    fixture.inbox.expect(&[&format!("gap 0 {unconfirmed}")]).await;
    for number in unconfirmed..sent {
        server.answer(&format!("PUBLISH c {number} {filler}"), ":1\r\n").await;
    }
    server.until(tokio::time::sleep(Duration::from_secs(5))).await;
    let published = (sent - unconfirmed) as u64;
    assert_eq!(fixture.inbox.counts(), [published, 0, unconfirmed as u64]);
    assert!(fixture.inbox.unseen().is_empty());
    drop(dead);
}

#[tokio::test(start_paused = true)]
async fn after_a_break_less_may_wait() {
    let (mut fixture, server) = Fixture::connected().await;
    drop(server);
    fixture.inbox.expect(&["disconnect", "reconnecting 1"]).await;
    (0..2 * Fixture::QUEUE).for_each(|number| fixture.publish(&number.to_string()));
    fixture.inbox.expect(&["error ERR_QUEUE_FULL"]).await;
    assert_eq!(fixture.inbox.counts(), [0, Fixture::QUEUE as u64, 0]);
    assert_eq!(fixture.outbox.depth().0, Fixture::QUEUE);
}

/// What a server confirms.
#[derive(Clone, Copy)]
enum Sent {
    Publish,
    Entry,
}

/// A server confirms three publishes, or entries, and is left, or only lost; the next connection leads
/// elsewhere, or not. What is counted in the end.
async fn after_a_change(sent: Sent, left: bool, next: &str) -> [u64; 3] {
    let (mut fixture, mut first) = Fixture::connected().await;
    let confirmed = SystemTime::now() - Duration::from_secs(1);
    *fixture.servers.told.confirmed.lock().unwrap() = Some(confirmed);
    for _ in 0..3 {
        match sent {
            Sent::Publish => {
                fixture.publish("x");
                first.answer("PUBLISH c x", ":1\r\n").await;
            }
            Sent::Entry => {
                fixture.add("x");
                first.answer("XADD s x", "$3\r\n1-1\r\n").await;
            }
        }
    }
    fixture.sleep(&mut first, 2).await;
    assert_eq!(fixture.inbox.counts(), [3, 0, 0]);
    if left {
        fixture.servers.told.left.send_replace("test:6379".to_owned());
    } else {
        drop(first);
    }
    fixture.inbox.expect(&["disconnect", "reconnecting 1"]).await;
    let _second = fixture.servers.attempt().await.accept_at(next, 1024);
    fixture.inbox.expect(&["connect"]).await;
    let counts = fixture.inbox.counts();
    if counts[2] > 0 {
        fixture.inbox.expect(&["gap 0 3"]).await;
    }
    assert!(fixture.inbox.unseen().is_empty());
    counts
}

#[tokio::test(start_paused = true)]
async fn what_a_server_confirms_that_the_others_have_left_counts_as_unconfirmed() {
    for sent in [Sent::Publish, Sent::Entry] {
        assert_eq!(after_a_change(sent, true, "other:6379").await, [0, 0, 3]);
        assert_eq!(after_a_change(sent, false, "other:6379").await, [3, 0, 0]);
        assert_eq!(after_a_change(sent, false, "test:6379").await, [3, 0, 0]);
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_server_confirms_last_before_it_is_gone_counts_as_unconfirmed() {
    for (next, unconfirmed) in [("other:6379", 1), ("test:6379", 0)] {
        let (mut fixture, mut first) = Fixture::connected().await;
        // The others have not left it.
        *fixture.servers.told.confirmed.lock().unwrap() =
            Some(SystemTime::now() + Duration::from_secs(1));
        for number in 1..=3 {
            fixture.publish("x");
            first.answer("PUBLISH c x", ":1\r\n").await;
            while fixture.inbox.counts()[0] < number {
                tokio::task::yield_now().await;
            }
        }
        drop(first);
        fixture.inbox.expect(&["disconnect", "reconnecting 1"]).await;
        let _second = fixture.servers.attempt().await.accept_at(next, 1024);
        fixture.inbox.expect(&["connect"]).await;
        if unconfirmed > 0 {
            fixture.inbox.expect(&["gap 0 1"]).await;
        }
        assert_eq!(fixture.inbox.counts(), [3 - unconfirmed, 0, unconfirmed]);
        assert!(fixture.inbox.unseen().is_empty());
    }
}

/// What a master says that is asked for its role.
const MASTER: &str = "$13\r\nrole:master\r\n\r\n";

/// A server that says to be a master confirms three publishes, one of them before it has said so again,
/// and becomes a replica.
async fn after_a_turn(confirmed: Option<SystemTime>) -> [u64; 3] {
    const REPLICA: &str = "$12\r\nrole:slave\r\n\r\n";
    let mut fixture = Fixture::new();
    let mut first = fixture.servers.attempt().await.accept_master();
    fixture.inbox.expect(&["connect"]).await;
    *fixture.servers.told.confirmed.lock().unwrap() = confirmed;
    fixture.publish("x");
    first.answer("PUBLISH c x", ":1\r\n").await;
    first.answer("INFO replication", MASTER).await;
    for _ in 0..2 {
        fixture.publish("x");
        first.answer("PUBLISH c x", ":1\r\n").await;
    }
    first.answer("INFO replication", REPLICA).await;
    fixture.inbox.expect(&["disconnect", "reconnecting 1"]).await;
    let counts = fixture.inbox.counts();
    let _second = fixture.servers.accept().await;
    fixture.inbox.expect(&["connect", &format!("gap 0 {}", counts[2])]).await;
    assert!(fixture.inbox.unseen().is_empty());
    assert_eq!(fixture.inbox.counts(), counts);
    counts
}

#[tokio::test(start_paused = true)]
async fn what_a_server_confirms_that_is_no_master_any_more_counts_as_unconfirmed() {
    assert_eq!(after_a_turn(None).await, [1, 0, 2]);
    // Its own word counts for nothing where others tell.
    let confirmed = SystemTime::now() - Duration::from_secs(1);
    assert_eq!(after_a_turn(Some(confirmed)).await, [0, 0, 3]);
}

#[tokio::test(start_paused = true)]
async fn what_a_server_has_passed_on_before_it_said_that_it_is_the_master_is_not_in_doubt() {
    let mut fixture = Fixture::new();
    let mut first = fixture.servers.attempt().await.accept_master();
    *fixture.servers.told.confirmed.lock().unwrap() =
        Some(SystemTime::now() + Duration::from_secs(1));
    fixture.publish("x");
    first.answer("PUBLISH c x", ":1\r\n").await;
    for _ in 0..2 {
        first.answer("INFO replication", MASTER).await;
    }
    drop(first);
    fixture.inbox.expect(&["connect", "disconnect", "reconnecting 1"]).await;
    let _second = fixture.servers.attempt().await.accept_at("other:6379", 1024);
    fixture.inbox.expect(&["connect"]).await;
    assert_eq!(fixture.inbox.counts(), [1, 0, 0]);
    assert!(fixture.inbox.unseen().is_empty());
}
