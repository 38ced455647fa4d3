//! Asks one Sentinel, and listens to it.

use std::time::Duration;

use redis::cmd;
use tokio::time::{sleep, timeout};

use super::super::connector::{Connector, Patience, Server};
use super::super::endpoint::Address;
use super::super::greeting::Purpose;
use super::super::link::Connection;
use super::super::resp::Value;
use super::super::stream::Stream;
use super::questions::{self, Introduction, Other, Said};
use super::votes::{Answer, Named};
use super::watch::{MAX_LEARNT, Shared};
use crate::error::Error;

/// How often a Sentinel is asked, and tried again where it cannot be.
pub(super) const PERIOD: Duration = Duration::from_secs(1);
/// How long it may take to answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(2);
/// How long announcements are apart that are followed.
const PAUSE: Duration = Duration::from_millis(100);

/// Asks one Sentinel.
pub(super) struct Agent<'a> {
    at: Address,
    server: Server,
    shared: &'a Shared,
    /// Where the master's address led the last time: the application is asked once for each.
    mapped: Option<(Address, Address)>,
}

/// A connection to a Sentinel, and who that is.
struct Asked {
    connection: Connection<Stream>,
    id: Option<String>,
}

impl<'a> Agent<'a> {
    pub(super) fn new(shared: &'a Shared, at: Address) -> Self {
        Self { server: shared.server(&at), at, shared, mapped: None }
    }

    /// Without end.
    pub(super) async fn run(mut self) {
        let announcements = listen(self.shared.server(&self.at), self.shared);
        tokio::join!(self.keep_asking(), announcements);
    }

    async fn keep_asking(&mut self) {
        let mut wanted = self.shared.wanted.subscribe();
        let mut asked = None;
        loop {
            let wish = *wanted.borrow_and_update();
            let outcome = self.ask(&mut asked).await;
            self.shared.report(&self.at, wish, outcome);
            let _ = timeout(PERIOD, wanted.changed()).await;
        }
    }

    /// Asks, over the connection that there is, if it is whole, or a new one.
    async fn ask(&mut self, open: &mut Option<Asked>) -> Result<Answer, String> {
        let kept = match open.take() {
            Some(mut asked) => self.question(&mut asked).await.ok().map(|said| (asked, said)),
            None => None,
        };
        let (asked, said) = if let Some(kept) = kept {
            kept
        } else {
            let mut asked = self.open().await?;
            let said = self.question(&mut asked).await?;
            (asked, said)
        };
        let id = asked.id.clone();
        *open = Some(asked);
        let Said { named: Named { master, epoch }, sentinels, asked } = said?;
        let master = self.lead(master).await;
        Ok(Answer { id, named: Named { master, epoch }, sentinels, asked })
    }

    /// What it says; the outer error when the connection is of no use.
    async fn question(&self, asked: &mut Asked) -> Result<Result<Said, String>, String> {
        let name = &self.shared.place.sentinel.name;
        let answer = timeout(ANSWER_TIMEOUT, questions::master(&mut asked.connection, name)).await;
        answer.map_err(|_| "it does not answer".to_owned())?.map_err(reason)
    }

    async fn open(&self) -> Result<Asked, String> {
        let opened = self.server.connect(Purpose::Subscribe, Patience::Limited).await;
        let mut connection = opened.map_err(reason)?.connection;
        let name = &self.shared.place.sentinel.name;
        let asking = timeout(ANSWER_TIMEOUT, questions::introduction(&mut connection, name));
        let introduction = asking.await.map_err(|_| "it does not answer".to_owned())?;
        let Introduction { id, others } = introduction.map_err(reason)?;
        let mut led = Vec::new();
        for Other { at, id } in others.into_iter().take(MAX_LEARNT) {
            led.push(Other { at: self.shared.lead(at).await, id });
        }
        self.shared.learn(led);
        Ok(Asked { connection, id })
    }

    async fn lead(&mut self, master: Address) -> Address {
        if let Some((from, to)) = &self.mapped
            && *from == master
        {
            return to.clone();
        }
        let led = self.shared.lead(master.clone()).await;
        self.mapped = Some((master, led.clone()));
        led
    }
}

/// What is said of a Sentinel that cannot be asked; where it is stands before it.
fn reason(error: Error) -> String {
    match error {
        Error::Connect { source, .. } => source.to_string(),
        Error::Refused { reply: reason, .. } | Error::Lost { reason, .. } => reason,
        error => error.to_string(),
    }
}

/// Has all Sentinels be asked when this one announces another master.
async fn listen(server: Server, shared: &Shared) {
    loop {
        if let Ok(opened) = server.connect(Purpose::Subscribe, Patience::Limited).await {
            let mut connection = opened.connection;
            let mut subscribe = cmd("SUBSCRIBE");
            connection.queue(&subscribe.arg("+switch-master").get_packed_command());
            while let Ok(Value::Array(_)) = connection.next().await {
                shared.want();
                // However much it announces.
                sleep(PAUSE).await;
            }
        }
        sleep(PERIOD).await;
    }
}
