//! The Tokio runtime that all stores of the process share.

use napi::{Error, Result};
use once_cell::sync::OnceCell;
use tokio::runtime::{Builder, Handle, Runtime};

/// One event loop feeds it, so two threads are plenty.
const WORKERS: usize = 2;

// once_cell and not std: there, a fallible initialisation is not stable yet.
static RUNTIME: OnceCell<Runtime> = OnceCell::new();

/// The runtime, started at the first call.
pub(super) fn handle() -> Result<Handle> {
    let runtime = RUNTIME.get_or_try_init(|| {
        Builder::new_multi_thread()
            .worker_threads(WORKERS)
            .thread_name("socket.io-redis")
            .enable_all()
            .build()
            .map_err(|error| Error::from_reason(format!("No threads could be started: {error}")))
    })?;
    Ok(runtime.handle().clone())
}
