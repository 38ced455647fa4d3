//! The codecs of 0.9's messages, by codec and direction. `npm run bench:codecs`.

#![allow(missing_docs, clippy::unwrap_used)]

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use socket_io_redis_native::store::NodeId;
use socket_io_redis_native::store::wire::{Codec, Shape, decode, dispatch_args, encode};
use std::hint::black_box;

const CODECS: [(&str, Codec); 2] = [("json", Codec::Json), ("msgpack", Codec::MessagePack)];
const SIZES: [usize; 3] = [190, 1024, 16 * 1024];
const OTHER: &str = "\"another-node\"";

/// A packet of `size` bytes, full of the quotes that JSON escapes.
fn packet(size: usize) -> String {
    let text = "x".repeat(size.saturating_sub(60));
    format!(r#"5::/bench:{{"name":"message","args":[{{"user":"somebody","text":"{text}"}}]}}"#)
}

fn args(size: usize) -> String {
    dispatch_args("/bench", &packet(size), Some(false), "")
}

fn encoding(c: &mut Criterion) {
    for (name, codec) in CODECS {
        let mut group = c.benchmark_group(format!("encode/{name}"));
        for size in SIZES {
            let args = args(size);
            group.throughput(Throughput::Bytes(args.len() as u64));
            group.bench_with_input(BenchmarkId::from_parameter(size), &args, |b, args| {
                b.iter(|| encode(codec, black_box(OTHER), black_box(args)).unwrap());
            });
        }
    }
    c.bench_function("encode/dispatch args", |b| {
        let packet = packet(190);
        b.iter(|| dispatch_args(black_box("/bench"), black_box(&packet), Some(false), ""));
    });
}

fn decoding(c: &mut Criterion) {
    let own = NodeId::String("this-node".to_owned());
    for (name, codec) in CODECS {
        for (shape_name, shape) in [("dispatch", Shape::Dispatch), ("any", Shape::Any)] {
            let mut group = c.benchmark_group(format!("decode/{name}/{shape_name}"));
            for size in SIZES {
                let payload = encode(codec, OTHER, &args(size)).unwrap();
                group.throughput(Throughput::Bytes(payload.len() as u64));
                group.bench_with_input(
                    BenchmarkId::from_parameter(size),
                    &payload,
                    |b, payload| {
                        b.iter(|| decode(black_box(payload), shape, &own).is_ok());
                    },
                );
            }
        }
        let payload = encode(codec, "\"this-node\"", &args(190)).unwrap();
        c.bench_function(&format!("decode/{name}/own"), |b| {
            b.iter(|| decode(black_box(&payload), Shape::Dispatch, &own).is_ok());
        });
    }
}

criterion_group!(benches, encoding, decoding);
criterion_main!(benches);
