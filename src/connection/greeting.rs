//! The first commands of a connection: enter, and see what the server lets us do.
//!
//! Only what means that nothing will work is a refusal. A server that refuses the ping alone (a
//! user without the right, a renamed command, `-MISCONF`, `-BUSY`) still publishes and subscribes.

use redis::{Cmd, cmd};

use super::endpoint::Endpoint;
use super::link::{ByteStream, Connection};
use super::resp::Value;
use crate::error::{Error, Result};

/// What a connection is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Subscriptions: a server that still loads its data set serves them, and channels span
    /// databases.
    Subscribe,
    /// Commands on data, and publishes.
    Command,
}

/// Something that works and is not as the endpoint says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Warning {
    /// There is a password, and the server asks for none.
    PasswordUnused,
}

/// Enters the server.
///
/// # Errors
/// [`Error::Refused`] or [`Error::Lost`].
pub(super) async fn greet<S: ByteStream>(
    connection: &mut Connection<S>,
    endpoint: &Endpoint,
    purpose: Purpose,
) -> Result<Option<Warning>> {
    let mut warning = None;
    if let Some(auth) = auth(endpoint)
        && let Some(reply) = ask(connection, &auth).await?
    {
        if !asks_for_no_password(&reply) {
            return Err(refused(connection, reply));
        }
        warning = Some(Warning::PasswordUnused);
    }
    if endpoint.db != 0 && purpose == Purpose::Command {
        let mut select = cmd("SELECT");
        select.arg(endpoint.db);
        if let Some(reply) = ask(connection, &select).await? {
            return Err(refused(connection, reply));
        }
    }
    introduce(connection, endpoint, purpose).await?;
    // It finds out what the others would not: a password that is wanted, a loading server.
    match ask(connection, &cmd("PING")).await? {
        Some(reply) if is_refusal(&reply, purpose) => Err(refused(connection, reply)),
        _ => Ok(warning),
    }
}

/// Waits until the server serves publishes, or refuses to: while it is paused for writes (`CLIENT
/// PAUSE`, or a failover), it answers pings and holds publishes. It holds this command with them,
/// which does nothing; whatever the answer is, publishes are not held.
///
/// # Errors
/// [`Error::Lost`].
pub(super) async fn probe<S: ByteStream>(connection: &mut Connection<S>) -> Result<()> {
    let mut count = cmd("PFCOUNT");
    count.arg("socket.io-redis-native");
    ask(connection, &count).await.map(drop)
}

/// Says what connects. A Redis before 7.2 does not know all of it, and a user may not have the right:
/// either is lived without.
async fn introduce<S: ByteStream>(
    connection: &mut Connection<S>,
    endpoint: &Endpoint,
    purpose: Purpose,
) -> Result<()> {
    let mut commands = Vec::new();
    let mut client = |args: &[&str]| {
        let mut client = cmd("CLIENT");
        client.arg(args);
        commands.push(client);
    };
    if let Some(name) = &endpoint.name {
        client(&["SETNAME", name]);
    }
    if let Some(library) = &endpoint.library {
        client(&["SETINFO", "LIB-NAME", library]);
        client(&["SETINFO", "LIB-VER", env!("CARGO_PKG_VERSION")]);
    }
    // In one go.
    for command in &commands {
        connection.queue(&command.get_packed_command());
    }
    for _ in &commands {
        if let Value::Error(reply) = connection.next().await?
            && is_refusal(&reply, purpose)
        {
            return Err(refused(connection, reply));
        }
    }
    Ok(())
}

/// Sends a command; the reply, if it is an error.
async fn ask<S: ByteStream>(
    connection: &mut Connection<S>,
    command: &Cmd,
) -> Result<Option<String>> {
    connection.queue(&command.get_packed_command());
    match connection.next().await? {
        Value::Error(reply) => Ok(Some(reply)),
        _ => Ok(None),
    }
}

/// A user without a password enters with an empty one: as `default` it would be another one.
fn auth(endpoint: &Endpoint) -> Option<Cmd> {
    let Endpoint { username, password, .. } = endpoint;
    let mut auth = cmd("AUTH");
    match (username, password) {
        (None, None) => return None,
        (None, Some(password)) => auth.arg(password),
        (Some(username), password) => auth.arg(username).arg(password.as_deref().unwrap_or("")),
    };
    Some(auth)
}

/// Redis before 6, and from 6 on.
fn asks_for_no_password(reply: &str) -> bool {
    reply.contains("no password is set") || reply.contains("without any password configured")
}

fn is_refusal(reply: &str, purpose: Purpose) -> bool {
    match reply.split_whitespace().next() {
        Some("NOAUTH" | "DENIED" | "WRONGPASS") => true,
        Some("LOADING") => purpose == Purpose::Command,
        _ => reply.contains("max number of clients") || reply.contains("operation not permitted"),
    }
}

fn refused<S: ByteStream>(connection: &Connection<S>, reply: String) -> Error {
    Error::Refused { endpoint: connection.endpoint().to_owned(), reply }
}

#[cfg(test)]
#[path = "greeting_tests.rs"]
mod tests;
