//! What Sentinels are asked, and how their answers are read. A Sentinel may be anything that listens
//! on its port: all of it is checked.

use std::time::SystemTime;

use redis::{Cmd, cmd};

use super::super::endpoint::Address;
use super::super::link::{ByteStream, Connection};
use super::super::resp::Value;
use super::votes::Named;
use crate::error::Result;

/// What one Sentinel says, as it says it.
#[derive(Debug, Clone)]
pub(super) struct Said {
    /// The master, by the Sentinel's address of it.
    pub(super) named: Named,
    pub(super) sentinels: usize,
    pub(super) asked: SystemTime,
}

/// Another Sentinel, as one knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Other {
    pub(super) at: Address,
    pub(super) id: Option<String>,
}

/// What is asked once a connection: who the Sentinel is, and who the others are.
#[derive(Debug, Default)]
pub(super) struct Introduction {
    pub(super) id: Option<String>,
    pub(super) others: Vec<Other>,
}

fn sentinel(args: &[&str]) -> Cmd {
    let mut command = cmd("SENTINEL");
    command.arg(args);
    command
}

async fn ask<S: ByteStream, const N: usize>(
    connection: &mut Connection<S>,
    commands: [Cmd; N],
) -> Result<Vec<Value>> {
    for command in &commands {
        connection.queue(&command.get_packed_command());
    }
    let mut replies = Vec::with_capacity(N);
    for _ in 0..N {
        replies.push(connection.next().await?);
    }
    Ok(replies)
}

/// Asks for the master. The inner error: why the answer is none.
pub(super) async fn master<S: ByteStream>(
    connection: &mut Connection<S>,
    name: &str,
) -> Result<Result<Said, String>> {
    let asked = SystemTime::now();
    // The first knows a new master earlier; the second how new it is. In one go.
    let questions = [sentinel(&["GET-MASTER-ADDR-BY-NAME", name]), sentinel(&["MASTER", name])];
    let replies = ask(connection, questions).await?;
    let mut replies = replies.into_iter();
    let master = match replies.next() {
        Some(Value::Error(reply)) => return Ok(Err(reply)),
        Some(Value::Array(parts)) => parts,
        _ => return Ok(Err(format!("it knows no master {name}"))),
    };
    let [host, port] = master.as_slice() else { return Ok(Err("its answer is no address".into())) };
    let Some(master) = text(host).zip(text(port)).and_then(address) else {
        return Ok(Err("its answer is no address".into()));
    };
    // Which a user may be refused: it is lived without.
    let fields = replies.next();
    let number = |name| fields.as_ref().and_then(|fields| field(fields, name)?.parse().ok());
    let epoch = number("config-epoch").unwrap_or(0);
    let others = number("num-other-sentinels").unwrap_or(0);
    let sentinels = usize::try_from(others).unwrap_or(usize::MAX).saturating_add(1);
    Ok(Ok(Said { named: Named { master, epoch }, sentinels, asked }))
}

/// Asks who the Sentinel is and which others it knows; what it does not say is lived without.
pub(super) async fn introduction<S: ByteStream>(
    connection: &mut Connection<S>,
    name: &str,
) -> Result<Introduction> {
    let replies = ask(connection, [sentinel(&["MYID"]), sentinel(&["SENTINELS", name])]).await?;
    let id = replies.first().and_then(text).map(str::to_owned);
    let others = match replies.get(1) {
        Some(Value::Array(others)) => others.iter().filter_map(other).collect(),
        _ => Vec::new(),
    };
    Ok(Introduction { id, others })
}

fn other(fields: &Value) -> Option<Other> {
    let at = address((field(fields, "ip")?, field(fields, "port")?))?;
    Some(Other { at, id: field(fields, "runid").map(str::to_owned) })
}

/// Whether the server says to be a replica; one that does not say is trusted.
pub(super) async fn is_replica<S: ByteStream>(connection: &mut Connection<S>) -> Result<bool> {
    let replies = ask(connection, [cmd("ROLE")]).await?;
    let role = match replies.first() {
        Some(Value::Array(parts)) => parts.first().and_then(text),
        _ => None,
    };
    Ok(matches!(role, Some("slave" | "replica" | "sentinel")))
}

fn text(value: &Value) -> Option<&str> {
    match value {
        Value::Bulk(bytes) => std::str::from_utf8(bytes).ok().filter(|text| !text.is_empty()),
        _ => None,
    }
}

fn address((host, port): (&str, &str)) -> Option<Address> {
    let port = port.parse().ok().filter(|&port| port > 0)?;
    Some(Address { host: host.to_owned(), port })
}

/// A field of a list of names and values in turn.
fn field<'a>(fields: &'a Value, name: &str) -> Option<&'a str> {
    let Value::Array(fields) = fields else { return None };
    let mut pairs = fields.chunks_exact(2);
    pairs.find_map(|pair| match pair {
        [key, value] if text(key) == Some(name) => text(value),
        _ => None,
    })
}
