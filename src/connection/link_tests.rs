//! What a connection writes, and what counts as progress.

use std::time::Duration;

use tokio::io::{AsyncReadExt, BufStream, duplex};
use tokio::time::timeout;

use super::{Answer, Connection, Progress, Value, pack};

const ENDPOINT: &str = "test:6379";

fn packed(args: &[&[u8]]) -> Vec<u8> {
    let mut packed = Vec::new();
    pack("PUBLISH", args, &mut packed);
    packed
}

#[tokio::test(start_paused = true)]
async fn what_the_stream_itself_keeps_back_leaves_while_a_reply_is_awaited() {
    // As TLS does it: the stream takes all, and must be flushed until it has passed all on.
    let (client, mut server) = duplex(8);
    let mut connection = Connection::new(BufStream::new(client), ENDPOINT.to_owned());
    let command = packed(&[b"channel", b"payload"]);
    connection.queue(&command);
    let mut read = vec![0; command.len()];
    let all = tokio::select! {
        value = connection.next() => panic!("{value:?}"),
        all = timeout(Duration::from_secs(9), server.read_exact(&mut read)) => all,
    };
    assert!(all.is_ok(), "it never arrives");
    assert_eq!(read, command);
}

#[tokio::test]
async fn reads_while_it_cannot_write() {
    let (client, server) = duplex(8);
    let mut connection = Connection::new(client, ENDPOINT.to_owned());
    let mut server = Connection::new(server, ENDPOINT.to_owned());
    connection.queue(&packed(&[&[b'x'; 1000]]));
    server.queue(b"+OK\r\n");
    server.flush().await.unwrap();
    assert!(matches!(connection.next().await.unwrap(), Value::Simple(_)));
    assert!(connection.unwritten() > 900);
}

#[tokio::test]
async fn says_when_there_is_capacity_for_more_commands() {
    let (client, mut server) = duplex(100);
    let mut connection = Connection::new(client, ENDPOINT.to_owned());
    connection.queue(&[b'x'; 150]);
    // Fewer than the limit: it waits for a value.
    let waits = async |connection: &mut Connection<_>, limit| {
        timeout(Duration::ZERO, connection.next_or_written(limit)).await.is_err()
    };
    assert!(waits(&mut connection, 200).await);
    assert_eq!(connection.unwritten(), 50);
    assert!(waits(&mut connection, 50).await);
    server.read_exact(&mut [0; 10]).await.unwrap();
    assert_eq!(connection.next_or_written(50).await.unwrap(), None);
    assert!(waits(&mut connection, 50).await);
}

#[tokio::test]
async fn progress_is_what_the_peer_does() {
    let (client, mut server) = duplex(100);
    let mut connection = Connection::new(client, ENDPOINT.to_owned());
    let (mut before, mut progress) = (Progress::default(), Vec::new());
    let mut note = async |connection: &mut Connection<_>| {
        let _ = timeout(Duration::ZERO, connection.next()).await;
        let after = connection.progress();
        progress.push(after.is_since(before));
        before = after;
    };
    note(&mut connection).await;
    // What the pipe takes is no progress: the other end may be dead.
    connection.queue(&[b'x'; 50]);
    note(&mut connection).await;
    connection.queue(&[b'x'; 100]);
    note(&mut connection).await;
    // Nor is what waits for it.
    connection.queue(&[b'x'; 50]);
    note(&mut connection).await;
    // That the pipe has capacity again is.
    server.read_exact(&mut [0; 50]).await.unwrap();
    note(&mut connection).await;
    note(&mut connection).await;
    // And so is a part of a reply.
    tokio::io::AsyncWriteExt::write_all(&mut server, b"$5\r\nhe").await.unwrap();
    note(&mut connection).await;
    note(&mut connection).await;
    assert_eq!(progress, [false, false, false, false, true, false, true, false]);
}

#[tokio::test]
async fn keeps_no_buffer_of_a_large_command() {
    let (client, mut server) = duplex(8 * 1024 * 1024);
    let mut connection = Connection::new(client, ENDPOINT.to_owned());
    connection.queue(&vec![b'x'; 4 * 1024 * 1024]);
    connection.flush().await.unwrap();
    let buffer = connection.framed.write_buffer_mut();
    // What was written is in front of it, and comes back with this.
    buffer.reserve(1024);
    assert!(buffer.capacity() <= 1024 * 1024, "{}", buffer.capacity());
    server.read_exact(&mut vec![0; 4 * 1024 * 1024]).await.unwrap();
}

#[tokio::test]
async fn an_end_and_what_is_no_reply_are_losses() {
    for (bytes, expected) in [(&b""[..], "Redis closed it"), (b"?\r\n", "cannot be understood")] {
        let (client, mut server) = duplex(100);
        let mut connection = Connection::new(client, ENDPOINT.to_owned());
        tokio::io::AsyncWriteExt::write_all(&mut server, bytes).await.unwrap();
        drop(server);
        let error = connection.next().await.unwrap_err();
        assert_eq!(error.code(), "ERR_CONNECTION_LOST");
        assert!(error.to_string().contains(expected), "{error}");
    }
}

#[test]
fn answers_are_made_of_values() {
    let bulk = |text: &'static str| Value::Bulk(bytes::Bytes::from_static(text.as_bytes()));
    for (value, expected) in [
        (Value::Nil, Answer::Nil),
        (Value::Simple(bytes::Bytes::from_static(b"OK")), Answer::Nil),
        (Value::Integer(-7), Answer::Integer(-7)),
        (bulk("a"), Answer::Bytes(bytes::Bytes::from_static(b"a"))),
        (Value::Error("ERR no".to_owned()), Answer::Error("ERR no".to_owned())),
        (
            Value::Array(vec![bulk("a\"b"), Value::Integer(2), Value::Nil]),
            Answer::List(r#"["a\"b",2,null]"#.to_owned()),
        ),
    ] {
        assert_eq!(Answer::from(value), expected);
    }
}
