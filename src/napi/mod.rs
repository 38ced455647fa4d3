//! The door to Node: converts and delegates, and does nothing else.
//!
//! The only module that names napi. Every function is called on the event loop.

#![expect(clippy::needless_pass_by_value, reason = "what crosses N-API arrives by value")]

mod adapter;
mod adapter_options;
mod backplane;
mod constants;
mod endpoint;
mod fanout;
mod options;
mod runtime;
mod stats;
mod store;
mod websocket;

use napi::Result;
use napi::bindgen_prelude::{Buffer, Either, Function};
use napi::threadsafe_function::ThreadsafeFunctionCallMode;

use crate::event_loop::Waker;

/// 0 means that the caller does not wait.
fn waits(ticket: u32) -> Option<u32> {
    (ticket != 0).then_some(ticket)
}

fn bytes_of(value: Either<String, Buffer>) -> Vec<u8> {
    match value {
        Either::A(text) => text.into_bytes(),
        Either::B(buffer) => buffer.to_vec(),
    }
}

/// What wakes the event loop by calling `wake` there.
fn waker_of(wake: Function<'_, (), ()>) -> Result<Waker> {
    // Weak: it does not keep the event loop alive.
    let wake = wake.build_threadsafe_function().weak::<true>().build()?;
    Ok(Box::new(move || {
        // It fails only when the environment is shutting down, and then nothing waits.
        wake.call((), ThreadsafeFunctionCallMode::NonBlocking);
    }))
}
