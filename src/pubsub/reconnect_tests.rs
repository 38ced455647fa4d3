//! What a session restores, and what it says about the time between.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::time::{Instant, sleep};

use crate::connection::testing::{Server, message, push};
use crate::pubsub::testing::{Fixture, TestSubscriber};
use crate::pubsub::{Consumer, Kind, Need, Session};

const NOPERM: &str = "-NOPERM this user has no permissions to access the channel\r\n";

/// Reads these subscriptions, in whatever order they come.
async fn expect_subscriptions(server: &mut Server, channels: &[&str]) -> Vec<String> {
    let mut commands = Vec::new();
    for _ in channels {
        commands.push(server.command().await.unwrap());
    }
    let mut sorted = commands.clone();
    sorted.sort_unstable();
    let expected: Vec<_> = channels.iter().map(|channel| format!("SUBSCRIBE {channel}")).collect();
    assert_eq!(sorted, expected);
    commands
}

async fn answer(server: &mut Server, command: &str) {
    let channel = command.strip_prefix("SUBSCRIBE ").unwrap();
    server.say(&push(&["subscribe", channel, "1"])).await;
}

#[tokio::test(start_paused = true)]
async fn all_is_subscribed_anew_and_connected_once_all_is_answered() {
    let (mut fixture, mut server) = Fixture::connected("a").await;
    for channel in ["b", "c"] {
        fixture.subscribe(channel, None);
        server.confirm(channel).await;
    }
    drop(server);
    fixture.expect_all(&["Disconnected", "Retrying 1"]).await;
    let mut server = fixture.servers.accept().await;
    let commands = expect_subscriptions(&mut server, &["a", "b", "c"]).await;
    for command in &commands {
        sleep(Duration::from_millis(100)).await;
        assert!(fixture.unseen().is_empty());
        answer(&mut server, command).await;
    }
    fixture.expect_all(&["Connected", "Gap"]).await;
    server.say(&message("c", "hello")).await;
    fixture.expect("message c hello").await;
}

#[tokio::test(start_paused = true)]
async fn a_gap_begins_when_the_last_answered_ping_was_sent() {
    for last in ["+PONG\r\n", "-MISCONF no\r\n", "*2\r\n$4\r\npong\r\n$0\r\n\r\n"] {
        let (mut fixture, mut server) = Fixture::connected("a").await;
        server.answer("PING", "+PONG\r\n").await;
        let earliest = SystemTime::now();
        server.expect("PING").await;
        let latest = SystemTime::now();
        // So that the answer comes later than the latest time.
        std::thread::sleep(Duration::from_millis(1));
        server.say(last).await;
        // One that is not answered.
        server.expect("PING").await;
        drop(server);
        fixture.expect_all(&["Disconnected", "Retrying 1"]).await;
        let mut server = fixture.servers.accept().await;
        server.confirm("a").await;
        fixture.expect("Connected").await;
        let since = fixture.expect_gap().await;
        assert!(earliest <= since && since <= latest, "{last}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_gap_goes_on_over_connections_that_were_never_up() {
    let (mut fixture, server) = Fixture::connected("a").await;
    let latest = SystemTime::now();
    drop(server);
    fixture.expect_all(&["Disconnected", "Retrying 1"]).await;
    for attempt in 2..=5 {
        let mut server = fixture.servers.accept().await;
        server.expect("SUBSCRIBE a").await;
        drop(server);
        fixture.expect(&format!("Retrying {attempt}")).await;
    }
    fixture.servers.attempt().await.refuse();
    fixture.expect("Retrying 6").await;
    let mut server = fixture.servers.accept().await;
    server.confirm("a").await;
    fixture.expect("Connected").await;
    assert!(fixture.expect_gap().await <= latest);
    server.until(sleep(Duration::from_secs(60))).await;
    assert!(fixture.unseen().is_empty());
}

#[tokio::test(start_paused = true)]
async fn changes_that_never_end_do_not_delay_what_was_restored() {
    let mut fixture = Fixture::new(&["a"]);
    let mut server = fixture.servers.accept().await;
    server.expect("SUBSCRIBE a").await;
    // One change is always under way.
    fixture.subscribe("b", None);
    server.expect("SUBSCRIBE b").await;
    server.say(&push(&["subscribe", "a", "1"])).await;
    fixture.expect("Connected").await;
    server.say(&push(&["subscribe", "b", "2"])).await;
}

#[tokio::test(start_paused = true)]
async fn nothing_that_is_wanted_is_all_that_is_wanted() {
    let mut fixture = Fixture::new(&[]);
    let _server = fixture.servers.accept().await;
    fixture.expect("Connected").await;
}

#[tokio::test(start_paused = true)]
async fn a_refusal_that_lasts_is_reported_once_over_connections() {
    let mut fixture = Fixture::new(&["a"]);
    let mut server = fixture.servers.accept().await;
    server.answer("SUBSCRIBE a", NOPERM).await;
    fixture.expect_all(&["Degraded", "error ERR_SUBSCRIPTION_REFUSED"]).await;
    for _ in 0..3 {
        drop(server);
        fixture.expect_all(&["Disconnected", "Retrying 1"]).await;
        server = fixture.servers.accept().await;
        server.answer("SUBSCRIBE a", NOPERM).await;
        fixture.expect_all(&["Degraded", "Gap"]).await;
    }
    server.confirm("a").await;
    fixture.expect_all(&["Connected", "Gap"]).await;
}

#[tokio::test(start_paused = true)]
async fn a_grant_while_others_are_restored_keeps_the_gap_since_the_refusal() {
    // In whatever order they are restored.
    for _ in 0..20 {
        grant_while_another_is_restored().await;
    }
}

async fn grant_while_another_is_restored() {
    let mut fixture = Fixture::new(&["a", "b"]);
    let mut server = fixture.servers.accept().await;
    for command in expect_subscriptions(&mut server, &["a", "b"]).await {
        if command == "SUBSCRIBE a" {
            server.say(NOPERM).await;
        } else {
            answer(&mut server, &command).await;
        }
    }
    // The status is known with the last answer, which is the refusal or the other one.
    let mut seen = [fixture.next().await.label(), fixture.next().await.label()];
    seen.sort();
    assert_eq!(seen, ["Degraded", "error ERR_SUBSCRIPTION_REFUSED"]);
    let refused = SystemTime::now();
    // The retry is granted nothing, and a ping is answered later.
    std::thread::sleep(Duration::from_millis(1));
    loop {
        match server.command().await.as_deref() {
            Some("SUBSCRIBE a") => server.say(NOPERM).await,
            command => break assert_eq!(command, Some("PING")),
        }
    }
    server.say("+PONG\r\n").await;
    sleep(Duration::from_millis(1)).await;
    drop(server);
    fixture.expect_all(&["Disconnected", "Retrying 1"]).await;
    let mut server = fixture.servers.accept().await;
    for command in expect_subscriptions(&mut server, &["a", "b"]).await {
        sleep(Duration::from_millis(100)).await;
        answer(&mut server, &command).await;
    }
    fixture.expect("Connected").await;
    let gaps = [fixture.expect_gap().await, fixture.expect_gap().await];
    assert!(gaps.into_iter().min().unwrap() <= refused);
}

/// Wants a channel where it may not have a pattern.
struct Replacing {
    session: Arc<Session<TestSubscriber>>,
    consumer: Arc<dyn Consumer>,
}

impl Consumer for Replacing {
    fn message(&self, channel: &[u8], payload: &[u8]) {
        self.consumer.message(channel, payload);
    }

    fn refused(&self) {
        let consumer = Arc::clone(&self.consumer);
        self.session.subscribe(Kind::Channel, "instead", consumer, Need::Required, None);
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_wanted_instead_of_what_is_refused_is_restored_with_the_rest() {
    let (mut fixture, mut server) = Fixture::connected("a").await;
    let (session, consumer) = (Arc::clone(&fixture.session), Arc::clone(&fixture.consumer));
    let replacing = Arc::new(Replacing { session, consumer });
    fixture.session.subscribe(Kind::Pattern, "p", replacing, Need::Replaceable, Some(1));
    server.answer("PSUBSCRIBE p", &push(&["psubscribe", "p", "2"])).await;
    fixture.expect("settled 1").await;
    drop(server);
    fixture.expect_all(&["Disconnected", "Retrying 1"]).await;
    let mut server = fixture.servers.accept().await;
    server.confirm("a").await;
    server.answer("PSUBSCRIBE p", NOPERM).await;
    server.expect("SUBSCRIBE instead").await;
    sleep(Duration::from_millis(100)).await;
    assert!(fixture.unseen().is_empty());
    server.say(&push(&["subscribe", "instead", "2"])).await;
    fixture.expect_all(&["Connected", "Gap"]).await;
    server.say(&message("instead", "hello")).await;
    fixture.expect("message instead hello").await;
    // It is not asked for again, not even on another connection.
    drop(server);
    fixture.expect_all(&["Disconnected", "Retrying 1"]).await;
    let mut server = fixture.servers.accept().await;
    for command in expect_subscriptions(&mut server, &["a", "instead"]).await {
        answer(&mut server, &command).await;
    }
    fixture.expect_all(&["Connected", "Gap"]).await;
    server.until(sleep(Duration::from_secs(60))).await;
}

#[tokio::test(start_paused = true)]
async fn a_leave_that_was_not_confirmed_is_done_when_the_connection_breaks() {
    let (mut fixture, mut server) = Fixture::connected("a").await;
    fixture.unsubscribe("a", Some(1));
    server.expect("UNSUBSCRIBE a").await;
    drop(server);
    fixture.expect_all(&["settled 1", "Disconnected", "Retrying 1"]).await;
    let mut server = fixture.servers.accept().await;
    fixture.expect_all(&["Connected", "Gap"]).await;
    server.until(sleep(Duration::from_secs(60))).await;
}

#[tokio::test(start_paused = true)]
async fn commands_behind_the_limit_follow_as_answers_come() {
    const COUNT: usize = 2500;
    let names: Vec<String> = (0..COUNT).map(|number| format!("channel {number}")).collect();
    let mut fixture = Fixture::new(&names.iter().map(String::as_str).collect::<Vec<_>>());
    let mut server = fixture.servers.accept().await;
    let mut owed = Vec::new();
    for _ in 0..1000 {
        owed.push(server.command().await.unwrap());
    }
    let more = tokio::time::timeout(Duration::from_millis(500), server.command()).await;
    assert!(more.is_err(), "{more:?}");
    for read in 0..COUNT {
        if read >= 1000 {
            owed.push(server.command().await.unwrap());
        }
        assert!(fixture.unseen().is_empty());
        answer(&mut server, &owed.remove(0)).await;
    }
    for command in owed {
        answer(&mut server, &command).await;
    }
    fixture.expect("Connected").await;
}

#[tokio::test(start_paused = true)]
async fn a_gap_begins_when_the_server_was_last_known_to_be_the_right_one() {
    let (mut fixture, server) = Fixture::connected("a").await;
    let confirmed = SystemTime::now() - Duration::from_secs(60);
    *fixture.servers.told.confirmed.lock().unwrap() = Some(confirmed);
    fixture.servers.told.left.send_replace("test:6379".to_owned());
    fixture.expect_all(&["Disconnected", "Retrying 1"]).await;
    drop(server);
    let mut second = fixture.servers.attempt().await.accept_at("other:6379", 1024);
    second.confirm("a").await;
    second.until(fixture.expect("Connected")).await;
    assert_eq!(fixture.expect_gap().await, confirmed);
}

#[tokio::test(start_paused = true)]
async fn another_server_is_tried_without_a_pause() {
    let (mut fixture, server) = Fixture::connected("a").await;
    drop(server);
    for _ in 0..5 {
        fixture.servers.attempt().await.refuse();
    }
    // Within the pause after the fifth.
    sleep(Duration::from_millis(1)).await;
    let since = Instant::now();
    fixture.servers.told.elsewhere.notify_one();
    fixture.servers.accept().await.confirm("a").await;
    assert_eq!(since.elapsed(), Duration::ZERO);
}
