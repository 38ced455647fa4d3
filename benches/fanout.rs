//! Broadcasts to native sockets: whom one is for, and how long it takes to be with all of them.
//! `cargo bench --bench fanout`

#![allow(missing_docs, clippy::unwrap_used)]

use std::borrow::Cow;
use std::hint::black_box;
use std::io::Read;
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;

use bytes::Bytes;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use socket_io_redis_native::event_loop::{Limits, Overflow};
use socket_io_redis_native::websocket::{
    Adoption, Audience, Broadcast, Connections, Fanout, Options, append_frame_head,
};

fn connections() -> Arc<Connections> {
    let mailbox = Limits { messages: 1000, bytes: 1 << 20, overflow: Overflow::Wait };
    Arc::new(Connections::new(Options { shards: 1, mailbox }, Box::new(|| {})))
}

fn frames() -> Bytes {
    let mut frame = Vec::new();
    append_frame_head(200, &mut frame);
    frame.resize(frame.len() + 200, b'x');
    frame.into()
}

/// Members of "room", of which every second one is in "half" too.
fn members(fanout: &Fanout, connections: impl Iterator<Item = u32>) {
    for connection in connections {
        let member = fanout.add(connection);
        fanout.join(member, "room");
        fanout.join(member, &connection.to_string());
        if connection % 2 == 0 {
            fanout.join(member, "half");
        }
    }
}

/// The search alone: nobody is connected.
fn search(c: &mut Criterion) {
    let mut group = c.benchmark_group("fanout/search");
    for size in [1, 100, 1000, 10_000] {
        let fanout = Fanout::new(connections());
        members(&fanout, 1..=size);
        group.throughput(Throughput::Elements(size.into()));
        let (room, half, one) = (Cow::Borrowed("room"), Cow::Borrowed("half"), Cow::Borrowed("1"));
        let cases = [
            ("one room", vec![room.clone()], vec![]),
            ("one room but one", vec![room.clone()], vec![one]),
            ("two rooms", vec![room, half], vec![]),
        ];
        for (name, rooms, except) in &cases {
            let audience = Audience { rooms, except };
            let broadcast = Broadcast { audience, frames: frames(), volatile: false };
            group.bench_with_input(BenchmarkId::new(*name, size), &broadcast, |b, broadcast| {
                b.iter(|| fanout.write_local(black_box(broadcast)));
            });
        }
    }
}

/// Until all clients have a message; they read one after the other.
fn deliver(c: &mut Criterion) {
    let mut group = c.benchmark_group("fanout/deliver");
    let frames = frames();
    for size in [1, 100, 1000] {
        let (connections, listener) = (connections(), TcpListener::bind("127.0.0.1:0").unwrap());
        let fanout = Fanout::new(Arc::clone(&connections));
        let mut clients = Vec::new();
        for _ in 0..size {
            clients.push(TcpStream::connect(listener.local_addr().unwrap()).unwrap());
            let socket = listener.accept().unwrap().0.into();
            let (response, head) = (Vec::new(), Vec::new());
            let adoption = Adoption { response, head, max_payload: 0, max_buffered: 1 << 30 };
            members(&fanout, std::iter::once(connections.adopt(socket, adoption).unwrap()));
        }
        group.throughput(Throughput::Elements(size));
        let rooms = [Cow::Borrowed("room")];
        let audience = Audience { rooms: &rooms, except: &[] };
        let broadcast = Broadcast { audience, frames: frames.clone(), volatile: false };
        let mut read = vec![0; frames.len()];
        group.bench_with_input(BenchmarkId::from_parameter(size), &broadcast, |b, broadcast| {
            b.iter(|| {
                fanout.write_local(broadcast);
                connections.wake();
                for client in &mut clients {
                    client.read_exact(&mut read).unwrap();
                }
            });
        });
    }
}

criterion_group!(benches, search, deliver);
criterion_main!(benches);
