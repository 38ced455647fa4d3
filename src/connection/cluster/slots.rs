//! Which node owns which slot.

use crate::connection::endpoint::Address;
use crate::connection::resp::Value;

/// How many slots a cluster has.
pub const SLOTS: u16 = 16_384;
/// How many masters are taken note of, and how many replicas.
const MAX_MASTERS: usize = 1000;
/// How many replicas of a master are taken note of.
const MAX_REPLICAS: usize = 16;
/// How long a host's name may be, in bytes.
const MAX_HOST: usize = 255;
/// Owned by no master.
const NOBODY: u16 = u16::MAX;

/// The slot of a key or a sharded channel: of what stands in its first `{…}`, if anything does.
#[must_use]
pub fn slot_of(key: &[u8]) -> u16 {
    crc16::State::<crc16::XMODEM>::calculate(hash_tag(key).unwrap_or(key)) % SLOTS
}

fn hash_tag(key: &[u8]) -> Option<&[u8]> {
    let open = key.iter().position(|&byte| byte == b'{')?;
    let rest = key.get(open + 1..)?;
    let close = rest.iter().position(|&byte| byte == b'}')?;
    rest.get(..close).filter(|tag| !tag.is_empty())
}

/// The masters of a cluster and their slots, and their replicas.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SlotMap {
    masters: Vec<Address>,
    replicas: Vec<Address>,
    owners: Vec<u16>,
}

impl Default for SlotMap {
    fn default() -> Self {
        let (masters, replicas) = Default::default();
        Self { masters, replicas, owners: vec![NOBODY; usize::from(SLOTS)] }
    }
}

impl SlotMap {
    /// The masters.
    pub fn masters(&self) -> &[Address] {
        &self.masters
    }

    /// The replicas: who subscribes there is heard of there alone.
    pub fn replicas(&self) -> &[Address] {
        &self.replicas
    }

    /// The master that owns a slot.
    pub fn owner(&self, slot: u16) -> Option<&Address> {
        let index = self.owners.get(usize::from(slot))?;
        self.masters.get(usize::from(*index))
    }

    /// The node that is named so, as [`Address`] is shown.
    pub fn node(&self, endpoint: &str) -> Option<&Address> {
        self.masters.iter().chain(&self.replicas).find(|node| node.to_string() == endpoint)
    }

    /// A master has a replica.
    pub fn add_replica(&mut self, replica: Address) {
        if self.replicas.len() < MAX_MASTERS && !self.replicas.contains(&replica) {
            self.replicas.push(replica);
        }
    }

    /// Gives slots to a master.
    pub fn give(&mut self, first: u16, last: u16, master: Address) {
        let known = self.masters.iter().position(|known| *known == master);
        let index = known.unwrap_or(self.masters.len());
        if known.is_none() {
            if index >= MAX_MASTERS {
                return;
            }
            self.replicas.retain(|replica| *replica != master);
            self.masters.push(master);
        }
        let Ok(index) = u16::try_from(index) else { return };
        if let Some(owners) = self.owners.get_mut(usize::from(first)..=usize::from(last)) {
            owners.fill(index);
        }
    }
}

/// Slots and their master, as `CLUSTER SLOTS` gives them.
#[derive(Debug, PartialEq, Eq)]
pub struct Range {
    /// The first slot.
    pub first: u16,
    /// The last slot.
    pub last: u16,
    /// Their master.
    pub master: Address,
    /// Its replicas.
    pub replicas: Vec<Address>,
}

/// Reads the answer to `CLUSTER SLOTS`, leaving out what is not valid. A node without a host is where
/// the answer comes from: `asked`.
pub fn read_slots(answer: &Value, asked: &str) -> Vec<Range> {
    let Value::Array(ranges) = answer else { return Vec::new() };
    ranges.iter().take(SLOTS.into()).filter_map(|range| read_range(range, asked)).collect()
}

fn read_range(range: &Value, asked: &str) -> Option<Range> {
    let Value::Array(parts) = range else { return None };
    let [Value::Integer(first), Value::Integer(last), master, replicas @ ..] = &**parts else {
        return None;
    };
    let (first, last) = (u16::try_from(*first).ok()?, u16::try_from(*last).ok()?);
    if first > last || last >= SLOTS {
        return None;
    }
    let master = read_node(master, asked)?;
    let replicas = replicas.iter().take(MAX_REPLICAS);
    let replicas = replicas.filter_map(|replica| read_node(replica, asked)).collect();
    Some(Range { first, last, master, replicas })
}

fn read_node(node: &Value, asked: &str) -> Option<Address> {
    let Value::Array(parts) = node else { return None };
    let [host, Value::Integer(port), ..] = &**parts else { return None };
    let port = u16::try_from(*port).ok().filter(|&port| port != 0)?;
    let host = match host {
        Value::Bulk(host) => std::str::from_utf8(host).ok()?,
        _ => "",
    };
    let host = known_host(host, asked)?;
    Some(Address { host, port })
}

/// A node may not know its own name, and says nothing or `?`.
fn known_host(host: &str, asked: &str) -> Option<String> {
    let host = if matches!(host, "" | "?") { asked } else { host };
    (host.len() <= MAX_HOST).then(|| host.to_owned())
}

/// Where an error sends a command.
#[derive(Debug, PartialEq, Eq)]
pub enum Redirection {
    /// To the master that owns the slot now.
    Moved(u16, Address),
    /// To another master, this once.
    Ask(Address),
    /// Nowhere: the cluster is about to change, and it is to be sent again later.
    Later,
}

/// Where the error `reply` of the server at `asked` sends a command, if anywhere.
#[must_use]
pub fn redirection(reply: &str, asked: &str) -> Option<Redirection> {
    let mut words = reply.split(' ');
    match words.next()? {
        "MOVED" => {
            let slot = words.next()?.parse().ok().filter(|&slot| slot < SLOTS)?;
            Some(Redirection::Moved(slot, read_address(words.next()?, asked)?))
        }
        "ASK" => {
            words.next()?;
            Some(Redirection::Ask(read_address(words.next()?, asked)?))
        }
        "TRYAGAIN" | "CLUSTERDOWN" | "MASTERDOWN" | "READONLY" | "LOADING" => {
            Some(Redirection::Later)
        }
        _ => None,
    }
}

fn read_address(text: &str, asked: &str) -> Option<Address> {
    let (host, port) = text.rsplit_once(':')?;
    let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    let port = port.parse().ok().filter(|&port| port != 0)?;
    Some(Address { host: known_host(host, asked)?, port })
}

#[cfg(test)]
#[path = "slots_tests.rs"]
mod tests;
