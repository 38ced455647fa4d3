//! What is asked of Redis.

use std::borrow::Cow;
use std::fmt::Debug;

use super::heartbeat::OutgoingBeat;
use crate::connection::pack;
use crate::error::{Error, Result};

/// A message to publish, which encodes itself off the event loop.
pub trait Publication: Debug + Send + 'static {
    /// The channel that it goes to.
    fn channel(&self) -> Cow<'_, str>;
    /// The payload.
    ///
    /// # Errors
    /// Why it cannot be encoded, in words that follow "could not be encoded:".
    fn payload(&self) -> std::result::Result<Cow<'_, [u8]>, String>;
    /// The bytes of memory that it holds while it waits.
    fn size(&self) -> usize;
}

/// A message whose payload is ready.
#[derive(Debug)]
pub struct Packed {
    /// The channel.
    pub channel: String,
    /// The payload.
    pub payload: Vec<u8>,
}

impl Publication for Packed {
    fn channel(&self) -> Cow<'_, str> {
        Cow::Borrowed(&self.channel)
    }

    fn payload(&self) -> std::result::Result<Cow<'_, [u8]>, String> {
        Ok(Cow::Borrowed(&self.payload))
    }

    fn size(&self) -> usize {
        size_of::<Self>() + self.channel.capacity() + self.payload.capacity()
    }
}

/// A command that may be sent twice: doing it twice does no harm.
#[derive(Debug)]
pub struct Command {
    /// Its name.
    pub name: &'static str,
    /// Its arguments.
    pub args: Vec<Vec<u8>>,
    /// Which servers it is for.
    pub route: Route,
}

/// Which servers a command is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Route {
    /// Where the data is: in a cluster, the node that owns the slot of its first argument.
    Key,
    /// Where messages are published: in a cluster, all masters, whose answers are put together.
    Publisher,
}

/// One request to Redis, not yet packed.
#[derive(Debug)]
pub enum Request {
    /// `PUBLISH`: must not be sent twice.
    Publish(Box<dyn Publication>),
    /// `SPUBLISH`, likewise.
    PublishSharded(Box<dyn Publication>),
    /// A heartbeat: published, not counted, and dropped in silence.
    Beat(OutgoingBeat),
    /// Any other command.
    Command(Command),
}

impl Request {
    /// A request to publish.
    #[must_use]
    pub fn publish(publication: impl Publication) -> Self {
        Self::Publish(Box::new(publication))
    }

    /// A request to publish on a channel of the shard that owns its slot.
    #[must_use]
    pub fn publish_sharded(publication: impl Publication) -> Self {
        Self::PublishSharded(Box::new(publication))
    }

    /// Whether it is a publish.
    #[must_use]
    pub const fn is_publish(&self) -> bool {
        matches!(self, Self::Publish(_) | Self::PublishSharded(_))
    }

    /// Whether it is a heartbeat, of which nothing is counted.
    #[must_use]
    pub const fn is_beat(&self) -> bool {
        matches!(self, Self::Beat(_))
    }

    /// What it publishes, if it does.
    #[must_use]
    pub fn publication(&self) -> Option<&dyn Publication> {
        match self {
            Self::Publish(publication) | Self::PublishSharded(publication) => Some(&**publication),
            Self::Beat(beat) => Some(beat),
            Self::Command(_) => None,
        }
    }

    /// Whether it belongs on the server that messages are published on.
    #[must_use]
    pub const fn goes_with_publishes(&self) -> bool {
        match self {
            Self::Publish(_) | Self::PublishSharded(_) | Self::Beat(_) => true,
            Self::Command(command) => matches!(command.route, Route::Publisher),
        }
    }

    /// The bytes of memory that it holds while it waits, without the request itself.
    #[must_use]
    pub fn size(&self) -> usize {
        match self {
            Self::Publish(publication) | Self::PublishSharded(publication) => publication.size(),
            Self::Beat(beat) => beat.size(),
            Self::Command(Command { args, .. }) => {
                args.iter().map(|arg| size_of::<Vec<u8>>() + arg.capacity()).sum()
            }
        }
    }

    /// Appends it to `packed`, in RESP.
    ///
    /// # Errors
    /// [`Error::Encode`], and `packed` is as it was; so it is after a panic of the publication.
    pub fn pack(&self, packed: &mut Vec<u8>) -> Result<()> {
        if let Some(publication) = self.publication() {
            let channel = publication.channel();
            let payload = publication.payload().map_err(|reason| Error::Encode {
                count: 1,
                channel: channel.clone().into_owned(),
                reason,
            })?;
            pack(self.name(), &[channel.as_bytes(), &payload], packed);
        } else if let Self::Command(Command { name, args, .. }) = self {
            pack(name, &args.iter().map(Vec::as_slice).collect::<Vec<_>>(), packed);
        }
        Ok(())
    }

    /// The command's name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::PublishSharded(_) => "SPUBLISH",
            Self::Beat(beat) if beat.is_sharded() => "SPUBLISH",
            Self::Publish(_) | Self::Beat(_) => "PUBLISH",
            Self::Command(command) => command.name,
        }
    }
}
