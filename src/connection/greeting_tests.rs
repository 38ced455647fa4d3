//! How servers let connections in.

use tokio::io::duplex;

use super::{Purpose, Warning, greet, probe};
use crate::connection::testing::Server;
use crate::connection::{Connection, Endpoint};
use crate::error::{Error, Result};

const PONG: &str = "+PONG";
const OK: &str = "+OK";

/// Greets a server that says this; each command is sent when the one before is answered.
async fn greet_server(
    endpoint: &Endpoint,
    purpose: Purpose,
    script: &[(&str, &str)],
) -> Result<Option<Warning>> {
    let (client, server) = duplex(1024);
    let (mut connection, mut server) =
        (Connection::new(client, endpoint.to_string()), Server::new(server));
    let serve = async {
        for (command, reply) in script {
            assert_eq!(server.command().await.as_deref(), Some(*command));
            server.say(&format!("{reply}\r\n")).await;
        }
    };
    let (greeted, ()) = tokio::join!(greet(&mut connection, endpoint, purpose), serve);
    drop(connection);
    server.expect_closed().await;
    greeted
}

fn protected() -> Endpoint {
    Endpoint { password: Some("secret".to_owned()), ..Endpoint::default() }
}

#[tokio::test(start_paused = true)]
async fn enters_as_the_endpoint_says() {
    let user = Endpoint { username: Some("app".to_owned()), db: 5, ..protected() };
    let auth = ("AUTH app secret", OK);
    for purpose in [Purpose::Subscribe, Purpose::Command] {
        let plain = greet_server(&Endpoint::default(), purpose, &[("PING", PONG)]).await;
        assert_eq!(plain.unwrap(), None);
        let script = [("AUTH secret", OK), ("PING", PONG)];
        assert_eq!(greet_server(&protected(), purpose, &script).await.unwrap(), None);
    }
    // Channels span databases.
    let script = [auth, ("PING", PONG)];
    assert_eq!(greet_server(&user, Purpose::Subscribe, &script).await.unwrap(), None);
    let script = [auth, ("SELECT 5", OK), ("PING", PONG)];
    assert_eq!(greet_server(&user, Purpose::Command, &script).await.unwrap(), None);
}

#[tokio::test(start_paused = true)]
async fn a_user_without_a_password_does_not_enter_as_another_one() {
    let user = Endpoint { username: Some("app".to_owned()), ..Endpoint::default() };
    let script = [("AUTH app ", OK), ("PING", PONG)];
    assert_eq!(greet_server(&user, Purpose::Command, &script).await.unwrap(), None);
    let script = [("AUTH app ", "-WRONGPASS invalid username-password pair")];
    let refused = greet_server(&user, Purpose::Command, &script).await;
    assert!(matches!(refused, Err(Error::Refused { .. })), "{refused:?}");
}

#[tokio::test(start_paused = true)]
async fn says_what_connects_and_lives_without() {
    let (name, library) = (Some("chat".to_owned()), Some("library".to_owned()));
    let named = Endpoint { name, library, ..protected() };
    let version = format!("CLIENT SETINFO LIB-VER {}", env!("CARGO_PKG_VERSION"));
    for reply in [
        OK,
        "-ERR Unknown subcommand or wrong number of arguments for 'SETINFO'. Try CLIENT HELP.",
        "-NOPERM this user has no permissions to run the 'client|setname' command",
        "-ERR unknown command 'CLIENT'",
    ] {
        let script = [
            ("AUTH secret", OK),
            ("CLIENT SETNAME chat", reply),
            ("CLIENT SETINFO LIB-NAME library", reply),
            (&version, reply),
            ("PING", PONG),
        ];
        let greeted = greet_server(&named, Purpose::Subscribe, &script).await;
        assert_eq!(greeted.unwrap(), None, "{reply}");
    }
    // A server that is full says so once, to whatever comes first.
    let script =
        [("AUTH secret", OK), ("CLIENT SETNAME chat", "-ERR max number of clients reached")];
    let named = Endpoint { library: None, ..named };
    let greeted = greet_server(&named, Purpose::Subscribe, &script).await;
    assert!(matches!(greeted, Err(Error::Refused { .. })), "{greeted:?}");
}

#[tokio::test(start_paused = true)]
async fn a_password_that_is_not_asked_for_is_a_warning() {
    for reply in [
        "-ERR Client sent AUTH, but no password is set",
        "-ERR AUTH <password> called without any password configured for the default user. Are you \
         sure your configuration is correct?",
    ] {
        let script = [("AUTH secret", reply), ("PING", PONG)];
        let greeted = greet_server(&protected(), Purpose::Command, &script).await;
        assert_eq!(greeted.unwrap(), Some(Warning::PasswordUnused), "{reply}");
    }
}

#[tokio::test(start_paused = true)]
async fn refuses_what_means_that_nothing_will_work() {
    let db = Endpoint { db: 5, ..Endpoint::default() };
    let plain = Endpoint::default();
    let protected = protected();
    for (endpoint, command, reply) in [
        (
            &protected,
            "AUTH secret",
            "-WRONGPASS invalid username-password pair or user is disabled.",
        ),
        (&protected, "AUTH secret", "-ERR invalid password"),
        (&protected, "AUTH secret", "-ERR max number of clients reached"),
        (&plain, "PING", "-NOAUTH Authentication required."),
        (&plain, "PING", "-ERR operation not permitted"),
        (&plain, "PING", "-ERR max number of clients reached"),
        (&plain, "PING", "-DENIED Redis is running in protected mode because protected mode is on"),
        (&plain, "PING", "-LOADING Redis is loading the dataset in memory"),
        (&db, "SELECT 5", "-ERR DB index is out of range"),
    ] {
        let error =
            greet_server(endpoint, Purpose::Command, &[(command, reply)]).await.unwrap_err();
        let Error::Refused { endpoint, reply: said } = error else { panic!("{error:?}") };
        assert_eq!((&*endpoint, &*said), ("localhost:6379", &reply[1..]));
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_loads_serves_subscriptions() {
    let script = [("PING", "-LOADING Redis is loading the dataset in memory")];
    let greeted = greet_server(&Endpoint::default(), Purpose::Subscribe, &script).await;
    assert_eq!(greeted.unwrap(), None);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_refuses_the_ping_alone_lets_in() {
    for reply in [
        "-MISCONF Redis is configured to save RDB snapshots, but it is unable to persist",
        "-BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.",
        "-MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.",
        "-NOPERM User app has no permissions to run the 'ping' command",
        "-NOPERM this user has no permissions to run the 'ping' command or its subcommand",
        "-ERR unknown command 'PING', with args beginning with: ",
        "-ERR unknown command `PING`",
    ] {
        for purpose in [Purpose::Subscribe, Purpose::Command] {
            let greeted = greet_server(&Endpoint::default(), purpose, &[("PING", reply)]).await;
            assert_eq!(greeted.unwrap(), None, "{reply}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_hangs_up_is_lost() {
    let (client, server) = duplex(1024);
    drop(server);
    let mut connection = Connection::new(client, "test:6379".to_owned());
    let greeted = greet(&mut connection, &Endpoint::default(), Purpose::Command).await;
    assert_eq!(greeted.unwrap_err().code(), "ERR_CONNECTION_LOST");
}

#[tokio::test(start_paused = true)]
async fn a_probe_waits_for_whatever_answer() {
    for reply in [":0\r\n", "-NOPERM no\r\n", "-ERR unknown command 'PFCOUNT'\r\n"] {
        let (client, server) = duplex(1024);
        let mut connection = Connection::new(client, "test:6379".to_owned());
        let mut server = Server::new(server);
        let mut probing = Box::pin(probe(&mut connection));
        let minute = std::time::Duration::from_secs(60);
        assert!(tokio::time::timeout(minute, &mut probing).await.is_err());
        assert!(server.command().await.unwrap().starts_with("PFCOUNT "));
        server.say(reply).await;
        probing.await.unwrap();
    }
}
