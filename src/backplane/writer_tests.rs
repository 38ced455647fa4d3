//! What a writer sends, and what it makes of the answers.

use tokio::time::{Duration, Instant, advance, sleep, timeout};

use super::super::request::Request;
use super::super::testing::{Broken, Fixture};
use crate::connection::testing::Server;
use crate::event_loop::Counters;

/// Reads commands until no more come; how many, and their bytes.
async fn read_all(server: &mut Server) -> (usize, usize) {
    let (mut count, mut bytes) = (0, 0);
    while let Ok(command) = timeout(Duration::from_millis(100), server.command()).await {
        count += 1;
        bytes += command.unwrap().len();
    }
    (count, bytes)
}

#[tokio::test(start_paused = true)]
async fn a_batch_is_written_before_the_one_before_is_answered() {
    let (mut fixture, mut server) = Fixture::connected().await;
    for payload in ["1", "2", "3"] {
        fixture.publish(payload);
        server.expect(&format!("PUBLISH c {payload}")).await;
    }
    fixture.command("x", Some(7));
    server.expect("HGET x").await;
    assert_eq!(fixture.inbox.counts(), [0, 0, 0]);
    server.say(":1\r\n:1\r\n:1\r\n$1\r\ny\r\n").await;
    fixture.inbox.expect(&["reply 7 y"]).await;
    assert_eq!(fixture.inbox.counts(), [3, 0, 0]);
    assert_eq!(fixture.outbox.depth(), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn large_bursts_leave_without_waiting_for_answers_up_to_a_limit() {
    const COUNT: usize = 200;
    const MAX_BYTES: usize = 4 * 1024 * 1024;
    let (mut fixture, mut server) = Fixture::connected().await;
    let payload = "x".repeat(64 * 1024);
    (0..COUNT).for_each(|_| fixture.publish(&payload));
    let (mut read, bytes) = read_all(&mut server).await;
    assert!((MAX_BYTES - 4096..MAX_BYTES + 256 * 1024).contains(&bytes), "{bytes}");
    // As many more as are answered.
    server.say(&":1\r\n".repeat(10)).await;
    let more = read_all(&mut server).await.0;
    assert!((8..=12).contains(&more), "{more}");
    server.say(&":1\r\n".repeat(read + more - 10)).await;
    read += more;
    while read < COUNT {
        let more = read_all(&mut server).await.0;
        server.say(&":1\r\n".repeat(more)).await;
        read += more;
    }
    fixture.sleep(&mut server, 5).await;
    assert_eq!(fixture.inbox.counts(), [COUNT as u64, 0, 0]);
    assert!(fixture.inbox.unseen().is_empty());
}

#[tokio::test(start_paused = true)]
async fn small_requests_are_limited_in_number() {
    const COUNT: usize = 40_000;
    const MAX_OWED: usize = 16 * 1024;
    let (mut fixture, mut server) = Fixture::connected().await;
    (0..COUNT).for_each(|_| fixture.publish("x"));
    let mut read = 0;
    while read < COUNT {
        let (count, _) = read_all(&mut server).await;
        assert!(count > 0 && count <= MAX_OWED + 512, "{count}");
        assert!(read > 0 || count >= MAX_OWED, "{count}");
        read += count;
        server.say(&":1\r\n".repeat(count)).await;
    }
    fixture.sleep(&mut server, 5).await;
    assert_eq!(fixture.inbox.counts(), [COUNT as u64, 0, 0]);
    assert!(fixture.inbox.unseen().is_empty());
}

#[tokio::test(start_paused = true)]
async fn errors_answer_their_own_commands_and_pings_lie_between() {
    let (mut fixture, mut server) = Fixture::connected().await;
    for ping in ["+PONG", "-MISCONF no", "-BUSY no", "-NOPERM no", "-ERR unknown command 'PING'"] {
        server.expect("PING").await;
        fixture.command("a", Some(1));
        fixture.publish("p");
        fixture.command("b", Some(2));
        fixture.command("c", None);
        fixture.command("d", Some(3));
        for command in ["HGET a", "PUBLISH c p", "HGET b", "HGET c", "HGET d"] {
            server.expect(command).await;
        }
        server.say(&format!("{ping}\r\n-ERR a\r\n:1\r\n$1\r\n2\r\n:1\r\n-ERR d\r\n")).await;
        let replies = ["failed 1 ERR_REDIS_REPLY", "reply 2 2", "failed 3 ERR_REDIS_REPLY"];
        fixture.inbox.expect(&replies).await;
    }
    assert_eq!(fixture.inbox.counts(), [5, 0, 0]);
    assert!(fixture.servers.is_idle());
}

#[tokio::test(start_paused = true)]
async fn who_waits_for_a_publish_is_answered() {
    let (mut fixture, mut server) = Fixture::connected().await;
    fixture.publish_for("1", Some(7));
    fixture.publish_for("2", Some(8));
    server.answer("PUBLISH c 1", ":1\r\n").await;
    fixture.inbox.expect(&["reply 7"]).await;
    server.answer("PUBLISH c 2", "-NOPERM no\r\n").await;
    fixture.inbox.expect(&["error ERR_REDIS_REPLY", "failed 8 ERR_REDIS_REPLY"]).await;
    assert_eq!(fixture.inbox.counts(), [1, 1, 0]);
    fixture.publish_for("3", Some(9));
    server.expect("PUBLISH c 3").await;
    drop(server);
    fixture.inbox.expect(&["failed 9 ERR_CONNECTION_LOST", "disconnect", "reconnecting 1"]).await;
    assert_eq!(fixture.inbox.counts(), [1, 1, 1]);
    assert_eq!(fixture.outbox.depth(), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_refused_publish_is_dropped_and_reported_once_until_one_works() {
    let (mut fixture, mut server) = Fixture::connected().await;
    for outage in 1..=2 {
        for payload in ["1", "2", "3"] {
            fixture.publish(payload);
            server.answer(&format!("PUBLISH c {payload}"), "-NOPERM no\r\n").await;
        }
        fixture.inbox.expect(&["error ERR_REDIS_REPLY"]).await;
        fixture.sleep(&mut server, 100).await;
        assert_eq!(fixture.inbox.counts(), [outage - 1, 3 * outage, 0]);
        assert!(fixture.inbox.unseen().is_empty());
        fixture.publish("4");
        server.answer("PUBLISH c 4", ":1\r\n").await;
        fixture.inbox.expect(&["gap 3 0"]).await;
        fixture.sleep(&mut server, 1).await;
        assert_eq!(fixture.inbox.counts(), [outage, 3 * outage, 0]);
    }
    assert!(fixture.inbox.unseen().is_empty());
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_is_not_owed_ends_the_connection() {
    let (mut fixture, mut server) = Fixture::connected().await;
    server.say(":1\r\n").await;
    fixture.inbox.expect(&["disconnect", "reconnecting 1"]).await;
    server.expect_closed().await;
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_encoded_is_left_out() {
    for (panics, code) in [(false, "ERR_ENCODE"), (true, "ERR_INTERNAL")] {
        let (mut fixture, mut server) = Fixture::connected().await;
        fixture.publish("1");
        server.expect("PUBLISH c 1").await;
        fixture.publish("2");
        fixture.outbox.push(Request::publish(Broken { panics }), None);
        fixture.publish("3");
        server.expect("PUBLISH c 2").await;
        server.expect("PUBLISH c 3").await;
        server.say(":1\r\n:1\r\n:1\r\n").await;
        fixture.inbox.expect(&[&format!("error {code}")]).await;
        fixture.sleep(&mut server, 5).await;
        assert_eq!(fixture.inbox.counts(), [3, 1, 0]);
        assert_eq!(fixture.outbox.depth(), (0, 0));
        let internal = Counters::read(&fixture.inbox.events.counters().internal_errors);
        assert_eq!(internal, u64::from(panics));
        assert!(fixture.inbox.unseen().is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn is_finished_once_closed_and_all_is_answered() {
    let (mut fixture, mut server) = Fixture::connected().await;
    fixture.publish("1");
    fixture.command("a", Some(1));
    fixture.outbox.close();
    server.expect("PUBLISH c 1").await;
    server.answer("HGET a", ":1\r\n").await;
    fixture.sleep(&mut server, 5).await;
    assert!(!fixture.task.is_finished(), "one answer is missing");
    server.say(":1\r\n").await;
    (&mut fixture.task).await.unwrap();
    assert_eq!(fixture.inbox.counts(), [1, 0, 0]);
    // Later ones are refused.
    fixture.command("b", Some(2));
    fixture.publish("2");
    fixture.inbox.expect(&["reply 1 1", "failed 2 ERR_CLOSED"]).await;
    assert_eq!(fixture.inbox.counts(), [1, 2, 0]);
}

#[tokio::test(start_paused = true)]
async fn is_finished_at_once_where_nothing_waits() {
    let (mut fixture, _server) = Fixture::connected().await;
    fixture.outbox.close();
    (&mut fixture.task).await.unwrap();
    let mut fixture = Fixture::new();
    fixture.outbox.close();
    (&mut fixture.task).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn what_is_left_when_it_is_given_up_fails_and_is_counted() {
    let (mut fixture, mut server) = Fixture::connected().await;
    fixture.command("a", Some(1));
    fixture.publish("1");
    server.expect("HGET a").await;
    server.expect("PUBLISH c 1").await;
    drop(server);
    fixture.inbox.expect(&["disconnect", "reconnecting 1"]).await;
    fixture.publish("2");
    fixture.outbox.close();
    fixture.task.abort();
    assert!((&mut fixture.task).await.is_err());
    fixture.writer.abandon();
    fixture.inbox.expect(&["failed 1 ERR_CLOSED", "gap 2 1"]).await;
    assert_eq!(fixture.inbox.counts(), [0, 2, 1]);
    assert_eq!(fixture.outbox.depth(), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_command_that_waits_for_a_connection_has_its_time() {
    let mut fixture = Fixture::new();
    let since = Instant::now();
    fixture.command("a", Some(1));
    fixture.publish("1");
    fixture.inbox.expect(&["failed 1 ERR_COMMAND_TIMEOUT"]).await;
    let took = since.elapsed();
    assert!(took >= Fixture::TIMEOUT && took < Fixture::TIMEOUT + Duration::from_secs(1));
    // It is not sent any more.
    let mut server = fixture.servers.accept().await;
    server.answer("PUBLISH c 1", ":1\r\n").await;
    fixture.inbox.expect(&["connect"]).await;
    fixture.sleep(&mut server, 60).await;
    assert!(fixture.inbox.unseen().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_late_answer_is_no_answer() {
    let (mut fixture, mut server) = Fixture::connected().await;
    // Pending, so that the connection is kept.
    fixture.command("a", Some(1));
    server.expect("HGET a").await;
    let attempt = fixture.servers.attempt().await;
    fixture.inbox.expect(&["error ERR_STALLED", "failed 1 ERR_COMMAND_TIMEOUT"]).await;
    fixture.command("b", Some(2));
    server.expect("HGET b").await;
    server.say("$4\r\nlate\r\n$1\r\nb\r\n").await;
    fixture.inbox.expect(&["reply 2 b"]).await;
    fixture.sleep(&mut server, 60).await;
    assert!(fixture.inbox.unseen().is_empty());
    assert!(attempt.is_given_up());
}

#[tokio::test(start_paused = true)]
async fn a_process_that_froze_as_it_asked_reads_the_answer_first() {
    let (mut fixture, mut server) = Fixture::connected().await;
    fixture.command("a", Some(1));
    // Nothing of this process has run since.
    advance(Fixture::TIMEOUT * 2).await;
    server.answer("HGET a", "$1\r\na\r\n").await;
    fixture.inbox.expect(&["reply 1 a"]).await;
}

#[tokio::test(start_paused = true)]
async fn a_command_whose_time_is_up_after_a_break_is_not_sent_again() {
    let (mut fixture, mut server) = Fixture::connected().await;
    fixture.command("a", Some(1));
    server.expect("HGET a").await;
    sleep(Duration::from_secs(1)).await;
    fixture.command("b", Some(2));
    server.expect("HGET b").await;
    drop(server);
    fixture.inbox.expect(&["disconnect", "reconnecting 1"]).await;
    let attempt = fixture.servers.attempt().await;
    fixture.inbox.expect(&["failed 1 ERR_COMMAND_TIMEOUT"]).await;
    let mut server = attempt.accept();
    server.answer("HGET b", "$1\r\nb\r\n").await;
    fixture.inbox.expect(&["connect", "reply 2 b"]).await;
    fixture.sleep(&mut server, 60).await;
    assert!(fixture.inbox.unseen().is_empty());
}

#[tokio::test(start_paused = true)]
async fn failed_attempts_are_reported_and_lie_further_and_further_apart() {
    let mut fixture = Fixture::new();
    let mut since = Instant::now();
    let mut pauses = Vec::new();
    for attempt in 1..=10 {
        fixture.servers.attempt().await.refuse();
        pauses.push(since.elapsed().as_millis());
        since = Instant::now();
        fixture.inbox.expect(&["error ERR_CONNECT", &format!("reconnecting {attempt}")]).await;
    }
    assert!(pauses[1] <= 110 && pauses[9] >= 400, "{pauses:?}");
}
