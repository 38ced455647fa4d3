//! One answer out of those of all masters of a cluster.

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
    left: usize,
    list: Vec<Value>,
    error: Option<Error>,
}

impl Gather {
    /// Of `masters` answers.
    pub(super) fn new(command: &Command, masters: usize) -> Arc<Self> {
        let counts = command.args.first().is_some_and(|name| name.ends_with(b"NUMSUB"));
        let state = State { left: masters, list: Vec::new(), error: None };
        Arc::new(Self { command: command.name, counts, state: Mutex::new(state) })
    }

    /// Adds what one master has answered, nothing where it is gone. The whole, if that was the last.
    fn add(&self, answer: Option<&Answer>) -> Option<Result<String, Error>> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        match answer {
            Some(Answer::List(json)) => self.merge(&mut state.list, json),
            Some(Answer::Error(reply)) => {
                let (count, command, reply) = (1, self.command, reply.clone());
                state.error = Some(Error::Reply { count, command, reply });
            }
            _ => {}
        }
        state.left = state.left.saturating_sub(1);
        if state.left > 0 {
            return None;
        }
        let list = Value::Array(std::mem::take(&mut state.list)).to_string();
        Some(state.error.take().map_or(Ok(list), Err))
    }

    fn merge(&self, list: &mut Vec<Value>, json: &str) {
        let Ok(more) = serde_json::from_str::<Vec<Value>>(json) else { return };
        if !self.counts {
            list.extend(more);
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

/// One master's part, which counts as an empty answer if it is dropped.
pub(super) struct Part {
    gather: Arc<Gather>,
    router: Weak<Router>,
    ticket: u32,
    answered: bool,
}

impl std::fmt::Debug for Part {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Part").field("ticket", &self.ticket).finish_non_exhaustive()
    }
}

impl Part {
    /// Of what waits under `ticket`.
    pub(super) const fn new(gather: Arc<Gather>, router: Weak<Router>, ticket: u32) -> Self {
        Self { gather, router, ticket, answered: false }
    }

    /// The master has answered.
    pub(super) fn answer(&mut self, answer: &Answer) {
        self.settle(Some(answer));
    }

    fn settle(&mut self, answer: Option<&Answer>) {
        if std::mem::replace(&mut self.answered, true) {
            return;
        }
        if let (Some(outcome), Some(router)) = (self.gather.add(answer), self.router.upgrade()) {
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
    use super::{Answer, Command, Gather};
    use crate::backplane::Route;

    fn gather(name: &str) -> std::sync::Arc<Gather> {
        let args = vec![name.as_bytes().to_vec()];
        Gather::new(&Command { name: "PUBSUB", args, route: Route::Publisher }, 3)
    }

    fn list(json: &str) -> Answer {
        Answer::List(json.to_owned())
    }

    #[test]
    fn counts_are_summed_and_names_joined() {
        for name in ["NUMSUB", "SHARDNUMSUB"] {
            let gather = gather(name);
            assert!(gather.add(Some(&list(r#"["a",1,"b",0]"#))).is_none());
            assert!(gather.add(None).is_none());
            let whole = gather.add(Some(&list(r#"["a",2,"b",5]"#)));
            assert_eq!(whole.unwrap().unwrap(), r#"["a",3,"b",5]"#);
        }
        let gather = gather("CHANNELS");
        for json in [r#"["a"]"#, "[]"] {
            assert!(gather.add(Some(&list(json))).is_none());
        }
        assert_eq!(gather.add(Some(&list(r#"["b"]"#))).unwrap().unwrap(), r#"["a","b"]"#);
    }

    #[test]
    fn one_refusal_is_that_of_all() {
        let gather = gather("NUMSUB");
        assert!(gather.add(Some(&Answer::Error("NOPERM no".to_owned()))).is_none());
        assert!(gather.add(None).is_none());
        let whole = gather.add(Some(&list("[]"))).unwrap();
        assert_eq!(whole.unwrap_err().code(), "ERR_REDIS_REPLY");
    }
}
