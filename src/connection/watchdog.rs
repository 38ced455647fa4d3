//! Notices a connection that is dead, and keeps one whose server is slow.
//!
//! ```text
//!   silent for 1.5 s ─▶ a second connection is opened
//!                          │ it cannot be: the server is not there      ─▶ give up the first
//!                          │ it is answered, and the first stays silent ─▶ give up the first
//!                          └ it is not answered either: the server is slow ─▶ wait
//! ```
//!
//! Silence is counted in ticks, and a tick is judged after what has arrived was read. So a process
//! that was frozen itself finds one tick, and the answers that waited for it.
//!
//! A dead connection is given up 2.5 to 3 s after the last that came. It is not sooner, since a network
//! that was away for a second brings nothing before TCP sends again, which it does 0.2, 0.6 and 1.4 s
//! after the first time: a new connection would be let in before, and what waits in the old one, lost.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Interval, MissedTickBehavior, interval};

use super::connector::{Connector, Opened, Patience};
use super::greeting::Purpose;
use super::link::{Connection, Progress};
use crate::error::{Error, Result};

/// Watches one connection.
pub struct Watchdog<C: Connector> {
    connector: Arc<C>,
    purpose: Purpose,
    ticker: Interval,
    progress: Progress,
    heard: bool,
    silent: u32,
    second: Second<C::Stream>,
}

/// The second connection.
enum Second<S> {
    None,
    Opening(Pin<Box<dyn Future<Output = Result<Opened<S>>> + Send>>),
    /// It is let in, or turned away; and whether the first connection has had a tick to say
    /// something since.
    Answered(Option<Box<Opened<S>>>, bool),
    Failed,
}

/// What a tick means.
pub enum Verdict<S> {
    /// All is well, or not yet known to be otherwise.
    Fine,
    /// All is well, and nothing is owed: ping.
    Ping,
    /// The server has answered neither connection for a while. Said once.
    Stalled(Error),
    /// The connection is dead.
    Dead(Ended<S>),
}

/// Why a connection is given up.
pub struct Ended<S> {
    /// Why.
    pub error: Error,
    /// A connection to go on with.
    pub second: Option<Box<Opened<S>>>,
}

impl<S> From<Error> for Ended<S> {
    fn from(error: Error) -> Self {
        Self { error, second: None }
    }
}

impl<C: Connector> Watchdog<C> {
    /// The time between two ticks. A connection is pinged at each, unless it owes an answer.
    const TICK: Duration = Duration::from_millis(500);
    /// A connection that owes an answer and is silent for this many ticks is suspected.
    const SUSPECT: u32 = 3;
    /// A server that is silent for this many ticks is said to be stalled. By then the second
    /// connection is known to have reached it, which may take 5 s.
    const STALLED: u32 = 16;

    /// Watches a connection that has just been opened.
    pub fn new(connector: Arc<C>, purpose: Purpose) -> Self {
        let mut ticker = interval(Self::TICK);
        ticker.set_missed_tick_behavior(MissedTickBehavior::Delay);
        ticker.reset();
        let (progress, heard, silent, second) = (Progress::default(), false, 0, Second::None);
        Self { connector, purpose, ticker, progress, heard, silent, second }
    }

    /// A value has arrived.
    pub const fn heard(&mut self) {
        self.heard = true;
    }

    /// Waits for the next tick. Safe to cancel.
    pub async fn tick(&mut self) {
        loop {
            let Second::Opening(opening) = &mut self.second else {
                self.ticker.tick().await;
                return;
            };
            tokio::select! {
                biased;
                opened = opening => self.second = match opened {
                    Ok(opened) => Second::Answered(Some(Box::new(opened)), false),
                    Err(Error::Refused { .. }) => Second::Answered(None, false),
                    Err(_) => Second::Failed,
                },
                _ = self.ticker.tick() => return,
            }
        }
    }

    /// Judges the connection after a tick; `owes`: whether it owes an answer.
    pub fn judge(&mut self, owes: bool, connection: &Connection<C::Stream>) -> Verdict<C::Stream> {
        let progress = connection.progress();
        let active = progress.is_since(std::mem::replace(&mut self.progress, progress));
        if std::mem::take(&mut self.heard) || active || !owes {
            self.silent = 0;
            self.second = Second::None;
            return if owes { Verdict::Fine } else { Verdict::Ping };
        }
        self.silent += 1;
        match std::mem::replace(&mut self.second, Second::None) {
            Second::Failed => return self.dead(connection, None),
            Second::Answered(opened, true) => return self.dead(connection, opened),
            // Both may have been answered at the same time: the first is heard before the next tick.
            Second::Answered(opened, false) => self.second = Second::Answered(opened, true),
            Second::None if self.silent >= Self::SUSPECT => {
                let (connector, purpose) = (Arc::clone(&self.connector), self.purpose);
                self.second = Second::Opening(Box::pin(async move {
                    connector.connect(purpose, Patience::UntilAnswered).await
                }));
            }
            second => self.second = second,
        }
        if self.silent == Self::STALLED {
            let endpoint = connection.endpoint().to_owned();
            let seconds = self.silence().as_secs();
            return Verdict::Stalled(Error::Stalled { endpoint, seconds });
        }
        Verdict::Fine
    }

    fn silence(&self) -> Duration {
        Self::TICK * self.silent
    }

    fn dead(
        &self,
        connection: &Connection<C::Stream>,
        second: Option<Box<Opened<C::Stream>>>,
    ) -> Verdict<C::Stream> {
        let seconds = self.silence().as_secs_f32();
        let error = connection.lost(format_args!("no answer for {seconds} s"));
        Verdict::Dead(Ended { error, second })
    }
}
