//! The one task that asks the Sentinels of a master, for all connections to it.
//!
//! Each Sentinel is asked every second, and at once when a connection is to be opened or one of them
//! announces another master (`+switch-master`). Those that they know are asked too.

use std::future::pending;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, SystemTime};

use futures_util::FutureExt;
use futures_util::stream::FuturesUnordered;
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};
use tokio_stream::StreamExt;

use super::super::connector::Server;
use super::super::endpoint::{Address, AddressMap, Endpoint, SentinelAt};
use super::agent::{Agent, PERIOD};
use super::questions::Other;
use super::votes::{self, Answer, Named};

/// How long those that are slower than others are waited for, when a connection is to be opened.
const GRACE: Duration = Duration::from_secs(1);
/// How long the first answer is waited for then.
const PATIENCE: Duration = Duration::from_secs(6);
/// How many Sentinels are asked at most, beyond those that the endpoint names.
pub(super) const MAX_LEARNT: usize = 16;
/// How many former masters, and wrong answers, are kept in mind.
const MAX_REMEMBERED: usize = 16;

/// What a watch is for. Where it is the same, the watch is too.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) sentinel: SentinelAt,
    /// The name of the connections.
    pub(super) name: Option<String>,
    pub(super) map: Option<AddressMap>,
}

/// Watches the Sentinels until it is dropped.
pub(super) struct Watch {
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

/// What the task and the connections share.
pub(super) struct Shared {
    pub(super) place: Place,
    // A plain mutex: held for one look-up or change, never across an await.
    state: Mutex<State>,
    /// Counts the times at which all were to be asked at once.
    pub(super) wanted: watch::Sender<u64>,
    /// Something was reported.
    reported: Notify,
    /// There are Sentinels that nobody asks yet.
    learnt: Notify,
    /// The master.
    named: watch::Sender<Option<Named>>,
}

#[derive(Default)]
struct State {
    sentinels: Vec<Known>,
    /// What has turned out to be wrong.
    disbelieved: Vec<Named>,
    /// Until when each was known to be the master, the last one last.
    confirmed: Vec<(String, SystemTime)>,
}

/// A Sentinel.
struct Known {
    at: Address,
    id: Option<String>,
    /// What it has said last, or why it has not; and after how many wishes it was asked.
    report: Option<(u64, Result<Answer, String>)>,
}

/// The watches that there are.
static WATCHES: Mutex<Vec<Weak<Watch>>> = Mutex::new(Vec::new());

/// The watch of a place, which all that connect to it share. Within a runtime.
pub(super) fn shared(place: &Place) -> Arc<Watch> {
    let mut watches = WATCHES.lock().unwrap_or_else(PoisonError::into_inner);
    watches.retain(|watch| watch.strong_count() > 0);
    let found = watches.iter().filter_map(Weak::upgrade);
    // One whose runtime has ended is of no use.
    let found = { found }.find(|watch| watch.shared.place == *place && !watch.task.is_finished());
    found.unwrap_or_else(|| {
        let watch = Arc::new(Watch::new(place.clone()));
        watches.push(Arc::downgrade(&watch));
        watch
    })
}

impl Watch {
    fn new(place: Place) -> Self {
        let known = |at: &Address| Known { at: at.clone(), id: None, report: None };
        let sentinels = place.sentinel.nodes.iter().map(known).collect();
        let shared = Arc::new(Shared {
            place,
            state: Mutex::new(State { sentinels, ..State::default() }),
            wanted: watch::Sender::new(0),
            reported: Notify::new(),
            learnt: Notify::new(),
            named: watch::Sender::new(None),
        });
        let task = tokio::spawn(keep_watching(Arc::clone(&shared)));
        Self { shared, task }
    }

    /// Asks all Sentinels, and returns when enough have answered.
    pub(super) async fn ask(&self) {
        let wish = self.shared.want();
        let heard = async |enough: fn(&State, u64) -> bool| {
            loop {
                let reported = self.shared.reported.notified();
                tokio::pin!(reported);
                reported.as_mut().enable();
                if enough(&self.shared.lock(), wish) {
                    return;
                }
                reported.await;
            }
        };
        if timeout(GRACE, heard(State::is_settled)).await.is_err() {
            let _ = timeout(PATIENCE, heard(State::has_answer_or_none)).await;
        }
    }

    /// The master, if a Sentinel answers.
    pub(super) fn named(&self) -> Option<Named> {
        let answered = !self.shared.lock().answers().is_empty();
        self.shared.named.borrow().clone().filter(|_| answered)
    }

    /// The server that was named is a replica: what names it does not count.
    pub(super) fn disbelieve(&self, named: Named) {
        let mut state = self.shared.lock();
        state.disbelieved.push(named);
        let excess = state.disbelieved.len().saturating_sub(MAX_REMEMBERED);
        state.disbelieved.drain(..excess);
        self.shared.decide(&mut state);
    }

    /// Why there is no master, Sentinel by Sentinel. All of them may be right the next time.
    pub(super) fn reasons(&self) -> String {
        let mut state = self.shared.lock();
        let reasons: Vec<_> = state.sentinels.iter().map(Known::reason).collect();
        state.disbelieved.clear();
        reasons.join("; ")
    }

    /// Resolves with the reason when `endpoint` is not the master. Safe to cancel.
    pub(super) async fn moved(&self, endpoint: &str) -> String {
        let mut named = self.shared.named.subscribe();
        let elsewhere = named.wait_for(|named| {
            named.as_ref().is_some_and(|named| named.master.to_string() != endpoint)
        });
        let master =
            elsewhere.await.ok().and_then(|named| Some(named.as_ref()?.master.to_string()));
        match master {
            Some(master) => format!("the Sentinels name {master} as the master"),
            None => pending().await,
        }
    }

    /// Until when `endpoint` was known to be the master.
    pub(super) fn confirmed(&self, endpoint: &str) -> Option<SystemTime> {
        let state = self.shared.lock();
        let (_, confirmed) = state.confirmed.iter().find(|(master, _)| master == endpoint)?;
        Some(*confirmed)
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl State {
    /// What the Sentinels say that is not known to be wrong, once a Sentinel.
    fn answers(&self) -> Vec<&Answer> {
        self.answers_since(0)
    }

    fn answers_since(&self, wish: u64) -> Vec<&Answer> {
        let mut answers: Vec<&Answer> = Vec::new();
        for answer in self.reported_since(wish).flatten() {
            let twice = answer.id.is_some() && answers.iter().any(|other| other.id == answer.id);
            if !twice && !self.disbelieved.contains(&answer.named) {
                answers.push(answer);
            }
        }
        answers
    }

    fn reported_since(&self, wish: u64) -> impl Iterator<Item = &Result<Answer, String>> {
        let reports = self.sentinels.iter().filter_map(|known| known.report.as_ref());
        reports.filter(move |(when, _)| *when >= wish).map(|(_, outcome)| outcome)
    }

    /// Whether all have answered since, or have not been able to.
    fn have_answered(&self, wish: u64) -> bool {
        self.reported_since(wish).count() == self.sentinels.len()
    }

    /// Whether no other answer would matter.
    fn is_settled(&self, wish: u64) -> bool {
        self.have_answered(wish) || votes::is_settled(&self.answers_since(wish))
    }

    /// Whether one has answered since, or none will.
    fn has_answer_or_none(&self, wish: u64) -> bool {
        self.reported_since(wish).any(Result::is_ok) || self.have_answered(wish)
    }

    fn confirm(&mut self, named: &Named) {
        let Some(confirmed) = votes::confirmed(&self.answers(), named) else { return };
        let master = named.master.to_string();
        self.confirmed.retain(|(other, _)| *other != master);
        self.confirmed.push((master, confirmed));
        let excess = self.confirmed.len().saturating_sub(MAX_REMEMBERED);
        self.confirmed.drain(..excess);
    }
}

impl Known {
    fn reason(&self) -> String {
        let at = &self.at;
        match &self.report {
            None => format!("{at} does not answer"),
            Some((_, Err(reason))) => format!("{at}: {reason}"),
            Some((_, Ok(answer))) => {
                format!("{at}: it names {}, which is a replica", answer.named.master)
            }
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has all be asked at once.
    pub(super) fn want(&self) -> u64 {
        self.wanted.send_modify(|wishes| *wishes += 1);
        *self.wanted.borrow()
    }

    /// Takes what a Sentinel has said, or why it has not.
    pub(super) fn report(&self, at: &Address, wish: u64, outcome: Result<Answer, String>) {
        let mut state = self.lock();
        if let Some(known) = state.sentinels.iter_mut().find(|known| known.at == *at) {
            if let Ok(answer) = &outcome {
                known.id.clone_from(&answer.id);
            }
            known.report = Some((wish, outcome));
        }
        self.decide(&mut state);
        drop(state);
        self.reported.notify_waiters();
    }

    fn decide(&self, state: &mut State) {
        let current = self.named.borrow().clone();
        let current = current.filter(|current| !state.disbelieved.contains(current));
        let Some(named) = votes::decide(&state.answers(), current.as_ref()) else { return };
        state.confirm(&named);
        self.named.send_if_modified(|current| {
            let is_new = current.as_ref() != Some(&named);
            *current = Some(named);
            is_new
        });
    }

    /// Asks those too that a Sentinel knows.
    pub(super) fn learn(&self, others: Vec<Other>) {
        let most = self.place.sentinel.nodes.len() + MAX_LEARNT;
        let mut state = self.lock();
        for Other { at, id } in others {
            let is_known = |known: &Known| known.at == at || (id.is_some() && known.id == id);
            if state.sentinels.len() < most && !state.sentinels.iter().any(is_known) {
                state.sentinels.push(Known { at, id, report: None });
                self.learnt.notify_one();
            }
        }
    }

    /// Where an address leads that a Sentinel has given.
    pub(super) async fn lead(&self, address: Address) -> Address {
        match &self.place.map {
            Some(map) => map.lead(address).await,
            None => address,
        }
    }

    /// How to enter the Sentinel at `at`.
    pub(super) fn server(&self, Address { host, port }: &Address) -> Server {
        let SentinelAt { username, password, tls, .. } = self.place.sentinel.clone();
        let (host, port, name) = (host.clone(), *port, self.place.name.clone());
        Server::new(Endpoint { host, port, username, password, tls, name, ..Endpoint::default() })
    }
}

async fn keep_watching(shared: Arc<Shared>) {
    // A bug must not leave connections with a master of the past.
    while AssertUnwindSafe(watch_all(&shared)).catch_unwind().await.is_err() {
        sleep(PERIOD).await;
    }
}

/// Asks all Sentinels that are known, without end.
async fn watch_all(shared: &Shared) {
    let (mut watching, mut agents) = (0, FuturesUnordered::new());
    loop {
        let new: Vec<_> = {
            let state = shared.lock();
            state.sentinels.iter().skip(watching).map(|known| known.at.clone()).collect()
        };
        watching += new.len();
        for at in new {
            agents.push(Agent::new(shared, at).run());
        }
        tokio::select! {
            _ = agents.next(), if !agents.is_empty() => {}
            () = shared.learnt.notified() => {}
        }
    }
}
