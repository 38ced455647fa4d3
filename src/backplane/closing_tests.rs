//! The end of a backplane: what is answered, and that nothing follows.

use std::sync::Arc;

use tokio::time::{Duration, Instant};

use super::subscriber::MailboxSubscriber;
use super::tasks::Tasks;
use super::testing::{Fixture, Inbox};
use crate::connection::testing::{message, push, servers};
use crate::pubsub::{Consumer, Kind, Need, Session};

/// Counts as an event of its own.
struct Echo(super::link_events::LinkEvents);

impl Consumer for Echo {
    fn message(&self, _: &[u8], _: &[u8]) {
        self.0.retrying(None, 99, Duration::ZERO);
    }
}

#[tokio::test(start_paused = true)]
async fn the_session_is_gone_before_the_event_close() {
    let mut inbox = Inbox::new();
    let session = Session::new(MailboxSubscriber::new(inbox.link()));
    let consumer: Arc<dyn Consumer> = Arc::new(Echo(inbox.link()));
    let subscribe = |name, ticket| {
        session.subscribe(Kind::Channel, name, Arc::clone(&consumer), Need::Required, ticket);
    };
    subscribe("a", Some(1));
    let (connector, mut servers) = servers();
    let task = tokio::spawn(Arc::clone(&session).run(connector));
    let mut server = servers.accept().await;
    server.confirm("a").await;
    inbox.expect(&["reply 1", "connect"]).await;
    // Under way, waiting, and left without an answer.
    subscribe("b", Some(2));
    session.unsubscribe(Kind::Channel, "a", &consumer, Some(3));
    server.expect("SUBSCRIBE b").await;
    server.expect("UNSUBSCRIBE a").await;
    subscribe("c", Some(4));
    session.close();
    server.say(&format!("{}{}", push(&["subscribe", "b", "1"]), message("a", "late"))).await;
    let tasks = Tasks { session: Some(task), ..Tasks::default() };
    tasks.shut_down(&inbox.events, Instant::now()).await;
    let mut unseen = inbox.unseen();
    assert_eq!(unseen.pop().as_deref(), Some("close"), "{unseen:?}");
    unseen.sort_unstable();
    unseen.retain(|seen| !seen.starts_with("reply"));
    assert_eq!(unseen, [2, 3, 4].map(|ticket| format!("failed {ticket} ERR_CLOSED")));
    // Later ones fail too, and nothing else follows.
    subscribe("d", Some(5));
    session.unsubscribe(Kind::Channel, "a", &consumer, Some(6));
    let _ = server.command().await;
    assert_eq!(inbox.unseen(), ["failed 5 ERR_CLOSED", "failed 6 ERR_CLOSED"]);
    assert!(servers.is_idle());
    assert_eq!(Arc::strong_count(&session), 1, "its task still runs");
}

#[tokio::test(start_paused = true)]
async fn what_is_queued_has_its_time_to_leave() {
    for answers in [false, true] {
        let (mut fixture, mut server) = Fixture::connected().await;
        fixture.command("a", Some(1));
        fixture.publish("p");
        fixture.outbox.close();
        let tasks = Tasks {
            writers: vec![(Arc::clone(&fixture.writer), fixture.task)],
            ..Tasks::default()
        };
        let since = Instant::now();
        let deadline = since + Duration::from_secs(3);
        let closing = tasks.shut_down(&fixture.inbox.events, deadline);
        let serving = async {
            server.expect("HGET a").await;
            server.expect("PUBLISH c p").await;
            if answers {
                server.say(":1\r\n:1\r\n").await;
            }
        };
        tokio::join!(closing, serving);
        let unseen = fixture.inbox.unseen();
        if answers {
            assert_eq!(unseen, ["reply 1 1", "close"]);
            assert_eq!(fixture.inbox.counts(), [1, 0, 0]);
            assert!(since.elapsed() < Duration::from_secs(1));
        } else {
            assert_eq!(unseen, ["failed 1 ERR_CLOSED", "gap 1 1", "close"]);
            assert_eq!(fixture.inbox.counts(), [0, 1, 1]);
            assert_eq!(since.elapsed(), Duration::from_secs(3));
        }
        assert_eq!(fixture.inbox.events.links.publisher.name(), "closed");
        // Events of others come too late.
        fixture.inbox.link().retrying(None, 1, Duration::ZERO);
        assert!(fixture.inbox.unseen().is_empty());
    }
}
