//! Whether a server is a master, and of which history.

use redis::cmd;

use super::info;
use super::link::{ByteStream, Connection};
use super::resp::Value;
use crate::error::Result;

/// What a server says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Role {
    /// Whether it follows another server: what is published there reaches no other one.
    pub is_replica: bool,
    /// The history that its data have, where it says so: a failover begins another one.
    pub history: Option<String>,
    // Which command it answers.
    question: Question,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Question {
    Info,
    Role,
}

impl Question {
    fn packed(self) -> Vec<u8> {
        match self {
            Self::Info => cmd("INFO").arg("replication").get_packed_command(),
            Self::Role => cmd("ROLE").get_packed_command(),
        }
    }

    fn read(self, answer: &Value) -> Option<Role> {
        match (self, answer) {
            (Self::Info, Value::Bulk(text)) => {
                let text = String::from_utf8_lossy(text);
                let field = |name| info::field(&text, name);
                let is_replica = field("role")? == "slave";
                let history = field("master_replid").map(str::to_owned);
                Some(Role { is_replica, history, question: self })
            }
            (Self::Role, Value::Array(parts)) => {
                let Some(Value::Bulk(name)) = parts.first() else { return None };
                Some(Role { is_replica: **name == *b"slave", history: None, question: self })
            }
            _ => None,
        }
    }
}

impl Role {
    /// Of a master, which says so in its `INFO`.
    #[cfg(test)]
    pub const fn of_a_master() -> Self {
        Self { is_replica: false, history: None, question: Question::Info }
    }

    /// Asks a server; nothing where this user may not know.
    ///
    /// # Errors
    /// [`crate::error::Error::Lost`].
    pub(super) async fn ask<S: ByteStream>(connection: &mut Connection<S>) -> Result<Option<Self>> {
        for question in [Question::Info, Question::Role] {
            connection.queue(&question.packed());
            let answer = connection.next().await?;
            if let Some(role) = question.read(&answer) {
                return Ok(Some(role));
            }
        }
        Ok(None)
    }

    /// The command that asks for it, in RESP.
    pub fn question(&self) -> Vec<u8> {
        self.question.packed()
    }

    /// Why the server is not what it was, given its answer to [`Self::question`]; nothing where it is, or
    /// does not say.
    pub fn changed(&self, answer: &Value) -> Option<&'static str> {
        let now = self.question.read(answer)?;
        if now.is_replica && !self.is_replica {
            return Some("it has become a replica");
        }
        (now.history != self.history)
            .then_some("its data have another history: there was a failover")
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use bytes::Bytes;

    use super::{Question, Value};

    fn info(role: &str, replid: &str) -> Value {
        let text = format!("# Replication\r\nrole:{role}\r\nmaster_replid:{replid}\r\n");
        Value::Bulk(Bytes::from(text.into_bytes()))
    }

    fn role(name: &'static str) -> Value {
        Value::Array(vec![Value::Bulk(Bytes::from_static(name.as_bytes())), Value::Integer(1)])
    }

    #[test]
    fn a_change_of_role_or_history_is_told() {
        let before = Question::Info.read(&info("master", "a")).unwrap();
        assert!(!before.is_replica);
        assert_eq!(before.changed(&info("master", "a")), None);
        assert!(before.changed(&info("slave", "a")).unwrap().contains("replica"));
        assert!(before.changed(&info("master", "b")).unwrap().contains("history"));
        let before = Question::Role.read(&role("master")).unwrap();
        assert_eq!(before.changed(&role("master")), None);
        assert!(before.changed(&role("slave")).is_some());
    }

    #[test]
    fn what_says_nothing_changes_nothing() {
        let before = Question::Info.read(&info("master", "a")).unwrap();
        for answer in [
            Value::Nil,
            Value::Error("NOPERM no".to_owned()),
            Value::Bulk(Bytes::new()),
            Value::Array(vec![]),
        ] {
            assert_eq!(before.changed(&answer), None);
            assert_eq!(Question::Role.read(&answer), None);
        }
    }
}
