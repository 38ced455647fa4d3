//! The id by which a node knows its own messages.

use serde_json::value::RawValue;

use crate::codec::{json_number, string_to_number};

/// The `nodeId` of a store: whatever its option `nodeId` returned.
#[derive(Debug, Clone, PartialEq)]
pub enum NodeId {
    /// A number, as by default.
    Number(f64),
    /// A string.
    String(String),
}

impl NodeId {
    /// Reads JSON text.
    ///
    /// `true` and `false` become 1 and 0, which is what `==` makes of them. Anything else that is
    /// neither a number nor a string, and a string with half a surrogate pair, is no id.
    #[must_use]
    pub fn from_json(text: &str) -> Option<Self> {
        let raw: &RawValue = serde_json::from_str(text).ok()?;
        match raw.get() {
            "true" => Some(Self::Number(1.0)),
            "false" => Some(Self::Number(0.0)),
            text if text.starts_with('"') => serde_json::from_str(text).ok().map(Self::String),
            // Not serde_json's number: that one rounds the last bit differently, and refuses 1e999.
            text if text.starts_with(|c: char| c == '-' || c.is_ascii_digit()) => {
                text.parse().ok().map(Self::Number)
            }
            _ => None,
        }
    }

    /// JSON text, as `JSON.stringify` gives it.
    #[must_use]
    pub fn to_json(&self) -> String {
        match self {
            Self::Number(value) => json_number(*value),
            Self::String(value) => serde_json::Value::from(value.as_str()).to_string(),
        }
    }

    /// JavaScript's `==` between the two.
    #[must_use]
    #[expect(clippy::float_cmp, reason = "`==` is exact in JavaScript too")]
    pub fn loosely_equals(&self, other: &Self) -> bool {
        if let (Self::String(a), Self::String(b)) = (self, other) {
            return a == b;
        }
        self.to_number() == other.to_number()
    }

    fn to_number(&self) -> f64 {
        match self {
            Self::Number(value) => *value,
            Self::String(text) => string_to_number(text),
        }
    }
}
