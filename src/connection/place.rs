//! Where connections lead: one server, or one that is found out each time.

use std::sync::Arc;
use std::time::SystemTime;

use super::cluster::{AnyMaster, Cluster, Node, Owner};
use super::connector::{Connector, Opened, Patience, Server};
use super::endpoint::Endpoint;
use super::greeting::Purpose;
use super::sentinel::Sentinel;
use super::stream::Stream;
use crate::error::Result;

/// Opens connections to whatever an endpoint stands for.
pub enum Place {
    /// One server.
    Server(Box<Server>),
    /// Any master of a cluster.
    Cluster(AnyMaster),
    /// One node of a cluster.
    Node(Node),
    /// The owner of a slot.
    Owner(Owner),
    /// The master that Sentinels name.
    Sentinel(Box<Sentinel>),
}

impl Place {
    /// The place of an endpoint.
    #[must_use]
    pub fn new(endpoint: Endpoint) -> Self {
        if endpoint.cluster.is_some() {
            return Self::Cluster(AnyMaster::new(Cluster::new(endpoint)));
        }
        match endpoint.sentinel.clone() {
            Some(sentinel) => Self::Sentinel(Box::new(Sentinel::new(endpoint, sentinel))),
            None => Self::Server(Box::new(Server::new(endpoint))),
        }
    }

    /// The cluster that it leads to, if it does.
    #[must_use]
    pub const fn cluster(&self) -> Option<&Arc<Cluster>> {
        match self {
            Self::Cluster(any) => Some(any.cluster()),
            Self::Server(_) | Self::Node(_) | Self::Owner(_) | Self::Sentinel(_) => None,
        }
    }

    /// The place of an endpoint that leads to the same servers, where it does: what is known of them is
    /// shared.
    #[must_use]
    pub fn beside(&self, own: &Endpoint, endpoint: Endpoint) -> Self {
        match self {
            Self::Cluster(any) if own.same_server(&endpoint) => {
                Self::Cluster(AnyMaster::new(Arc::clone(any.cluster())))
            }
            _ => Self::new(endpoint),
        }
    }
}

impl Connector for Place {
    type Stream = Stream;

    async fn connect(&self, purpose: Purpose, patience: Patience) -> Result<Opened<Stream>> {
        match self {
            Self::Server(server) => server.connect(purpose, patience).await,
            Self::Cluster(any) => any.connect(purpose, patience).await,
            Self::Node(node) => node.connect(purpose, patience).await,
            Self::Owner(owner) => owner.connect(purpose, patience).await,
            Self::Sentinel(sentinel) => sentinel.connect(purpose, patience).await,
        }
    }

    async fn moved(&self, endpoint: &str) -> String {
        match self {
            Self::Server(server) => server.moved(endpoint).await,
            Self::Cluster(any) => any.moved(endpoint).await,
            Self::Node(node) => node.moved(endpoint).await,
            Self::Owner(owner) => owner.moved(endpoint).await,
            Self::Sentinel(sentinel) => sentinel.moved(endpoint).await,
        }
    }

    async fn elsewhere(&self) {
        match self {
            Self::Server(server) => server.elsewhere().await,
            Self::Cluster(any) => any.elsewhere().await,
            Self::Node(node) => node.elsewhere().await,
            Self::Owner(owner) => owner.elsewhere().await,
            Self::Sentinel(sentinel) => sentinel.elsewhere().await,
        }
    }

    fn confirmed(&self, endpoint: &str) -> Option<SystemTime> {
        match self {
            Self::Server(server) => server.confirmed(endpoint),
            Self::Cluster(any) => any.confirmed(endpoint),
            Self::Node(node) => node.confirmed(endpoint),
            Self::Owner(owner) => owner.confirmed(endpoint),
            Self::Sentinel(sentinel) => sentinel.confirmed(endpoint),
        }
    }
}
