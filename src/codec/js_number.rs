//! Numbers, read and printed the way ECMAScript does.

/// The largest integer that a double, hence JavaScript, holds without doubt.
pub(crate) const MAX_SAFE_INTEGER: f64 = 9_007_199_254_740_991.0;

/// The text that `JSON.stringify` gives a number: `100`, `1e+21`, `0` for -0, `null` for NaN.
#[must_use]
pub fn json_number(value: f64) -> String {
    if value.is_finite() {
        ryu_js::Buffer::new().format_finite(value).to_owned()
    } else {
        "null".to_owned()
    }
}

/// `String(value)`.
pub(crate) fn number_to_string(value: f64) -> String {
    match value {
        f64::INFINITY => "Infinity".to_owned(),
        f64::NEG_INFINITY => "-Infinity".to_owned(),
        value if value.is_nan() => "NaN".to_owned(),
        value => json_number(value),
    }
}

/// ECMAScript's `Number(text)`, which `==` applies to the string when the other side is a number.
///
/// ```
/// use socket_io_redis_native::codec::string_to_number;
/// assert_eq!(string_to_number(" 0x10\n"), 16.0);
/// assert!(string_to_number("1_000").is_nan());
/// ```
#[must_use]
pub fn string_to_number(text: &str) -> f64 {
    let text = text.trim_matches(is_js_space);
    match text.as_bytes() {
        [] => 0.0,
        [b'0', b'x' | b'X', ..] => radix(text, 4),
        [b'0', b'o' | b'O', ..] => radix(text, 3),
        [b'0', b'b' | b'B', ..] => radix(text, 1),
        _ => decimal(text),
    }
}

/// ECMAScript's white space and line ends: Unicode's, without NEL and with the byte order mark.
fn is_js_space(c: char) -> bool {
    c == '\u{feff}' || (c.is_whitespace() && c != '\u{85}')
}

fn decimal(text: &str) -> f64 {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let infinity = unsigned == "Infinity";
    // Rust also reads `inf`, `nan` and `infinity`, which ECMAScript does not.
    let digits =
        unsigned.bytes().all(|b| matches!(b, b'0'..=b'9' | b'.' | b'e' | b'E' | b'+' | b'-'));
    if infinity || digits { text.parse().unwrap_or(f64::NAN) } else { f64::NAN }
}

/// `0x`, `0o` and `0b` literals of any length, rounded once.
fn radix(text: &str, bits: u32) -> f64 {
    let digits = text.get(2..).unwrap_or_default();
    if digits.is_empty() {
        return f64::NAN;
    }
    let mut high: u128 = 0;
    let mut dropped_bits: i32 = 0;
    for c in digits.chars() {
        let Some(digit) = c.to_digit(1 << bits) else {
            return f64::NAN;
        };
        if high.leading_zeros() > bits {
            high = (high << bits) | u128::from(digit);
        } else {
            // Far below the 53 bits that count: only "not zero" matters for rounding.
            dropped_bits = dropped_bits.saturating_add(bits.cast_signed());
            high |= u128::from(digit != 0);
        }
    }
    #[expect(clippy::cast_precision_loss, reason = "rounding to a double is the aim")]
    let value = high as f64;
    value * 2f64.powi(dropped_bits)
}
