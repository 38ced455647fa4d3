//! Which silences end a writer's connection.

use tokio::time::{Duration, Instant, advance, sleep};

use super::super::testing::Fixture;
use crate::connection::{Patience, Purpose};

/// Within this time a dead connection is given up.
const NOTICED: Duration = Duration::from_secs(10);
/// The same where another one is let in at once.
const REPLACED: Duration = Duration::from_secs(3);

#[tokio::test(start_paused = true)]
async fn a_dead_connection_is_given_up_for_the_second_one() {
    for publishes in [false, true] {
        let (mut fixture, mut dead) = Fixture::connected().await;
        let since = Instant::now();
        fixture.command("a", Some(1));
        let attempt = fixture.servers.attempt().await;
        assert_eq!(attempt.patience, Patience::UntilAnswered);
        assert_eq!(attempt.purpose, Purpose::Command);
        let mut server = attempt.accept();
        // What is written to a dead connection is no sign of life.
        while publishes && !fixture.task.is_finished() {
            sleep(Duration::from_millis(300)).await;
            if fixture.inbox.unseen().contains(&"disconnect".to_owned()) {
                break;
            }
            fixture.publish("x");
            assert!(since.elapsed() <= REPLACED, "{:?}", since.elapsed());
        }
        server.expect("HGET a").await;
        assert!(since.elapsed() <= REPLACED, "{:?}", since.elapsed());
        server.say("$1\r\ny\r\n").await;
        // The first one is closed, and there was no pause.
        assert_eq!(dead.command().await.as_deref(), Some("HGET a"));
        while dead.command().await.is_some() {}
        fixture.sleep(&mut server, 60).await;
        assert!(fixture.servers.is_idle());
        assert_eq!(fixture.outbox.depth(), (0, 0));
        let unseen = fixture.inbox.unseen();
        assert!(!unseen.iter().any(|seen| seen.starts_with("reconnecting")), "{unseen:?}");
        assert!(unseen.contains(&"reply 1 y".to_owned()), "{unseen:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn questions_about_the_role_are_no_progress() {
    let mut fixture = Fixture::new();
    let _dead = fixture.servers.attempt().await.accept_master();
    let since = Instant::now();
    fixture.publish("x");
    fixture.servers.attempt().await.accept();
    fixture.inbox.expect(&["connect", "disconnect"]).await;
    assert!(since.elapsed() <= REPLACED, "{:?}", since.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_dead_connection_that_takes_no_more_bytes_is_given_up() {
    let mut fixture = Fixture::new();
    let _dead = fixture.servers.attempt().await.accept_with(1);
    let since = Instant::now();
    // What waits grows at every tick.
    while fixture.servers.is_idle() {
        assert!(since.elapsed() <= NOTICED, "it is not even suspected");
        fixture.publish("x");
        sleep(Duration::from_millis(300)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_stalls_keeps_its_connection() {
    let (mut fixture, mut server) = Fixture::connected().await;
    fixture.publish("0");
    let attempt = fixture.servers.attempt().await;
    let state = |fixture: &Fixture| fixture.inbox.events.links.publisher.name();
    fixture.inbox.expect(&["error ERR_STALLED"]).await;
    assert_eq!(state(&fixture), "stalled");
    (1..10).for_each(|number| fixture.publish(&number.to_string()));
    fixture.command("a", Some(1));
    sleep(Duration::from_secs(20)).await;
    assert!(fixture.inbox.unseen().is_empty());
    for number in 0..10 {
        server.answer(&format!("PUBLISH c {number}"), ":1\r\n").await;
    }
    server.answer("HGET a", "$1\r\ny\r\n").await;
    fixture.inbox.expect(&["reply 1 y"]).await;
    assert_eq!(state(&fixture), "connected");
    fixture.sleep(&mut server, 60).await;
    assert_eq!(fixture.inbox.counts(), [10, 0, 0]);
    assert!(fixture.inbox.unseen().is_empty());
    assert!(attempt.is_given_up());
    assert!(fixture.servers.is_idle());
}

#[tokio::test(start_paused = true)]
async fn a_server_that_is_not_there_has_lost_the_connection() {
    let (mut fixture, _dead) = Fixture::connected().await;
    let since = Instant::now();
    fixture.servers.attempt().await.refuse();
    fixture.inbox.expect(&["disconnect", "reconnecting 1"]).await;
    assert!(since.elapsed() <= Duration::from_secs(5), "{:?}", since.elapsed());
    fixture.servers.accept().await;
    fixture.inbox.expect(&["connect"]).await;
}

#[tokio::test(start_paused = true)]
async fn a_process_that_was_frozen_finds_its_answers() {
    let (mut fixture, mut server) = Fixture::connected().await;
    for _ in 0..20 {
        server.expect("PING").await;
        fixture.publish("x");
        server.expect("PUBLISH c x").await;
        server.say("+PONG\r\n:1\r\n").await;
        advance(Duration::from_secs(60)).await;
    }
    fixture.sleep(&mut server, 60).await;
    assert!(fixture.inbox.unseen().is_empty());
    assert!(fixture.servers.is_idle());
    assert_eq!(fixture.inbox.counts(), [20, 0, 0]);
}

#[tokio::test(start_paused = true)]
async fn a_process_that_was_frozen_reads_before_it_judges_a_suspect() {
    for _ in 0..20 {
        let (mut fixture, mut server) = Fixture::connected().await;
        assert_eq!(server.command().await.as_deref(), Some("PING"));
        let mut second = fixture.servers.accept().await;
        // The next tick is the last one.
        sleep(Duration::from_millis(750)).await;
        // It is woken by the tick, and finds the answer too when it runs.
        advance(Duration::from_secs(60)).await;
        server.say("+PONG\r\n").await;
        second.expect_closed().await;
        fixture.sleep(&mut server, 5).await;
        assert!(fixture.inbox.unseen().is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn a_large_write_that_makes_slow_progress_is_not_silence() {
    let mut fixture = Fixture::new();
    let mut server = fixture.servers.attempt().await.accept_with(1024);
    fixture.inbox.expect(&["connect"]).await;
    let payload = "x".repeat(100 * 1024);
    fixture.publish(&payload);
    // A hundred parts, one in 900 ms.
    let command = server.command_slowly(Duration::from_millis(900)).await;
    assert_eq!(command, format!("PUBLISH c {payload}"));
    server.say(":1\r\n").await;
    fixture.sleep(&mut server, 60).await;
    assert_eq!(fixture.inbox.counts(), [1, 0, 0]);
    assert!(fixture.inbox.unseen().is_empty());
    assert!(fixture.servers.is_idle());
}

#[tokio::test(start_paused = true)]
async fn a_large_reply_that_arrives_slowly_is_not_silence() {
    let (mut fixture, mut server) = Fixture::connected().await;
    fixture.command("a", Some(1));
    server.expect("HGET a").await;
    server.say("$20\r\n").await;
    for _ in 0..20 {
        sleep(Duration::from_millis(1100)).await;
        server.say("x").await;
    }
    server.say("\r\n").await;
    fixture.inbox.expect(&[&format!("reply 1 {}", "x".repeat(20))]).await;
    assert!(fixture.servers.is_idle());
}
