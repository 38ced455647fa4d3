//! The wires of both versions of Socket.IO, by codec and direction. `npm run bench:codecs`.

#![allow(missing_docs, clippy::unwrap_used)]

use std::borrow::Cow;
use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use socket_io_redis_native::adapter::packet::{self, Packet};
use socket_io_redis_native::adapter::wire::{self as adapter, Limits, Reader};
use socket_io_redis_native::store::NodeId;
use socket_io_redis_native::store::wire::{Codec, Shape, decode, dispatch_args, encode};

const CODECS: [(&str, Codec); 2] = [("json", Codec::Json), ("msgpack", Codec::MessagePack)];
const SIZES: [usize; 3] = [190, 1024, 16 * 1024];
const OTHER: &str = "\"another-node\"";
const OPTS: &str = r#"{"rooms":["room-1"],"except":[],"flags":{}}"#;
/// Numbers, short strings and nested objects: as many values as text.
const VALUES: &str = r#"["state",{"id":1,"tick":1048576,"at":1718000000000,"ratio":0.25,"players":[{"name":"ann","x":12.5,"y":-3,"alive":true},{"name":"bob","x":0,"y":900,"alive":false},{"name":"eve","x":-7.25,"y":65,"alive":true}],"tags":["a","b","c"],"next":null,"note":"d\u00e9j\u00e0 \"vu\""}]"#;

/// A packet of 0.9 of `size` bytes, full of the quotes that JSON escapes.
fn dispatched(size: usize) -> String {
    let text = "x".repeat(size.saturating_sub(60));
    format!(r#"5::/bench:{{"name":"message","args":[{{"user":"ann","text":"{text}"}}]}}"#)
}

fn args(size: usize) -> String {
    dispatch_args("/bench", &dispatched(size), Some(false), "")
}

/// The data of an event of 4.x of `size` bytes.
fn data(size: usize) -> String {
    let text = "x".repeat(size.saturating_sub(40));
    format!(r#"["message",{{"user":"ann","text":"{text}"}}]"#)
}

fn event(data: &str) -> Packet<'_> {
    Packet { kind: 2, data: Some(data.into()), ..Packet::default() }
}

/// An event with two attachments.
fn binary_event() -> Packet<'static> {
    let data = r#"["file",{"_placeholder":true,"num":0},{"thumb":{"_placeholder":true,"num":1},"size":9}]"#;
    Packet { attachments: vec![Cow::Owned(vec![7; 64]), Cow::Owned(vec![9; 32])], ..event(data) }
}

fn store_encode(c: &mut Criterion) {
    for (name, codec) in CODECS {
        let mut group = c.benchmark_group(format!("store/encode/{name}"));
        let cases = SIZES.map(|size| (size.to_string(), args(size)));
        for (case, args) in cases.into_iter().chain([("values".to_owned(), VALUES.to_owned())]) {
            group.throughput(Throughput::Bytes(args.len() as u64));
            group.bench_with_input(BenchmarkId::from_parameter(case), &args, |b, args| {
                b.iter(|| encode(codec, black_box(OTHER), black_box(args)).unwrap());
            });
        }
    }
    c.bench_function("store/encode/dispatch args", |b| {
        let packet = dispatched(190);
        b.iter(|| dispatch_args(black_box("/bench"), black_box(&packet), Some(false), ""));
    });
}

fn store_decode(c: &mut Criterion) {
    let own = NodeId::String("this-node".to_owned());
    for (name, codec) in CODECS {
        for (shape_name, shape) in [("dispatch", Shape::Dispatch), ("any", Shape::Any)] {
            let mut group = c.benchmark_group(format!("store/decode/{name}/{shape_name}"));
            let values = (shape == Shape::Any).then(|| ("values".to_owned(), VALUES.to_owned()));
            let cases = SIZES.map(|size| (size.to_string(), args(size)));
            for (case, args) in cases.into_iter().chain(values) {
                let payload = encode(codec, OTHER, &args).unwrap();
                group.throughput(Throughput::Bytes(payload.len() as u64));
                group.bench_with_input(
                    BenchmarkId::from_parameter(case),
                    &payload,
                    |b, payload| {
                        b.iter(|| decode(black_box(payload), shape, &own).is_ok());
                    },
                );
            }
        }
        let payload = encode(codec, "\"this-node\"", &args(190)).unwrap();
        c.bench_function(&format!("store/decode/{name}/own"), |b| {
            b.iter(|| decode(black_box(&payload), Shape::Dispatch, &own).is_ok());
        });
    }
}

/// The cases of 4.x: events by size, one of many values, and one with attachments.
fn with_packets(mut run: impl FnMut(&str, &Packet<'_>)) {
    for size in SIZES {
        run(&size.to_string(), &event(&data(size)));
    }
    run("values", &event(VALUES));
    run("binary", &binary_event());
}

fn adapter_encode(c: &mut Criterion) {
    let mut group = c.benchmark_group("adapter/encode");
    with_packets(|case, packet| {
        group.throughput(Throughput::Bytes(packet.data.as_ref().unwrap().len() as u64));
        group.bench_with_input(BenchmarkId::from_parameter(case), packet, |b, packet| {
            b.iter(|| adapter::encode("sender", black_box(packet), "/bench", OPTS).unwrap());
        });
    });
    group.finish();
    let mut group = c.benchmark_group("adapter/text");
    with_packets(|case, packet| {
        group.bench_with_input(BenchmarkId::new("write", case), packet, |b, packet| {
            b.iter(|| {
                let mut text = Vec::new();
                packet::append_text(black_box(packet), "/bench", &mut text);
                text
            });
        });
        let mut text = Vec::new();
        packet::append_text(packet, "/bench", &mut text);
        let text = String::from_utf8(text).unwrap();
        group.bench_with_input(BenchmarkId::new("parse", case), packet, |b, packet| {
            let attachments = || packet.attachments.iter().map(|a| Cow::Borrowed(&**a)).collect();
            b.iter(|| packet::parse(black_box(&text), "/bench", attachments()).unwrap());
        });
    });
}

const fn reader(uid: &str) -> Reader<'_> {
    let limits = Limits { rooms: u32::MAX, attachments: usize::MAX, bytes: usize::MAX };
    Reader { uid, nsp: "/bench", limits }
}

fn adapter_decode(c: &mut Criterion) {
    let mut group = c.benchmark_group("adapter/decode");
    with_packets(|case, packet| {
        let payload = adapter::encode("sender", packet, "/bench", OPTS).unwrap();
        group.throughput(Throughput::Bytes(payload.len() as u64));
        group.bench_with_input(BenchmarkId::from_parameter(case), &payload, |b, payload| {
            b.iter(|| adapter::decode(black_box(payload), &reader("own"), |_| true).unwrap());
        });
    });
    let payload = adapter::encode("sender", &event(&data(190)), "/bench", OPTS).unwrap();
    for (case, uid, is_here) in [("not here", "own", false), ("own", "sender", true)] {
        group.bench_function(case, |b| {
            b.iter(|| adapter::decode(black_box(&payload), &reader(uid), |_| is_here).unwrap());
        });
    }
}

criterion_group!(benches, store_encode, store_decode, adapter_encode, adapter_decode);
criterion_main!(benches);
