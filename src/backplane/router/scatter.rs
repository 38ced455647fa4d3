//! Questions to all nodes of a cluster.

use std::sync::{Arc, Weak};

use tokio::time::{Duration, sleep};

use super::Router;
use crate::backplane::gather::{Gather, Part, Role};
use crate::backplane::item::Item;
use crate::backplane::request::{Command, Request, Route};
use crate::error::Error;
use crate::event_loop::Outcome;

/// How long replicas are waited for where the masters have answered.
const REPLICAS: Duration = Duration::from_secs(1);

impl Router {
    /// Asks all nodes, and puts their answers together: clients may subscribe on replicas, as those of
    /// ioredis do.
    pub(super) fn ask_all(&self, item: Item) {
        let Item { request: Request::Command(command), ticket: Some(ticket), queued, .. } = item
        else {
            return;
        };
        let map = self.cluster.map();
        let (masters, replicas) = (map.masters(), map.replicas());
        if masters.is_empty() {
            // As long as no node is known, the command waits as others do.
            let item = Item::new(Request::Command(command), Some(ticket), queued);
            return self.send_to_owner(0, item);
        }
        self.lobby.outbox.expect(ticket, queued);
        let gather = Gather::new(&command, masters.len(), replicas.len());
        let part = |of| {
            let (name, args) = (command.name, command.args.clone());
            let route = Route::Publisher;
            let request = Request::Command(Command { name, args, route, reading: None });
            let mut item = Item::new(request, None, queued);
            item.part = Some(Part::new(Arc::clone(&gather), Weak::clone(&self.me), ticket, of));
            item
        };
        for master in masters {
            self.node(master).writer.outbox.adopt(part(Role::Master));
        }
        for replica in replicas {
            self.replica(replica).writer.outbox.adopt(part(Role::Replica));
        }
        if !replicas.is_empty() {
            let router = Weak::clone(&self.me);
            self.runtime.spawn(async move {
                sleep(REPLICAS).await;
                gather.forgo(&router, ticket);
            });
        }
    }

    /// All masters have answered.
    pub(in crate::backplane) fn gathered(&self, ticket: u32, outcome: Result<String, Error>) {
        if self.lobby.outbox.claim(ticket) {
            match outcome {
                Ok(list) => self.lobby.events().reply(ticket, Outcome::List(&list)),
                Err(error) => self.lobby.events().fail(ticket, &error),
            }
        }
    }
}
