//! When a writer that is back begins to write.

use std::sync::Arc;

use tokio::time::{Duration, Instant, sleep};

use super::super::link_events::{LinkEvents, LinkStatus};
use super::super::testing::Fixture;
use crate::connection::testing::Server;
use crate::error::Error;
use crate::event_loop::Link;

/// How much later other nodes may have their subscriptions back.
const REJOINING: Duration = Duration::from_millis(100);
/// How long a subscriber is waited for that stays away.
const REJOINED: Duration = Duration::from_millis(500);

/// The link of a subscriber that has lost its connection.
fn lost(fixture: &Fixture) -> LinkEvents {
    let subscriber = LinkEvents::new(Arc::clone(&fixture.inbox.events), Link::Sub);
    let (endpoint, reason) = ("test:6379".to_owned(), "the test says so".to_owned());
    subscriber.disconnected(Error::Lost { endpoint, reason });
    subscriber
}

/// A writer that has just connected again to a server that was away, where requests were made meanwhile; and the link of a
/// subscriber that has lost its connection too.
async fn back(
    fixture: &mut Fixture,
    server: Server,
    requests: impl Fn(&Fixture),
) -> (Server, LinkEvents) {
    let subscriber = lost(fixture);
    drop(server);
    fixture.inbox.expect(&["disconnect", "disconnect"]).await;
    requests(fixture);
    fixture.servers.attempt().await.refuse();
    (fixture.servers.accept().await, subscriber)
}

#[tokio::test(start_paused = true)]
async fn publishes_wait_until_others_hear_them_again() {
    let (mut fixture, server) = Fixture::connected().await;
    let (mut server, subscriber) = back(&mut fixture, server, |it| it.publish("a")).await;
    tokio::select! {
        command = server.command() => panic!("{command:?} while nobody hears it"),
        () = sleep(REJOINED / 2) => {}
    }
    subscriber.status(LinkStatus::Connected);
    let since = Instant::now();
    fixture.publish("b");
    server.expect("PUBLISH c a").await;
    assert_eq!(since.elapsed(), REJOINING);
    server.expect("PUBLISH c b").await;
}

#[tokio::test(start_paused = true)]
async fn a_subscriber_that_stays_away_is_not_waited_for_without_end() {
    let (mut fixture, server) = Fixture::connected().await;
    let (mut server, _subscriber) = back(&mut fixture, server, |it| it.publish("a")).await;
    let since = Instant::now();
    server.expect("PUBLISH c a").await;
    assert_eq!(since.elapsed(), REJOINED);
}

#[tokio::test(start_paused = true)]
async fn commands_wait_for_nobody() {
    let (mut fixture, server) = Fixture::connected().await;
    let command = |it: &Fixture| it.command("a", Some(1));
    let (mut server, _subscriber) = back(&mut fixture, server, command).await;
    let since = Instant::now();
    server.expect("HGET a").await;
    assert_eq!(since.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_subscriber_that_was_there_all_the_time_is_not_waited_for() {
    let (mut fixture, server) = Fixture::connected().await;
    sleep(REJOINING).await;
    drop(server);
    fixture.inbox.expect(&["disconnect"]).await;
    fixture.publish("a");
    let mut server = fixture.servers.accept().await;
    let since = Instant::now();
    server.expect("PUBLISH c a").await;
    assert_eq!(since.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn others_are_given_time_where_it_is_another_server_alone() {
    for (at, margin) in [("test:6379", Duration::ZERO), ("other:6379", REJOINING)] {
        let (mut fixture, server) = Fixture::connected().await;
        let subscriber = lost(&fixture);
        drop(server);
        fixture.inbox.expect(&["disconnect", "disconnect"]).await;
        fixture.publish("a");
        let mut server = fixture.servers.attempt().await.accept_at(at, 1024);
        subscriber.status(LinkStatus::Connected);
        let since = Instant::now();
        server.expect("PUBLISH c a").await;
        assert_eq!(since.elapsed(), margin, "{at}");
    }
}

#[tokio::test(start_paused = true)]
async fn another_server_is_tried_without_a_pause() {
    let (mut fixture, server) = Fixture::connected().await;
    drop(server);
    for _ in 0..5 {
        fixture.servers.attempt().await.refuse();
    }
    // Within the pause after the fifth.
    sleep(Duration::from_millis(1)).await;
    let since = Instant::now();
    fixture.servers.told.elsewhere.notify_one();
    fixture.servers.accept().await;
    assert_eq!(since.elapsed(), Duration::ZERO);
}
