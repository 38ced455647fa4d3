//! Where connections lead: one server, or one that is found out each time.

use std::time::SystemTime;

use super::connector::{Connector, Opened, Patience, Server};
use super::endpoint::Endpoint;
use super::greeting::Purpose;
use super::stream::Stream;
use crate::error::Result;

/// Opens connections to whatever an endpoint stands for.
pub enum Place {
    /// One server.
    Server(Server),
}

impl Place {
    /// The place of an endpoint.
    #[must_use]
    pub const fn new(endpoint: Endpoint) -> Self {
        Self::Server(Server::new(endpoint))
    }
}

impl Connector for Place {
    type Stream = Stream;

    async fn connect(&self, purpose: Purpose, patience: Patience) -> Result<Opened<Stream>> {
        match self {
            Self::Server(server) => server.connect(purpose, patience).await,
        }
    }

    async fn moved(&self, endpoint: &str) -> String {
        match self {
            Self::Server(server) => server.moved(endpoint).await,
        }
    }

    fn confirmed(&self) -> Option<SystemTime> {
        match self {
            Self::Server(server) => server.confirmed(),
        }
    }
}
