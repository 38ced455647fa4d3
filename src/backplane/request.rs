//! What is asked of Redis.

use std::borrow::Cow;
use std::fmt::Debug;

use super::heartbeat::OutgoingBeat;
use crate::connection::{Answer, Value, pack};
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

/// An entry for a stream, which encodes itself off the event loop.
pub trait Addition: Debug + Send + 'static {
    /// The stream.
    fn stream(&self) -> &str;
    /// Appends the arguments of `XADD` that follow the stream to `args`.
    ///
    /// # Errors
    /// Why it cannot be encoded, in words that follow "could not be encoded:".
    fn args(&self) -> std::result::Result<Vec<Cow<'_, [u8]>>, String>;
    /// The bytes of memory that it holds while it waits.
    fn size(&self) -> usize;
}

/// Makes JSON text of a reply that is a list.
pub struct Reading(pub Box<dyn Fn(Value) -> String + Send + Sync>);

impl Debug for Reading {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Reading")
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
    /// What makes a list of the reply, where it is none of strings and numbers.
    pub reading: Option<Reading>,
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
    /// `XADD`: must not be sent twice.
    Add(Box<dyn Addition>),
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

    /// A request to add an entry to a stream.
    #[must_use]
    pub fn add(addition: impl Addition) -> Self {
        Self::Add(Box::new(addition))
    }

    /// Whether it is a publish, or an entry for a stream.
    #[must_use]
    pub const fn is_publish(&self) -> bool {
        matches!(self, Self::Publish(_) | Self::PublishSharded(_) | Self::Add(_))
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
            Self::Add(_) | Self::Command(_) => None,
        }
    }

    /// What its slot is that of, where it has one.
    #[must_use]
    pub fn key(&self) -> Option<Cow<'_, [u8]>> {
        match self {
            Self::Command(Command { args, route: Route::Key, .. }) => {
                Some(Cow::Borrowed(args.first().map_or(&[], Vec::as_slice)))
            }
            Self::Command(_) => None,
            Self::Add(addition) => Some(Cow::Borrowed(addition.stream().as_bytes())),
            Self::Publish(_) | Self::PublishSharded(_) | Self::Beat(_) => {
                match self.publication()?.channel() {
                    Cow::Borrowed(channel) => Some(Cow::Borrowed(channel.as_bytes())),
                    Cow::Owned(channel) => Some(Cow::Owned(channel.into_bytes())),
                }
            }
        }
    }

    /// Whether it belongs on the server that messages are published on.
    #[must_use]
    pub const fn goes_with_publishes(&self) -> bool {
        match self {
            Self::Publish(_) | Self::PublishSharded(_) | Self::Beat(_) | Self::Add(_) => true,
            Self::Command(command) => matches!(command.route, Route::Publisher),
        }
    }

    /// The bytes of memory that it holds while it waits, without the request itself.
    #[must_use]
    pub fn size(&self) -> usize {
        match self {
            Self::Publish(publication) | Self::PublishSharded(publication) => publication.size(),
            Self::Beat(beat) => beat.size(),
            Self::Add(addition) => addition.size(),
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
        } else if let Self::Add(addition) = self {
            let stream = addition.stream();
            let failed = |reason| Error::Encode { count: 1, channel: stream.to_owned(), reason };
            let args = addition.args().map_err(failed)?;
            let args = args.iter().map(|arg| &**arg);
            let args: Vec<&[u8]> = std::iter::once(stream.as_bytes()).chain(args).collect();
            pack(self.name(), &args, packed);
        } else if let Self::Command(Command { name, args, .. }) = self {
            pack(name, &args.iter().map(Vec::as_slice).collect::<Vec<_>>(), packed);
        }
        Ok(())
    }

    /// The reply to it.
    #[must_use]
    pub fn read(&self, reply: Value) -> Answer {
        match self {
            Self::Command(Command { reading: Some(Reading(read)), .. }) => {
                Answer::List(read(reply))
            }
            _ => Answer::from(reply),
        }
    }

    /// The command's name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::PublishSharded(_) => "SPUBLISH",
            Self::Beat(beat) if beat.is_sharded() => "SPUBLISH",
            Self::Publish(_) | Self::Beat(_) => "PUBLISH",
            Self::Add(_) => "XADD",
            Self::Command(command) => command.name,
        }
    }
}
