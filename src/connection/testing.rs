//! Servers of a test: in-memory connections of which the test holds the other end.

use std::future::Future;
use std::io;
use std::sync::{Arc, Mutex};
use std::time::SystemTime;

use futures_util::FutureExt;
use tokio::io::{DuplexStream, duplex};
use tokio::sync::{Notify, mpsc, oneshot, watch};
use tokio::time::{Duration, sleep, timeout};

use super::{Connection, Connector, Opened, Patience, Purpose, Role, Value};
use crate::error::{Error, Result};

/// Asks the test for each connection.
pub struct TestConnector {
    attempts: mpsc::UnboundedSender<Attempt>,
    told: Arc<Told>,
}

/// What a test tells a [`TestConnector`].
#[derive(Default)]
pub struct Told {
    /// What it gives as [`Connector::confirmed`].
    pub confirmed: Mutex<Option<SystemTime>>,
    /// The endpoint that connections must not lead to any more.
    pub left: watch::Sender<String>,
    /// There is another server to try.
    pub elsewhere: Notify,
}

/// The attempts of a [`TestConnector`].
pub struct Servers {
    attempts: mpsc::UnboundedReceiver<Attempt>,
    pub told: Arc<Told>,
}

/// An attempt to connect, which is pending until the test decides.
pub struct Attempt {
    pub purpose: Purpose,
    pub patience: Patience,
    answer: oneshot::Sender<Result<Opened<DuplexStream>>>,
}

/// The server's end of a connection.
pub struct Server(Connection<DuplexStream>);

impl Connector for TestConnector {
    type Stream = DuplexStream;

    async fn connect(&self, purpose: Purpose, patience: Patience) -> Result<Opened<Self::Stream>> {
        let (answer, answered) = oneshot::channel();
        let sent = self.attempts.send(Attempt { purpose, patience, answer });
        match sent {
            Ok(()) => answered.await.unwrap_or_else(|_| Err(refused())),
            Err(_) => Err(refused()),
        }
    }

    async fn moved(&self, endpoint: &str) -> String {
        let mut left = self.told.left.subscribe();
        let is_left = left.wait_for(|left| left == endpoint).await.is_ok();
        assert!(is_left, "the connector has the sender");
        "the test says so".to_owned()
    }

    async fn elsewhere(&self) {
        self.told.elsewhere.notified().await;
    }

    fn confirmed(&self, _: &str) -> Option<SystemTime> {
        *self.told.confirmed.lock().unwrap()
    }
}

/// Waits for what must happen. With paused time, what never does fails at once.
pub async fn happens<F: Future>(future: F) -> F::Output {
    timeout(Duration::from_secs(3600), future).await.expect("it never happens")
}

/// A connector, and what it asks for.
pub fn servers() -> (Arc<TestConnector>, Servers) {
    let (sender, receiver) = mpsc::unbounded_channel();
    let told = Arc::<Told>::default();
    let servers = Servers { attempts: receiver, told: Arc::clone(&told) };
    (Arc::new(TestConnector { attempts: sender, told }), servers)
}

fn refused() -> Error {
    let source = Arc::new(io::Error::from(io::ErrorKind::ConnectionRefused));
    Error::Connect { endpoint: "test:6379".to_owned(), source }
}

impl Servers {
    /// The next attempt.
    pub async fn attempt(&mut self) -> Attempt {
        happens(self.attempts.recv()).await.unwrap()
    }

    /// Lets the next attempt in.
    pub async fn accept(&mut self) -> Server {
        self.attempt().await.accept()
    }

    /// Whether there was no attempt since the last one that was asked for.
    pub fn is_idle(&mut self) -> bool {
        self.attempts.try_recv().is_err()
    }
}

impl Attempt {
    /// Lets it in.
    pub fn accept(self) -> Server {
        self.accept_with(1024 * 1024)
    }

    /// Lets it in, through pipes that hold `buffer` bytes.
    pub fn accept_with(self, buffer: usize) -> Server {
        self.accept_at("test:6379", buffer)
    }

    /// Lets it in at this endpoint.
    pub fn accept_at(self, endpoint: &str, buffer: usize) -> Server {
        self.accept_as(endpoint, buffer, None)
    }

    /// Lets it in at a server that says to be a master.
    pub fn accept_master(self) -> Server {
        self.accept_as("test:6379", 1024 * 1024, Some(Role::of_a_master()))
    }

    fn accept_as(self, endpoint: &str, buffer: usize, role: Option<Role>) -> Server {
        let (client, server) = duplex(buffer);
        let connection = Connection::new(client, endpoint.to_owned());
        let opened = Opened { connection, warning: None, role };
        assert!(self.answer.send(Ok(opened)).is_ok(), "the attempt was given up");
        Server::new(server)
    }

    /// There is no server.
    pub fn refuse(self) {
        self.fail(refused());
    }

    /// It fails with `error`.
    pub fn fail(self, error: Error) {
        assert!(self.answer.send(Err(error)).is_ok(), "the attempt was given up");
    }

    /// Whether it is waited for no more.
    pub fn is_given_up(&self) -> bool {
        self.answer.is_closed()
    }
}

impl Server {
    /// The server's end of `stream`.
    pub fn new(stream: DuplexStream) -> Self {
        Self(Connection::new(stream, "client".to_owned()))
    }

    /// The next command, its parts joined by spaces; `None` once the client has closed.
    pub async fn command(&mut self) -> Option<String> {
        let Value::Array(parts) = happens(self.0.next()).await.ok()? else {
            panic!("not a command")
        };
        let text = parts.iter().map(|part| match part {
            Value::Bulk(bytes) => String::from_utf8_lossy(bytes),
            part => panic!("{part:?} in a command"),
        });
        Some(text.collect::<Vec<_>>().join(" "))
    }

    /// Reads the next command a little at a time, with pauses.
    pub async fn command_slowly(&mut self, pause: Duration) -> String {
        loop {
            if let Some(command) = self.command().now_or_never() {
                return command.unwrap();
            }
            sleep(pause).await;
        }
    }

    /// Reads this command; answers pings before it.
    pub async fn expect(&mut self, expected: &str) {
        happens(async {
            loop {
                let command = self.command().await;
                match command.as_deref() {
                    Some("PING") if expected != "PING" => self.say("+PONG\r\n").await,
                    command => return assert_eq!(command, Some(expected)),
                }
            }
        })
        .await;
    }

    /// Reads this command and answers it.
    pub async fn answer(&mut self, expected: &str, reply: &str) {
        self.expect(expected).await;
        self.say(reply).await;
    }

    /// Reads a `SUBSCRIBE` and confirms it.
    pub async fn confirm(&mut self, channel: &str) {
        self.answer(&format!("SUBSCRIBE {channel}"), &push(&["subscribe", channel, "1"])).await;
    }

    /// Writes `bytes`.
    pub async fn say(&mut self, bytes: &str) {
        self.0.queue(bytes.as_bytes());
        self.0.flush().await.unwrap();
    }

    /// Waits for `future`, and answers pings meanwhile.
    pub async fn until<F: Future>(&mut self, future: F) -> F::Output {
        tokio::pin!(future);
        loop {
            tokio::select! {
                biased;
                output = &mut future => return output,
                command = self.command() => match command.as_deref() {
                    Some("PING") => self.say("+PONG\r\n").await,
                    // Closed by the client: there is nothing to answer.
                    None => return future.await,
                    command => panic!("unexpected {command:?}"),
                },
            }
        }
    }

    /// Waits until the client has closed, and reads no command before.
    pub async fn expect_closed(&mut self) {
        assert_eq!(self.command().await, None);
    }
}

/// A list of strings, as Redis sends messages and confirmations.
pub fn push(parts: &[&str]) -> String {
    let bulk = |part: &&str| format!("${}\r\n{part}\r\n", part.len());
    let head = format!("*{}\r\n", parts.len());
    std::iter::once(head).chain(parts.iter().map(bulk)).collect()
}

/// A message on `channel`.
pub fn message(channel: &str, payload: &str) -> String {
    push(&["message", channel, payload])
}
