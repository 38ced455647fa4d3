//! What a session makes of Redis's answers.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::connection::testing::{Server, message, push};
use crate::error::Error;
use crate::pubsub::testing::{Fixture, Seen};
use crate::pubsub::{Kind, Need, SessionEvent};

const NOPERM: &str = "-NOPERM this user has no permissions to access the channel\r\n";

fn confirmation(channel: &str) -> String {
    push(&["subscribe", channel, "1"])
}

fn reason(seen: Seen) -> String {
    match seen {
        Seen::Event(SessionEvent::Disconnected(error)) | Seen::Failed(_, error) => {
            error.to_string()
        }
        seen => panic!("{seen:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn an_error_that_answers_a_ping_is_no_answer_to_a_subscription() {
    for refusal in [
        "-MISCONF Redis is configured to save RDB snapshots, but it is unable to persist",
        "-BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.",
        "-MASTERDOWN Link with MASTER is down",
        "-NOPERM User app has no permissions to run the 'ping' command",
        "-ERR unknown command 'PING', with args beginning with: ",
        "-ERR only (P)SUBSCRIBE / (P)UNSUBSCRIBE / QUIT allowed in this context",
    ] {
        let (mut fixture, mut server) = Fixture::connected("a").await;
        server.expect("PING").await;
        fixture.subscribe("b", Some(1));
        fixture.subscribe("c", Some(2));
        server.expect("SUBSCRIBE b").await;
        server.expect("SUBSCRIBE c").await;
        let (b, c) = (confirmation("b"), confirmation("c"));
        server.say(&format!("{refusal}\r\n{b}{c}")).await;
        fixture.expect_all(&["settled 1", "settled 2"]).await;
        // One behind them.
        server.answer("PING", &format!("{refusal}\r\n")).await;
        // And one before a refusal.
        server.expect("PING").await;
        fixture.subscribe("d", Some(3));
        server.expect("SUBSCRIBE d").await;
        server.say(&format!("{refusal}\r\n{NOPERM}")).await;
        fixture
            .expect_all(&[
                "Degraded",
                "error ERR_SUBSCRIPTION_REFUSED",
                "failed 3 ERR_SUBSCRIPTION_REFUSED",
            ])
            .await;
        server.say(&message("a", "hello")).await;
        fixture.expect("message a hello").await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_pong_has_two_forms() {
    let (mut fixture, mut server) = Fixture::connected("a").await;
    for pong in ["+PONG\r\n", "*2\r\n$4\r\npong\r\n$0\r\n\r\n"].repeat(10) {
        server.answer("PING", pong).await;
    }
    assert!(fixture.unseen().is_empty());
    assert!(fixture.servers.is_idle());
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_is_not_owed_ends_the_connection() {
    let list = "*1\r\n$5\r\nhello\r\n";
    for answer in [&*confirmation("other"), &push(&["psubscribe", "b", "1"]), "+PONG\r\n", list] {
        let (mut fixture, mut server) = Fixture::connected("a").await;
        fixture.subscribe("b", Some(1));
        server.answer("SUBSCRIBE b", answer).await;
        let disconnected = fixture.expect("Disconnected").await;
        assert!(reason(disconnected).contains("unexpected push message"), "{answer}");
        fixture.expect("Retrying 1").await;
        // The caller waits for the answer of the next connection.
        let mut server = fixture.servers.accept().await;
        let first = server.command().await.unwrap();
        let (first, second) = if first == "SUBSCRIBE a" { ("a", "b") } else { ("b", "a") };
        server.say(&confirmation(first)).await;
        server.confirm(second).await;
        fixture.expect_all(&["settled 1", "Connected"]).await;
    }
}

#[tokio::test(start_paused = true)]
async fn an_error_that_is_not_owed_is_the_reason_of_the_end() {
    let (mut fixture, mut server) = Fixture::connected("a").await;
    server.say("-ERR client is closed by an administrator\r\n").await;
    let reason = reason(fixture.expect("Disconnected").await);
    assert!(reason.contains("closed by an administrator"), "{reason}");
}

#[tokio::test(start_paused = true)]
async fn of_two_subscriptions_the_refused_one_fails() {
    let (mut fixture, mut server) = Fixture::connected("a").await;
    fixture.subscribe("b", Some(1));
    fixture.session.subscribe(
        Kind::Pattern,
        "c*",
        fixture.consumer.clone(),
        Need::Required,
        Some(2),
    );
    server.expect("SUBSCRIBE b").await;
    server.expect("PSUBSCRIBE c*").await;
    server.say(&format!("{NOPERM}{}", push(&["psubscribe", "c*", "1"]))).await;
    fixture.expect_all(&["Degraded", "error ERR_SUBSCRIPTION_REFUSED"]).await;
    let text = reason(fixture.expect("failed 1 ERR_SUBSCRIPTION_REFUSED").await);
    assert!(text.contains("SUBSCRIBE b: NOPERM"), "{text}");
    fixture.expect("settled 2").await;
    assert_eq!(fixture.session.refused_names(9), ["b"]);
    server.say(&push(&["pmessage", "c*", "cat", "meow"])).await;
    fixture.expect("message cat meow").await;
}

#[tokio::test(start_paused = true)]
async fn a_refusal_is_asked_again_until_it_is_granted() {
    let mut fixture = Fixture::new(&["a"]);
    let mut server = fixture.servers.accept().await;
    server.answer("SUBSCRIBE a", NOPERM).await;
    fixture.expect_all(&["Degraded", "error ERR_SUBSCRIPTION_REFUSED"]).await;
    let refused = std::time::SystemTime::now();
    let mut pauses = Vec::new();
    for _ in 0..20 {
        let since = Instant::now();
        server.answer("SUBSCRIBE a", NOPERM).await;
        pauses.push(since.elapsed().as_millis());
    }
    assert!((50..=110).contains(&pauses[0]), "{pauses:?}");
    assert!((400..=2100).contains(&pauses[19]), "{pauses:?}");
    assert!(fixture.unseen().is_empty(), "a refusal is reported once");
    server.confirm("a").await;
    fixture.expect("Connected").await;
    assert!(fixture.expect_gap().await <= refused);
    server.until(sleep(Duration::from_secs(60))).await;
    assert!(fixture.unseen().is_empty());
}

#[tokio::test(start_paused = true)]
async fn an_optional_subscription_is_refused_in_silence() {
    let (mut fixture, mut server) = Fixture::connected("a").await;
    fixture.want("b", Need::Optional, None);
    server.answer("SUBSCRIBE b", NOPERM).await;
    // Pings are answered, and nothing else is asked.
    server.until(sleep(Duration::from_secs(60))).await;
    assert!(fixture.unseen().is_empty());
}

/// Confirms these channels, in whatever order they are asked for.
async fn confirm_all(server: &mut Server, count: usize) {
    let mut confirmed = 0;
    while confirmed < count {
        let command = server.command().await.unwrap();
        if let Some(channel) = command.strip_prefix("SUBSCRIBE ") {
            server.say(&confirmation(channel)).await;
            confirmed += 1;
        } else {
            assert_eq!(command, "PING");
            server.say("+PONG\r\n").await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn all_that_is_refused_is_asked_again_however_much() {
    const COUNT: usize = 2500;
    let names: Vec<String> = (0..COUNT).map(|number| format!("channel {number}")).collect();
    let mut fixture = Fixture::new(&names.iter().map(String::as_str).collect::<Vec<_>>());
    let mut server = fixture.servers.accept().await;
    for _ in 0..COUNT {
        server.command().await.unwrap();
        server.say(NOPERM).await;
    }
    confirm_all(&mut server, COUNT).await;
    let last = server
        .until(async {
            loop {
                let label = fixture.next().await.label();
                if label != "error ERR_SUBSCRIPTION_REFUSED" && label != "Degraded" {
                    return label;
                }
            }
        })
        .await;
    assert_eq!(last, "Connected");
}

#[tokio::test(start_paused = true)]
async fn what_redis_ends_is_asked_for_again_and_was_missed_meanwhile() {
    let (mut fixture, mut server) = Fixture::connected("a").await;
    server.say(&push(&["unsubscribe", "a", "0"])).await;
    fixture.expect("Degraded").await;
    let ended = std::time::SystemTime::now();
    server.confirm("a").await;
    fixture.expect("Connected").await;
    assert!(fixture.expect_gap().await <= ended);
    // One that is not wanted.
    server.say(&push(&["unsubscribe", "b", "0"])).await;
    server.until(sleep(Duration::from_secs(60))).await;
    assert!(fixture.unseen().is_empty());
}

#[tokio::test(start_paused = true)]
async fn what_redis_ends_and_then_refuses_is_an_error() {
    let (mut fixture, mut server) = Fixture::connected("a").await;
    server.say(&push(&["unsubscribe", "a", "0"])).await;
    server.answer("SUBSCRIBE a", NOPERM).await;
    fixture.expect_all(&["Degraded", "error ERR_SUBSCRIPTION_REFUSED"]).await;
    server.confirm("a").await;
    fixture.expect("Connected").await;
}

#[tokio::test(start_paused = true)]
async fn a_consumer_that_panics_costs_its_message_alone() {
    let (mut fixture, mut server) = Fixture::connected("a").await;
    let payloads = ["0", "1", "2", "panic", "4", "5", "6", "7", "8", "9"];
    server.say(&payloads.map(|payload| message("a", payload)).concat()).await;
    for payload in payloads {
        let label = fixture.next().await.label();
        let panics = payload == "panic";
        assert_eq!(label, if panics { "panicked".into() } else { format!("message a {payload}") });
    }
    server.until(sleep(Duration::from_secs(60))).await;
    assert!(fixture.unseen().is_empty());
    assert!(fixture.servers.is_idle());
}

#[tokio::test(start_paused = true)]
async fn leaving_is_answered_when_redis_has_confirmed_it() {
    let (mut fixture, mut server) = Fixture::connected("a").await;
    fixture.subscribe("b", None);
    server.confirm("b").await;
    fixture.unsubscribe("b", Some(1));
    server.expect("UNSUBSCRIBE b").await;
    assert!(fixture.unseen().is_empty());
    server.say(&push(&["unsubscribe", "b", "0"])).await;
    fixture.expect("settled 1").await;
    server.until(sleep(Duration::from_secs(60))).await;
    assert!(fixture.unseen().is_empty());
}

#[tokio::test(start_paused = true)]
async fn closing_fails_all_that_waits_and_all_that_comes_later() {
    let (mut fixture, mut server) = Fixture::connected("a").await;
    fixture.subscribe("b", Some(1));
    fixture.unsubscribe("a", Some(2));
    server.expect("SUBSCRIBE b").await;
    server.expect("UNSUBSCRIBE a").await;
    // One that is not written yet.
    fixture.subscribe("c", Some(3));
    fixture.session.close();
    fixture.subscribe("d", Some(4));
    fixture.unsubscribe("a", Some(5));
    fixture.task.abort();
    assert!((&mut fixture.task).await.is_err());
    let mut unseen = fixture.unseen();
    unseen.sort_unstable();
    assert_eq!(unseen, [1, 2, 3, 4, 5].map(|ticket| format!("failed {ticket} ERR_CLOSED")));
    server.expect_closed().await;
}

#[tokio::test(start_paused = true)]
async fn a_session_that_is_closed_and_not_yet_gone_reports_no_end() {
    let (mut fixture, mut server) = Fixture::connected("a").await;
    fixture.session.close();
    server.say(&message("a", "late")).await;
    server.until(sleep(Duration::from_secs(2))).await;
    assert!(fixture.unseen().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_full_mailbox_that_disconnects_is_waited_for() {
    let (mut fixture, mut server) = Fixture::connected("a").await;
    fixture.session.subscriber.give_up(Error::MailboxFull);
    server.say(&message("a", "hello")).await;
    fixture.expect_all(&["message a hello", "Disconnected", "Retrying 1"]).await;
    server.expect_closed().await;
    sleep(Duration::from_secs(60)).await;
    assert!(fixture.servers.is_idle());
    fixture.session.subscriber.set_full(false);
    let mut server = fixture.servers.accept().await;
    server.confirm("a").await;
    fixture.expect_all(&["Connected", "Gap"]).await;
}

#[tokio::test(start_paused = true)]
async fn what_has_arrived_is_read_though_nothing_can_be_written() {
    let (mut fixture, mut server) = Fixture::connected("a").await;
    fixture.session.subscriber.set_full(true);
    // It reads one, since it already waits for it.
    for number in 0..3 {
        server.say(&message("a", &number.to_string())).await;
    }
    fixture.expect("message a 0").await;
    fixture.subscribe("b", None);
    drop(server);
    sleep(Duration::from_secs(60)).await;
    assert!(fixture.unseen().is_empty());
    fixture.session.subscriber.set_full(false);
    fixture.expect_all(&["message a 1", "message a 2", "Disconnected"]).await;
}
