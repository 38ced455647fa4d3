use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use futures_util::FutureExt;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::Sentinel;
use crate::connection::link::Connection;
use crate::connection::testing::push;
use crate::connection::{
    Address, AddressMap, Connector, Endpoint, Patience, Purpose, SentinelAt, Value,
};
use crate::error::Error;

const NAME: &str = "mymaster";

/// What a peer of a test says, and how many connections it has.
struct Peer {
    at: Address,
    says: Arc<Mutex<Says>>,
    connections: Arc<watch::Sender<usize>>,
    questions: Arc<AtomicUsize>,
    task: JoinHandle<()>,
}

#[derive(Default)]
struct Says {
    role: &'static str,
    master: Option<(Address, u64)>,
    others: Vec<(Address, String)>,
    id: String,
    sentinels: usize,
    announce: Arc<tokio::sync::Notify>,
}

impl Peer {
    async fn start(says: Says) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let says = Arc::new(Mutex::new(says));
        let connections = Arc::new(watch::Sender::new(0));
        let questions = Arc::new(AtomicUsize::new(0));
        let (saying, counting, asked) =
            (Arc::clone(&says), Arc::clone(&connections), Arc::clone(&questions));
        let task = tokio::spawn(async move {
            let mut serving = tokio::task::JoinSet::new();
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                counting.send_modify(|count| *count += 1);
                let (says, counting, asked) =
                    (Arc::clone(&saying), Arc::clone(&counting), Arc::clone(&asked));
                serving.spawn(async move {
                    serve(Connection::new(stream, "client".to_owned()), &says, &asked).await;
                    counting.send_modify(|count| *count -= 1);
                });
            }
        });
        let at = Address { host: "127.0.0.1".to_owned(), port };
        Self { at, says, connections, questions, task }
    }

    /// A server with data.
    async fn server(role: &'static str) -> Self {
        Self::start(Says { role, ..Says::default() }).await
    }

    /// One of three Sentinels.
    async fn sentinel(master: &Self, epoch: u64) -> Self {
        let id = format!("id {epoch} {}", master.at.port);
        let master = Some((master.at.clone(), epoch));
        Self::start(Says { master, id, sentinels: 3, ..Says::default() }).await
    }

    fn name(&self, master: &Self, epoch: u64) {
        self.says.lock().unwrap().master = Some((master.at.clone(), epoch));
    }

    async fn connected(&self, count: usize) {
        let mut connections = self.connections.subscribe();
        connections.wait_for(|now| *now == count).await.unwrap();
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(
    mut connection: Connection<tokio::net::TcpStream>,
    says: &Mutex<Says>,
    asked: &AtomicUsize,
) {
    let announce = Arc::clone(&says.lock().unwrap().announce);
    let mut subscribed = false;
    loop {
        let value = tokio::select! {
            value = connection.next() => value,
            () = announce.notified(), if subscribed => {
                connection.queue(push(&["message", "+switch-master", NAME]).as_bytes());
                continue;
            }
        };
        let Ok(Value::Array(parts)) = value else { return };
        let words = parts.iter().map(|part| match part {
            Value::Bulk(bytes) => String::from_utf8_lossy(bytes).into_owned(),
            part => panic!("{part:?} in a command"),
        });
        let words: Vec<_> = words.collect();
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let Says { role, master, others, id, sentinels, .. } = &*says.lock().unwrap();
        let reply = match &*words {
            ["PING"] => "+PONG\r\n".to_owned(),
            ["ROLE"] if role.is_empty() => "-NOPERM of ROLE\r\n".to_owned(),
            ["ROLE"] => push(&[role]),
            ["SENTINEL", "MYID"] => format!("${}\r\n{id}\r\n", id.len()),
            ["SENTINEL", "GET-MASTER-ADDR-BY-NAME", NAME] => {
                asked.fetch_add(1, Ordering::Relaxed);
                match master {
                    Some((at, _)) => push(&[&at.host, &at.port.to_string()]),
                    None => "*-1\r\n".to_owned(),
                }
            }
            ["SENTINEL", "MASTER", NAME] => match master {
                Some((_, epoch)) => {
                    let others = sentinels.saturating_sub(1).to_string();
                    push(&["config-epoch", &epoch.to_string(), "num-other-sentinels", &others])
                }
                None => "-ERR No such master with that name\r\n".to_owned(),
            },
            ["SENTINEL", "SENTINELS", NAME] => {
                let others = others.iter().map(|(at, id)| {
                    push(&["name", "x", "ip", &at.host, "port", &at.port.to_string(), "runid", id])
                });
                let others: Vec<_> = others.collect();
                format!("*{}\r\n{}", others.len(), others.concat())
            }
            ["SUBSCRIBE", "+switch-master"] => {
                subscribed = true;
                push(&["subscribe", "+switch-master", "1"])
            }
            ["INFO", "replication"] => "-NOPERM no\r\n".to_owned(),
            words => panic!("unexpected {words:?}"),
        };
        connection.queue(reply.as_bytes());
    }
}

fn endpoint(sentinels: &[&Peer]) -> Endpoint {
    let nodes = sentinels.iter().map(|peer| peer.at.clone()).collect();
    let (name, username, password, tls) = (NAME.to_owned(), None, None, None);
    let sentinel = Some(SentinelAt { nodes, name, username, password, tls });
    Endpoint { sentinel, ..Endpoint::default() }
}

fn sentinel(endpoint: &Endpoint) -> Sentinel {
    Sentinel::new(endpoint.clone(), endpoint.sentinel.clone().unwrap())
}

/// Where a connection leads.
async fn reached(place: &Sentinel) -> Result<String, Error> {
    let opened = place.connect(Purpose::Command, Patience::Limited).await?;
    Ok(opened.connection.endpoint().to_owned())
}

fn text(peer: &Peer) -> String {
    peer.at.to_string()
}

#[tokio::test]
async fn follows_most_of_them() {
    let (a, b) = (Peer::server("master").await, Peer::server("master").await);
    let one = Peer::sentinel(&a, 1).await;
    let two = Peer::sentinel(&a, 1).await;
    let liar = Peer::sentinel(&b, 900).await;
    for (peer, id) in [(&one, "1"), (&two, "2"), (&liar, "3")] {
        peer.says.lock().unwrap().id = id.to_owned();
    }
    let place = sentinel(&endpoint(&[&liar, &one, &two]));
    assert_eq!(reached(&place).await.unwrap(), text(&a));
    assert!(place.moved(&text(&a)).now_or_never().is_none());
    one.name(&b, 2);
    two.name(&b, 2);
    // Announced by one of them.
    one.says.lock().unwrap().announce.notify_waiters();
    assert!(place.moved(&text(&a)).await.contains(&text(&b)));
    assert_eq!(reached(&place).await.unwrap(), text(&b));
}

#[tokio::test]
async fn there_is_a_reason_to_try_again_once_another_is_named() {
    let (a, b) = (Peer::server("master").await, Peer::server("master").await);
    let one = Peer::sentinel(&a, 1).await;
    let place = sentinel(&endpoint(&[&one]));
    assert!(place.elsewhere().now_or_never().is_none());
    reached(&place).await.unwrap();
    assert!(place.elsewhere().now_or_never().is_none());
    one.name(&b, 2);
    place.elsewhere().await;
    assert_eq!(reached(&place).await.unwrap(), text(&b));
    assert!(place.elsewhere().now_or_never().is_none());
}

#[tokio::test]
async fn a_master_that_does_not_answer_is_left_when_another_is_named() {
    let frozen = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = Address { host: "127.0.0.1".to_owned(), port: frozen.local_addr().unwrap().port() };
    let b = Peer::server("master").await;
    let one = Peer::sentinel(&b, 2).await;
    one.says.lock().unwrap().master = Some((at, 1));
    let place = sentinel(&endpoint(&[&one]));
    let named_later = async {
        let _silent = frozen.accept().await.unwrap();
        one.name(&b, 2);
        std::future::pending::<()>().await;
    };
    tokio::select! {
        opened = place.connect(Purpose::Subscribe, Patience::UntilAnswered) => {
            assert_eq!(opened.unwrap().connection.endpoint(), text(&b));
        }
        () = named_later => {}
        () = tokio::time::sleep(std::time::Duration::from_secs(60)) => panic!("it is not left"),
    }
}

#[tokio::test]
async fn confirms_as_long_as_most_name_it() {
    let (a, b) = (Peer::server("master").await, Peer::server("master").await);
    let one = Peer::sentinel(&a, 1).await;
    let two = Peer::sentinel(&a, 1).await;
    let three = Peer::sentinel(&a, 1).await;
    for (peer, id) in [(&one, "1"), (&two, "2"), (&three, "3")] {
        peer.says.lock().unwrap().id = id.to_owned();
    }
    let place = sentinel(&endpoint(&[&one, &two, &three]));
    assert_eq!(place.confirmed(&text(&a)), None);
    reached(&place).await.unwrap();
    let before = place.confirmed(&text(&a)).unwrap();
    for peer in [&one, &two, &three] {
        peer.name(&b, 2);
    }
    place.moved(&text(&a)).await;
    let (old, new) = (place.confirmed(&text(&a)).unwrap(), place.confirmed(&text(&b)));
    assert!(old >= before);
    reached(&place).await.unwrap();
    // It is known of the old one still: its connections end only now.
    assert_eq!(place.confirmed(&text(&a)), Some(old));
    assert!(place.confirmed(&text(&b)).unwrap() >= new.unwrap_or(old));
}

#[tokio::test]
async fn one_that_names_a_replica_is_not_believed() {
    let (a, b) = (Peer::server("master").await, Peer::server("slave").await);
    let one = Peer::sentinel(&a, 1).await;
    let liar = Peer::sentinel(&b, 900).await;
    let place = sentinel(&endpoint(&[&liar, &one]));
    assert_eq!(reached(&place).await.unwrap(), text(&a));
    let asked = liar.questions.load(Ordering::Relaxed);
    while liar.questions.load(Ordering::Relaxed) < asked + 2 {
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    assert!(place.moved(&text(&a)).now_or_never().is_none());
}

#[tokio::test]
async fn a_server_that_does_not_tell_its_role_is_trusted() {
    let a = Peer::server("").await;
    let one = Peer::sentinel(&a, 1).await;
    assert_eq!(reached(&sentinel(&endpoint(&[&one]))).await.unwrap(), text(&a));
}

#[tokio::test]
async fn says_what_is_wrong_with_each() {
    let replica = Peer::server("slave").await;
    let names_replica = Peer::sentinel(&replica, 1).await;
    let knows_nothing = Peer::start(Says::default()).await;
    let gone = Peer::server("master").await;
    gone.task.abort();
    let place = sentinel(&endpoint(&[&names_replica, &knows_nothing, &gone]));
    for _ in 0..2 {
        let error = reached(&place).await.unwrap_err();
        assert_eq!(error.code(), "ERR_SENTINEL");
        let text = error.to_string();
        for part in [
            NAME.to_owned(),
            format!("{}: it names {}, which is a replica", names_replica.at, replica.at),
            format!("{}: it knows no master {NAME}", knows_nothing.at),
            format!("{}: ", gone.at),
        ] {
            assert!(text.contains(&part), "{part} in {text}");
        }
    }
    // Once it is promoted.
    replica.says.lock().unwrap().role = "master";
    assert_eq!(reached(&place).await.unwrap(), replica.at.to_string());
}

#[tokio::test]
async fn asks_those_that_others_know() {
    let a = Peer::server("master").await;
    let other = Peer::sentinel(&a, 1).await;
    let one = Peer::sentinel(&a, 1).await;
    one.says.lock().unwrap().id = "one".to_owned();
    one.says.lock().unwrap().others = vec![
        (other.at.clone(), "other".to_owned()),
        // Itself, by another address.
        (Address { host: "localhost".to_owned(), port: one.at.port }, "one".to_owned()),
    ];
    let place = sentinel(&endpoint(&[&one]));
    reached(&place).await.unwrap();
    other.connected(2).await;
    one.task.abort();
    assert_eq!(reached(&place).await.unwrap(), text(&a));
}

#[tokio::test]
async fn all_share_one_watch_that_ends_with_the_last() {
    let a = Peer::server("master").await;
    let one = Peer::sentinel(&a, 1).await;
    let endpoint = endpoint(&[&one]);
    let [first, second] = [sentinel(&endpoint), sentinel(&Endpoint { db: 3, ..endpoint })];
    // The database is refused: the fake knows no SELECT.
    reached(&first).await.unwrap();
    second.connect(Purpose::Subscribe, Patience::Limited).await.map(drop).unwrap();
    one.connected(2).await;
    drop(first);
    assert!(second.moved(&text(&a)).now_or_never().is_none());
    assert_eq!(*one.connections.borrow(), 2);
    drop(second);
    one.connected(0).await;
}

#[tokio::test]
async fn addresses_are_mapped() {
    let (a, told) = (Peer::server("master").await, Peer::server("master").await);
    let one = Peer::sentinel(&told, 1).await;
    let entries = [(text(&told), a.at.clone())].into();
    let address_map = Some(AddressMap { id: 1, entries, ask: None });
    let place = sentinel(&Endpoint { address_map, ..endpoint(&[&one]) });
    assert_eq!(reached(&place).await.unwrap(), text(&a));
    assert!(place.moved(&text(&a)).now_or_never().is_none());
}
