//! Which silences end a session's connection.

use std::time::Duration;

use tokio::time::{Instant, advance, sleep};

use crate::connection::Patience;
use crate::connection::testing::{message, push};
use crate::error::Error;
use crate::pubsub::testing::Fixture;

/// Within this time a dead connection is given up.
const NOTICED: Duration = Duration::from_secs(10);
/// The same where another one is let in at once.
const REPLACED: Duration = Duration::from_secs(3);

#[tokio::test(start_paused = true)]
async fn a_dead_connection_is_given_up_for_the_second_one() {
    let (mut fixture, mut dead) = Fixture::connected("a").await;
    let since = Instant::now();
    let attempt = fixture.servers.attempt().await;
    assert_eq!(attempt.patience, Patience::UntilAnswered);
    let mut server = attempt.accept();
    server.expect("SUBSCRIBE a").await;
    assert!(since.elapsed() <= REPLACED, "{:?}", since.elapsed());
    server.say(&push(&["subscribe", "a", "1"])).await;
    // No pause, and no further attempt.
    fixture.expect_all(&["Disconnected", "Connected", "Gap"]).await;
    assert_eq!(dead.command().await.as_deref(), Some("PING"));
    dead.expect_closed().await;
    server.until(sleep(Duration::from_secs(60))).await;
    assert!(fixture.unseen().is_empty());
    assert!(fixture.servers.is_idle());
}

#[tokio::test(start_paused = true)]
async fn a_server_that_stalls_keeps_its_connection() {
    let (mut fixture, mut server) = Fixture::connected("a").await;
    let attempt = fixture.servers.attempt().await;
    fixture.expect_all(&["error ERR_STALLED", "Stalled"]).await;
    fixture.subscribe("b", Some(1));
    sleep(Duration::from_secs(60)).await;
    assert!(fixture.unseen().is_empty());
    assert_eq!(server.command().await.as_deref(), Some("PING"));
    assert_eq!(server.command().await.as_deref(), Some("SUBSCRIBE b"));
    server.say("+PONG\r\n").await;
    for number in 0..10 {
        server.say(&message("a", &number.to_string())).await;
    }
    server.say(&push(&["subscribe", "b", "2"])).await;
    // As it was before the stall.
    fixture.expect("Connected").await;
    for number in 0..10 {
        fixture.expect(&format!("message a {number}")).await;
    }
    fixture.expect("settled 1").await;
    server.until(sleep(Duration::from_secs(60))).await;
    assert!(fixture.unseen().is_empty());
    assert!(attempt.is_given_up());
    assert!(fixture.servers.is_idle());
}

/// What listens for the connection to be whole must learn of it.
#[tokio::test(start_paused = true)]
async fn a_degraded_connection_is_degraded_after_a_stall_before_it_is_whole() {
    let (mut fixture, mut server) = Fixture::connected("a").await;
    fixture.subscribe("b", None);
    server.answer("SUBSCRIBE b", "-NOPERM no permissions\r\n").await;
    fixture.expect_all(&["Degraded", "error ERR_SUBSCRIPTION_REFUSED"]).await;
    server.expect("SUBSCRIBE b").await;
    let _attempt = fixture.servers.attempt().await;
    fixture.expect_all(&["error ERR_STALLED", "Stalled"]).await;
    server.say(&push(&["subscribe", "b", "2"])).await;
    fixture.expect_all(&["Degraded", "Connected", "Gap"]).await;
}

#[tokio::test(start_paused = true)]
async fn a_server_that_is_not_there_has_lost_the_connection() {
    let (mut fixture, _dead) = Fixture::connected("a").await;
    let since = Instant::now();
    fixture.servers.attempt().await.refuse();
    fixture.expect_all(&["Disconnected", "Retrying 1"]).await;
    assert!(since.elapsed() <= Duration::from_secs(5), "{:?}", since.elapsed());
    let mut server = fixture.servers.accept().await;
    server.confirm("a").await;
    fixture.expect_all(&["Connected", "Gap"]).await;
}

#[tokio::test(start_paused = true)]
async fn a_server_that_cannot_be_reached_is_not_said_to_stall() {
    let (mut fixture, _dead) = Fixture::connected("a").await;
    let since = Instant::now();
    let attempt = fixture.servers.attempt().await;
    // As long as reaching a server may take.
    sleep(Duration::from_secs(5)).await;
    attempt.refuse();
    fixture.expect_all(&["Disconnected", "Retrying 1"]).await;
    assert!(since.elapsed() <= NOTICED, "{:?}", since.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_server_that_turns_the_second_connection_away_has_time_to_answer_the_first() {
    let (mut fixture, mut server) = Fixture::connected("a").await;
    assert_eq!(server.command().await.as_deref(), Some("PING"));
    let full = || Error::Refused {
        endpoint: "test:6379".to_owned(),
        reply: "ERR max number of clients reached".to_owned(),
    };
    let attempt = fixture.servers.attempt().await;
    // Just before a tick; the first connection is answered just after it.
    sleep(Duration::from_millis(499)).await;
    attempt.fail(full());
    sleep(Duration::from_millis(2)).await;
    server.say("+PONG\r\n").await;
    server.until(sleep(Duration::from_secs(60))).await;
    assert!(fixture.unseen().is_empty());
    // And where it does not, it is dead.
    fixture.servers.attempt().await.fail(full());
    fixture.expect_all(&["Disconnected", "Retrying 1"]).await;
}

#[tokio::test(start_paused = true)]
async fn the_first_connection_goes_on_if_it_speaks_after_the_second_is_let_in() {
    let (mut fixture, mut server) = Fixture::connected("a").await;
    assert_eq!(server.command().await.as_deref(), Some("PING"));
    let mut second = fixture.servers.accept().await;
    sleep(Duration::from_millis(750)).await;
    server.say("+PONG\r\n").await;
    second.expect_closed().await;
    server.until(sleep(Duration::from_secs(60))).await;
    assert!(fixture.unseen().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_process_that_was_frozen_finds_its_answers() {
    let (mut fixture, mut server) = Fixture::connected("a").await;
    for _ in 0..20 {
        server.expect("PING").await;
        server.say("+PONG\r\n").await;
        server.say(&message("a", "late")).await;
        advance(Duration::from_secs(60)).await;
        fixture.expect("message a late").await;
    }
    server.until(sleep(Duration::from_secs(60))).await;
    assert!(fixture.unseen().is_empty());
    assert!(fixture.servers.is_idle());
}

#[tokio::test(start_paused = true)]
async fn a_process_that_was_frozen_reads_before_it_judges_a_suspect() {
    for _ in 0..20 {
        let (mut fixture, mut server) = Fixture::connected("a").await;
        assert_eq!(server.command().await.as_deref(), Some("PING"));
        let mut second = fixture.servers.accept().await;
        // The next tick is the last one.
        sleep(Duration::from_millis(750)).await;
        // It is woken by the tick, and finds the answer too when it runs.
        advance(Duration::from_secs(60)).await;
        server.say("+PONG\r\n").await;
        second.expect_closed().await;
        server.until(sleep(Duration::from_secs(5))).await;
        assert!(fixture.unseen().is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn a_full_mailbox_is_not_silence() {
    let (mut fixture, mut server) = Fixture::connected("a").await;
    fixture.session.subscriber.set_full(true);
    // It reads one, since it already waits for it.
    for number in 0..3 {
        server.say(&message("a", &number.to_string())).await;
    }
    fixture.expect("message a 0").await;
    fixture.subscribe("b", Some(1));
    server.confirm("b").await;
    server.until(sleep(Duration::from_secs(60))).await;
    assert!(fixture.unseen().is_empty());
    assert!(fixture.servers.is_idle());
    fixture.session.subscriber.set_full(false);
    fixture.expect_all(&["message a 1", "message a 2", "settled 1"]).await;
    server.until(sleep(Duration::from_secs(60))).await;
    assert!(fixture.unseen().is_empty());
    assert!(fixture.servers.is_idle());
}

#[tokio::test(start_paused = true)]
async fn a_large_message_that_arrives_slowly_is_not_silence() {
    let (mut fixture, mut server) = Fixture::connected("a").await;
    server.expect("PING").await;
    let text = message("a", &"x".repeat(1000));
    for byte in text.chars().collect::<Vec<_>>().chunks(10) {
        server.say(&byte.iter().collect::<String>()).await;
        sleep(Duration::from_millis(900)).await;
    }
    assert!(fixture.next().await.label().starts_with("message a xxx"));
    assert!(fixture.servers.is_idle());
}
