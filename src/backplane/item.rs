//! A request on its way to Redis.

use tokio::time::Instant;

use super::gather::Part;
use super::request::Request;
use super::router::Lane;

/// A request and its caller.
#[derive(Debug)]
pub(super) struct Item {
    pub(super) request: Request,
    /// The caller's number, when it waits for the reply.
    pub(super) ticket: Option<u32>,
    pub(super) queued: Instant,
    /// Its place among those of its slot, in a cluster.
    pub(super) lane: Option<Lane>,
    /// What it is a part of, where all masters of a cluster are asked.
    pub(super) part: Option<Part>,
}

impl Item {
    pub(super) const fn new(request: Request, ticket: Option<u32>, queued: Instant) -> Self {
        Self { request, ticket, queued, lane: None, part: None }
    }

    /// Its number among all requests to a cluster, where it waits for a node.
    pub(super) fn waiting_number(&self) -> Option<u64> {
        self.lane.as_ref().and_then(Lane::waiting_number)
    }

    /// The bytes of memory that it holds while it waits.
    pub(super) fn size(&self) -> usize {
        size_of::<Self>() + self.request.size()
    }
}
