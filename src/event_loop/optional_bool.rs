//! How an optional boolean crosses to the event loop.

/// Not given.
pub const NONE: u32 = 0;
/// `false`
pub const FALSE: u32 = 1;
/// `true`
pub const TRUE: u32 = 2;

/// The word for `value`.
pub(crate) const fn word(value: Option<bool>) -> u32 {
    match value {
        None => NONE,
        Some(false) => FALSE,
        Some(true) => TRUE,
    }
}
