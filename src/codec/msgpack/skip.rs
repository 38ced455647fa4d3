//! Steps over values without converting them.

use std::collections::HashMap;

use super::input::{Head, Input};
use crate::codec::Malformed;

impl<'a> Input<'a> {
    /// The next value. What an array or a map holds is stepped over.
    pub(crate) fn step(&mut self) -> Result<Head<'a>, Malformed> {
        let head = self.head_or_extension()?;
        self.skip(values_in(&head))?;
        Ok(head)
    }

    /// Steps over this number of values.
    pub(crate) fn skip(&mut self, values: u64) -> Result<(), Malformed> {
        let mut left = values;
        while left > 0 {
            // Each head claims less than 2^33 values: no payload is long enough to overflow this.
            left = left.saturating_add(self.skip_head()?) - 1;
        }
        Ok(())
    }

    /// Steps over a head, and returns how many values it holds.
    #[inline]
    fn skip_head(&mut self) -> Result<u64, Malformed> {
        match self.peek() {
            // The first byte is enough to know the usual ones.
            Some(0..=0x7f | 0xc0 | 0xc2 | 0xc3 | 0xe0..) => self.bytes(1).map(|_| 0),
            Some(marker @ 0xa0..=0xbf) => self.bytes(1 + u32::from(marker & 0x1f)).map(|_| 0),
            _ => Ok(values_in(&self.head_or_extension()?)),
        }
    }

    /// What lies between here and an earlier place, given that place.
    pub(crate) fn since(&self, earlier: Self) -> &'a [u8] {
        let len = earlier.rest().len().saturating_sub(self.rest().len());
        earlier.rest().get(..len).unwrap_or_default()
    }
}

fn values_in(head: &Head<'_>) -> u64 {
    match head {
        Head::Array(len) => u64::from(*len),
        Head::Map(pairs) => 2 * u64::from(*pairs),
        _ => 0,
    }
}

/// Where each array and map of a value ends, so that any of them is stepped over in one step.
pub(crate) struct Spans {
    /// Both ends by the number of bytes that follow.
    ends: HashMap<usize, usize>,
}

impl Spans {
    /// The spans within the next value, nested no deeper than `depth` arrays and maps.
    pub(crate) fn of(mut input: Input<'_>, depth: usize) -> Result<Self, Malformed> {
        let mut ends = HashMap::new();
        let mut open: Vec<(usize, u64)> = Vec::new();
        loop {
            let start = input.rest().len();
            let head = input.head_or_extension()?;
            if matches!(head, Head::Array(_) | Head::Map(_)) {
                open.push((start, values_in(&head)));
            }
            if open.len() > depth {
                return Err(Malformed::Depth);
            }
            while let Some((start, 0)) = open.last().copied() {
                ends.insert(start, input.rest().len());
                open.pop();
            }
            match open.last_mut() {
                Some((_, left)) => *left -= 1,
                None => return Ok(Self { ends }),
            }
        }
    }

    /// Steps over the next value, which these spans have seen.
    pub(crate) fn step(&self, input: &mut Input<'_>) -> Result<(), Malformed> {
        match self.ends.get(&input.rest().len()) {
            Some(end) => input.leave(*end),
            None => input.head_or_extension().map(drop),
        }
    }
}
