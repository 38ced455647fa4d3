//! How a backplane's connections are opened: what they have in common, and what runs for each.

use std::sync::{Arc, PoisonError};

use tokio::task::JoinHandle;

use super::link_events::LinkEvents;
use super::outbox::Outbox;
use super::request::Request;
use super::router::Router;
use super::routers::Routers;
use super::shards::Shards;
use super::steered::Steered;
use super::supervisor::supervise;
use super::tasks::Tasks;
use super::writer::Writer;
use super::{Backplane, Options, new_outbox};
use crate::connection::{Cluster, Endpoint, Place};
use crate::event_loop::Link;

impl Backplane {
    /// Opens the connections, in the background. Commands share the publishing connection when
    /// both point to the same server.
    pub fn connect(&self, publisher: &Endpoint, subscriber: Endpoint, commander: Endpoint) {
        let shared = publisher.same_server(&commander);
        let links = &self.events.links;
        links.publisher.set_place(publisher.to_string());
        links.subscriber.set_place(subscriber.to_string());
        links.commander.set_place(commander.to_string());
        let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        // Without commands, the database does not matter; channels span them, so that of the commands
        // serves both.
        let db = if shared { commander.db } else { 0 };
        let place = Place::new(Endpoint { db, ..publisher.clone() });
        let subscriber = place.beside(publisher, subscriber);
        if let Some(cluster) = subscriber.cluster() {
            tasks.shards = Some(self.start_shards(cluster));
        }
        tasks.session = Some(self.spawn_session(subscriber));
        let data = commander.clone();
        let commands = (!shared).then(|| place.beside(publisher, commander));
        if let Some(streams) = self.streams.get() {
            let cluster = commands.as_ref().unwrap_or(&place).cluster();
            tasks.streams = streams.start(self, &data, cluster);
        }
        let router = self.start_router(&place, &mut tasks);
        let routers = Routers {
            commander: match &commands {
                None => router.clone(),
                Some(place) => self.start_router(place, &mut tasks),
            },
            publisher: router,
        };
        if let (Some(place), None) = (commands, &routers.commander) {
            let outbox = self.split_commands();
            tasks.writers.push(self.spawn_writer(&outbox, place));
        }
        for item in self.publisher.take_if(|item| routers.of(&item.request).is_some()) {
            if let Some(router) = routers.of(&item.request) {
                router.send(item);
            }
        }
        self.routers.get_or_init(|| routers);
        tasks.writers.push(self.spawn_writer(&self.publisher, place));
    }

    fn start_shards(&self, cluster: &Arc<Cluster>) -> (Arc<Shards>, JoinHandle<()>) {
        let link = LinkEvents::new(Arc::clone(&self.events), Link::Sub);
        let (cluster, fleet) = (Arc::clone(cluster), Arc::clone(&self.subscribers));
        let (shards, task) = Shards::start(cluster, &self.runtime, link, fleet);
        shards.take_over(&self.session);
        self.shards.get_or_init(|| Arc::clone(&shards));
        (shards, task)
    }

    fn start_router(&self, place: &Place, tasks: &mut Tasks) -> Option<Arc<Router>> {
        let cluster = Arc::clone(place.cluster()?);
        let link = LinkEvents::new(Arc::clone(&self.events), Link::Cmd);
        let Options { queue, command_timeout, .. } = self.options;
        let (router, task) = Router::start(cluster, &self.runtime, link, queue, command_timeout);
        tasks.routers.push((Arc::clone(&router), task));
        Some(router)
    }

    fn spawn_session(&self, place: Place) -> JoinHandle<()> {
        let (session, connector) = (Arc::clone(&self.session), Arc::new(self.steered(place)));
        let link = LinkEvents::new(Arc::clone(&self.events), Link::Sub);
        let run = move || Arc::clone(&session).run(Arc::clone(&connector));
        self.runtime.spawn(supervise(link, "subscriber's session", run))
    }

    pub(super) fn steered(&self, place: Place) -> Steered {
        Steered::new(place, Arc::clone(&self.events))
    }

    fn split_commands(&self) -> Arc<Outbox> {
        let outbox = new_outbox(&self.options, &self.events, Link::Cmd);
        let outbox = self.commander.get_or_init(|| outbox);
        for item in self.publisher.take_if(|item| matches!(item.request, Request::Command(_))) {
            outbox.adopt(item);
        }
        Arc::clone(outbox)
    }

    fn spawn_writer(&self, outbox: &Arc<Outbox>, place: Place) -> (Arc<Writer>, JoinHandle<()>) {
        let writer = Arc::new(Writer::new(Arc::clone(outbox)));
        let (running, connector) = (Arc::clone(&writer), Arc::new(self.steered(place)));
        let run = move || Arc::clone(&running).run(Arc::clone(&connector));
        let task = self.runtime.spawn(supervise(outbox.link.clone(), "writer", run));
        (writer, task)
    }
}
