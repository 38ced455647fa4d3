//! One answer out of those of all nodes of a cluster.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use serde_json::Value;

use super::request::Command;
use super::router::Router;
use crate::connection::Answer;
use crate::error::Error;

/// Puts the answers to a `PUBSUB` together.
pub(super) struct Gather {
    command: &'static str,
    // Numbers behind names, which are summed; else a list of names.
    counts: bool,
    state: Mutex<State>,
}

struct State {
    masters: usize,
    replicas: usize,
    // Whether replicas are still waited for.
    patient: bool,
    done: bool,
    list: Vec<Value>,
    error: Option<Error>,
}

impl Gather {
    /// Of so many answers of masters, and of replicas.
    pub(super) fn new(command: &Command, masters: usize, replicas: usize) -> Arc<Self> {
        let counts = command.args.first().is_some_and(|name| name.ends_with(b"NUMSUB"));
        let (patient, done) = (true, false);
        let state = State { masters, replicas, patient, done, list: Vec::new(), error: None };
        Arc::new(Self { command: command.name, counts, state: Mutex::new(state) })
    }

    /// Adds what one node has answered, nothing where it is gone. The whole, if that was the last.
    fn add(&self, answer: Option<&Answer>, of: Role) -> Option<Result<String, Error>> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        match answer {
            Some(Answer::List(json)) => self.merge(&mut state.list, json),
            // What a replica refuses is not counted.
            Some(Answer::Error(reply)) if of == Role::Master => {
                let (command, reply) = (self.command, reply.clone());
                state.error = Some(Error::Reply { command, reply });
            }
            _ => {}
        }
        let left = match of {
            Role::Master => &mut state.masters,
            Role::Replica => &mut state.replicas,
        };
        *left = left.saturating_sub(1);
        state.whole()
    }

    /// Replicas are not waited for any more. The whole, if they were the last.
    fn hurry(&self) -> Option<Result<String, Error>> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.patient = false;
        state.whole()
    }

    /// Ends it for `router` and `ticket` as soon as nothing but replicas is missing.
    pub(super) fn forgo(&self, router: &Weak<Router>, ticket: u32) {
        if let (Some(outcome), Some(router)) = (self.hurry(), router.upgrade()) {
            router.gathered(ticket, outcome);
        }
    }

    fn merge(&self, list: &mut Vec<Value>, json: &str) {
        let Ok(more) = serde_json::from_str::<Vec<Value>>(json) else { return };
        if !self.counts {
            let known: HashSet<_> = list.iter().cloned().collect();
            list.extend(more.into_iter().filter(|name| !known.contains(name)));
        } else if list.is_empty() {
            *list = more;
        } else {
            for (sum, value) in list.iter_mut().zip(more) {
                if let (Some(one), Some(other)) = (sum.as_u64(), value.as_u64()) {
                    *sum = one.saturating_add(other).into();
                }
            }
        }
    }
}

/// Which kind of node answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// Which is waited for.
    Master,
    /// Which has no say in whether there is an answer.
    Replica,
}

impl State {
    fn whole(&mut self) -> Option<Result<String, Error>> {
        if self.done || self.masters > 0 || (self.patient && self.replicas > 0) {
            return None;
        }
        self.done = true;
        let list = Value::Array(std::mem::take(&mut self.list)).to_string();
        Some(self.error.take().map_or(Ok(list), Err))
    }
}

/// One node's part, which counts as an empty answer if it is dropped.
pub(super) struct Part {
    gather: Arc<Gather>,
    router: Weak<Router>,
    ticket: u32,
    of: Role,
    answered: bool,
}

impl std::fmt::Debug for Part {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Part").field("ticket", &self.ticket).finish_non_exhaustive()
    }
}

impl Part {
    /// Of what waits under `ticket`.
    pub(super) const fn new(
        gather: Arc<Gather>,
        router: Weak<Router>,
        ticket: u32,
        of: Role,
    ) -> Self {
        Self { gather, router, ticket, of, answered: false }
    }

    /// The node has answered.
    pub(super) fn answer(&mut self, answer: &Answer) {
        self.settle(Some(answer));
    }

    fn settle(&mut self, answer: Option<&Answer>) {
        if std::mem::replace(&mut self.answered, true) {
            return;
        }
        if let (Some(outcome), Some(router)) =
            (self.gather.add(answer, self.of), self.router.upgrade())
        {
            router.gathered(self.ticket, outcome);
        }
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        self.settle(None);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::{Answer, Command, Gather, Role};
    use crate::backplane::Route;

    fn gather(name: &str) -> std::sync::Arc<Gather> {
        let args = vec![name.as_bytes().to_vec()];
        Gather::new(&Command { name: "PUBSUB", args, route: Route::Publisher, reading: None }, 3, 0)
    }

    fn list(json: &str) -> Answer {
        Answer::List(json.to_owned())
    }

    #[test]
    fn counts_are_summed_and_names_joined() {
        for name in ["NUMSUB", "SHARDNUMSUB"] {
            let gather = gather(name);
            assert!(gather.add(Some(&list(r#"["a",1,"b",0]"#)), Role::Master).is_none());
            assert!(gather.add(None, Role::Master).is_none());
            let whole = gather.add(Some(&list(r#"["a",2,"b",5]"#)), Role::Master);
            assert_eq!(whole.unwrap().unwrap(), r#"["a",3,"b",5]"#);
        }
        let gather = gather("CHANNELS");
        for json in [r#"["a"]"#, "[]"] {
            assert!(gather.add(Some(&list(json)), Role::Master).is_none());
        }
        assert_eq!(
            gather.add(Some(&list(r#"["b"]"#)), Role::Master).unwrap().unwrap(),
            r#"["a","b"]"#
        );
    }

    #[test]
    fn one_refusal_is_that_of_all() {
        let gather = gather("NUMSUB");
        assert!(gather.add(Some(&Answer::Error("NOPERM no".to_owned())), Role::Master).is_none());
        assert!(gather.add(None, Role::Master).is_none());
        let whole = gather.add(Some(&list("[]")), Role::Master).unwrap();
        assert_eq!(whole.unwrap_err().code(), "ERR_REDIS_REPLY");
    }

    #[test]
    fn replicas_count_and_are_not_waited_for_long() {
        let args = vec![b"NUMSUB".to_vec()];
        let command = Command { name: "PUBSUB", args, route: Route::Publisher, reading: None };
        let gather = || Gather::new(&command, 1, 2);
        let one = list(r#"["a",1]"#);
        let all = gather();
        assert!(all.add(Some(&one), Role::Replica).is_none());
        assert!(all.add(Some(&one), Role::Master).is_none());
        let refusal = Answer::Error("NOPERM no".to_owned());
        assert_eq!(all.add(Some(&refusal), Role::Replica).unwrap().unwrap(), r#"["a",2]"#);
        let some = gather();
        assert!(some.add(Some(&one), Role::Master).is_none());
        assert!(some.add(Some(&one), Role::Replica).is_none());
        assert_eq!(some.hurry().unwrap().unwrap(), r#"["a",2]"#);
        assert!(some.add(None, Role::Replica).is_none(), "it is over");
        let none = gather();
        assert!(none.hurry().is_none(), "masters are waited for");
        assert_eq!(none.add(Some(&one), Role::Master).unwrap().unwrap(), r#"["a",1]"#);
    }
}
