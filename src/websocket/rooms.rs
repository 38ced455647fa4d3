//! The members of a namespace's rooms, and those that a broadcast is for.

use std::borrow::Cow;
use std::collections::HashMap;

use super::ConnectionId;

/// The number of a Socket.IO socket in its namespace. Given again once the socket is removed; never 0.
pub type MemberId = u32;
/// The place of a room; given again once the room is empty.
type RoomId = u32;

/// Stands for the connection of a member that JavaScript writes to.
pub(crate) const JAVASCRIPT: ConnectionId = 0;

/// For which members a broadcast is.
#[derive(Debug, Clone, Copy)]
pub struct Audience<'a> {
    /// The rooms whose members get it; all members when there are none.
    pub rooms: &'a [Cow<'a, str>],
    /// The rooms whose members do not get it.
    pub except: &'a [Cow<'a, str>],
}

/// Which of the two modes of a member counts: see [`Rooms::set_connection`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    /// For what JavaScript broadcasts now.
    Local,
    /// For what has come from Redis.
    Remote,
}

/// Which members a broadcast is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Found {
    /// Whether JavaScript has members in the rooms; those that are left out count too.
    pub(super) javascript: bool,
    /// Whether anybody is in the rooms.
    pub(super) anybody: bool,
}

/// What a broadcast looks at, 24 bytes a member.
#[derive(Debug, Default, Clone, Copy)]
struct Member {
    /// Where what JavaScript broadcasts now goes to.
    local: ConnectionId,
    /// Where what has come from Redis goes to.
    remote: ConnectionId,
    /// The last broadcast that has looked at it.
    seen: u64,
    /// Which of the members of this number it is: each has another one. 0: there is none.
    serial: u64,
}

impl Member {
    const fn connection(&self, side: Side) -> ConnectionId {
        match side {
            Side::Local => self.local,
            Side::Remote => self.remote,
        }
    }
}

#[derive(Debug, Default)]
struct Room {
    name: Box<str>,
    members: Vec<MemberId>,
    /// How many of them JavaScript writes to.
    javascript: usize,
}

/// The members of a namespace and their rooms.
#[derive(Debug, Default)]
pub(super) struct Rooms {
    /// By number; no member has the number 0.
    members: Vec<Member>,
    /// The rooms of each member, with its place among the members of the room.
    places: Vec<HashMap<RoomId, usize>>,
    free_members: Vec<MemberId>,
    by_name: HashMap<Box<str>, RoomId>,
    by_id: Vec<Room>,
    free_ids: Vec<RoomId>,
    count: usize,
    javascript: usize,
    serial: u64,
    broadcast: u64,
    targets: Vec<ConnectionId>,
}

impl Rooms {
    /// A new member, in no room. It has this connection, or is [`JAVASCRIPT`]'s.
    pub(super) fn add(&mut self, connection: ConnectionId) -> MemberId {
        if self.members.is_empty() {
            self.members.push(Member::default());
            self.places.push(HashMap::new());
        }
        self.serial += 1;
        let member = Member { local: connection, remote: connection, seen: 0, serial: self.serial };
        self.count += 1;
        self.javascript += usize::from(connection == JAVASCRIPT);
        if let Some(id) = self.free_members.pop()
            && let Some(slot) = self.members.get_mut(id as usize)
        {
            *slot = member;
            return id;
        }
        let id = self.members.len();
        self.members.push(member);
        self.places.push(HashMap::new());
        MemberId::try_from(id).unwrap_or(MemberId::MAX)
    }

    /// Takes a member out of all rooms and forgets it.
    pub(super) fn remove(&mut self, id: MemberId) {
        let Some(member) = self.member(id).copied() else { return };
        let places = self.places.get_mut(id as usize).map(std::mem::take).unwrap_or_default();
        for room in places.keys() {
            self.take_out(id, *room, places.get(room).copied());
        }
        self.count -= 1;
        self.javascript -= usize::from(member.local == JAVASCRIPT);
        if let Some(slot) = self.members.get_mut(id as usize) {
            *slot = Member::default();
            self.free_members.push(id);
        }
    }

    /// Forgets all members.
    pub(super) fn clear(&mut self) {
        // Serials go on: what waits for a member of before must not find another one.
        *self = Self { serial: self.serial, ..Self::default() };
    }

    /// A member joins a room.
    pub(super) fn join(&mut self, id: MemberId, name: &str) {
        let Some(member) = self.member(id).copied() else { return };
        let room_id = self.room_named(name);
        let Some(room) = self.by_id.get_mut(room_id as usize) else { return };
        let Some(places) = self.places.get_mut(id as usize) else { return };
        if places.contains_key(&room_id) {
            return;
        }
        places.insert(room_id, room.members.len());
        room.members.push(id);
        room.javascript += usize::from(member.local == JAVASCRIPT);
    }

    fn room_named(&mut self, name: &str) -> RoomId {
        if let Some(id) = self.by_name.get(name) {
            return *id;
        }
        let id = self.free_ids.pop().unwrap_or_else(|| {
            self.by_id.push(Room::default());
            RoomId::try_from(self.by_id.len() - 1).unwrap_or(RoomId::MAX)
        });
        if let Some(room) = self.by_id.get_mut(id as usize) {
            room.name = name.into();
        }
        self.by_name.insert(name.into(), id);
        id
    }

    /// A member leaves a room.
    pub(super) fn leave(&mut self, id: MemberId, name: &str) {
        let Some(room) = self.by_name.get(name).copied() else { return };
        let place = self.places.get_mut(id as usize).and_then(|places| places.remove(&room));
        self.take_out(id, room, place);
    }

    /// The rest of leaving a room: the member's own side is done.
    fn take_out(&mut self, id: MemberId, room_id: RoomId, place: Option<usize>) {
        let Some(place) = place else { return };
        let is_javascript = self.member(id).is_some_and(|member| member.local == JAVASCRIPT);
        let room = self.by_id.get_mut(room_id as usize);
        let Some(room) = room.filter(|room| place < room.members.len()) else { return };
        room.members.swap_remove(place);
        room.javascript -= usize::from(is_javascript);
        if let Some(moved) = room.members.get(place)
            && let Some(places) = self.places.get_mut(*moved as usize)
        {
            places.insert(room_id, place);
        }
        if room.members.is_empty() {
            // With the memory of its members: a namespace's largest rooms seldom go.
            let Room { name, .. } = std::mem::take(room);
            self.by_name.remove(&name);
            self.free_ids.push(room_id);
        }
    }

    /// Whether anybody is in a room.
    pub(super) fn has(&self, name: &str) -> bool {
        self.by_name.contains_key(name)
    }

    /// Which of the members of this number it is.
    pub(super) fn serial(&self, id: MemberId) -> Option<u64> {
        self.member(id).map(|member| member.serial)
    }

    /// A member gets another connection, or becomes [`JAVASCRIPT`]'s: at once for local broadcasts, and
    /// for those of Redis with [`Self::set_remote`].
    pub(super) fn set_local(&mut self, id: MemberId, connection: ConnectionId) {
        let Some(member) = self.members.get_mut(id as usize).filter(|member| member.serial != 0)
        else {
            return;
        };
        let before = std::mem::replace(&mut member.local, connection) == JAVASCRIPT;
        let after = connection == JAVASCRIPT;
        if before == after {
            return;
        }
        let change = |count: &mut usize| if after { *count += 1 } else { *count -= 1 };
        change(&mut self.javascript);
        let places = self.places.get(id as usize);
        for room in places.into_iter().flat_map(HashMap::keys) {
            if let Some(room) = self.by_id.get_mut(*room as usize) {
                change(&mut room.javascript);
            }
        }
    }

    /// The same for broadcasts of Redis, unless the number has come to another member.
    pub(super) fn set_remote(&mut self, id: MemberId, serial: u64, connection: ConnectionId) {
        if let Some(member) = self.members.get_mut(id as usize)
            && member.serial == serial
            && serial != 0
        {
            member.remote = connection;
        }
    }

    fn member(&self, id: MemberId) -> Option<&Member> {
        self.members.get(id as usize).filter(|member| member.serial != 0)
    }

    /// The connections that a broadcast goes to are in [`Self::targets`] then, each once.
    pub(super) fn find(&mut self, audience: Audience<'_>, side: Side) -> Found {
        self.targets.clear();
        match audience {
            Audience { rooms: [], except: [] } => self.find_all(side),
            Audience { rooms: [room], except: [] } => self.find_in(room, side),
            _ => self.find_once(audience, side),
        }
    }

    /// The connections that [`Self::find`] has found.
    pub(super) fn targets(&self) -> &[ConnectionId] {
        &self.targets
    }

    fn find_all(&mut self, side: Side) -> Found {
        let connections = self.members.iter().map(|member| member.connection(side));
        self.targets.extend(connections.filter(|connection| *connection != JAVASCRIPT));
        self.all()
    }

    const fn all(&self) -> Found {
        Found { javascript: self.javascript > 0, anybody: self.count > 0 }
    }

    fn find_in(&mut self, name: &str, side: Side) -> Found {
        let Self { by_name, by_id, members, targets, .. } = self;
        let room = by_name.get(name).and_then(|id| by_id.get(*id as usize));
        let Some(room) = room else { return Found { javascript: false, anybody: false } };
        let ids = room.members.iter();
        let connections = ids.filter_map(|id| Some(members.get(*id as usize)?.connection(side)));
        targets.extend(connections.filter(|connection| *connection != JAVASCRIPT));
        Found { javascript: room.javascript > 0, anybody: true }
    }

    /// Members may be in several of the rooms, and in rooms that are left out.
    fn find_once(&mut self, audience: Audience<'_>, side: Side) -> Found {
        self.broadcast += 1;
        let Self { by_name, by_id, members, targets, broadcast, .. } = self;
        let now = *broadcast;
        let room_of = |name: &Cow<'_, str>| by_id.get(*by_name.get(&**name)? as usize);
        for id in audience.except.iter().filter_map(room_of).flat_map(|room| &room.members) {
            if let Some(member) = members.get_mut(*id as usize) {
                member.seen = now;
            }
        }
        let mut take = |member: &mut Member| {
            if std::mem::replace(&mut member.seen, now) != now {
                let connection = member.connection(side);
                targets.extend((connection != JAVASCRIPT).then_some(connection));
            }
        };
        if audience.rooms.is_empty() {
            members.iter_mut().for_each(take);
            return self.all();
        }
        let mut found = Found { javascript: false, anybody: false };
        for room in audience.rooms.iter().filter_map(room_of) {
            found.javascript |= room.javascript > 0;
            found.anybody = true;
            for id in &room.members {
                if let Some(member) = members.get_mut(*id as usize) {
                    take(member);
                }
            }
        }
        found
    }
}
