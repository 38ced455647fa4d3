//! Socket.IO's packet, its data as text.

use std::borrow::Cow;

/// One packet of Socket.IO, apart from its namespace.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Packet<'a> {
    /// Socket.IO's `type`: 2 is an event, 3 an acknowledgement. Never 5 or 6, which say that there
    /// are attachments.
    pub kind: u8,
    /// The `id`, as JavaScript prints it.
    pub id: Option<Cow<'a, str>>,
    /// JSON text of the `data`, with `{"_placeholder":true,"num":n}` in the place of the
    /// attachment `n`. `None` is JavaScript's `undefined` and `null`.
    pub data: Option<Cow<'a, str>>,
    /// The binary parts of the data.
    pub attachments: Vec<Cow<'a, [u8]>>,
}

impl Packet<'_> {
    /// The same packet, borrowing nothing.
    #[must_use]
    pub fn into_owned(self) -> Packet<'static> {
        let owned = |bytes: Cow<'_, [u8]>| Cow::Owned(bytes.into_owned());
        Packet {
            kind: self.kind,
            id: self.id.map(|id| Cow::Owned(id.into_owned())),
            data: self.data.map(|data| Cow::Owned(data.into_owned())),
            attachments: self.attachments.into_iter().map(owned).collect(),
        }
    }
}
