//! A walk over JSON text that is known to be valid, token by token, and without recursion.

use std::borrow::Cow;

use super::MAX_DEPTH;

/// What the walk stops at. Commas, colons and white space are stepped over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Token<'a> {
    OpenArray,
    OpenObject,
    Close,
    /// A key or a value, as written between its quotes.
    String(&'a str),
    /// `null`, `true`, `false` or a number.
    Scalar(&'a str),
}

/// The tokens of valid JSON text. Other text gives nonsense, never a panic.
pub(crate) struct Tokens<'a> {
    rest: &'a str,
}

impl<'a> Tokens<'a> {
    pub(crate) const fn of(valid: &'a str) -> Self {
        Self { rest: valid }
    }

    fn take(&mut self, len: usize) -> &'a str {
        let (token, rest) = self.rest.split_at_checked(len).unwrap_or((self.rest, ""));
        self.rest = rest;
        token
    }

    fn string(&mut self) -> Token<'a> {
        self.take(1);
        let mut escaped = false;
        let end = self.rest.bytes().position(|b| {
            let ends = b == b'"' && !escaped;
            escaped = b == b'\\' && !escaped;
            ends
        });
        let text = self.take(end.unwrap_or(self.rest.len()));
        self.take(1);
        Token::String(text)
    }

    fn scalar(&mut self) -> Token<'a> {
        let ends = |b| matches!(b, b',' | b']' | b'}' | b' ' | b'\n' | b'\r' | b'\t');
        let end = self.rest.bytes().position(ends);
        Token::Scalar(self.take(end.unwrap_or(self.rest.len())))
    }
}

impl<'a> Iterator for Tokens<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        let between = [' ', '\n', '\r', '\t', ',', ':'];
        self.rest = self.rest.trim_start_matches(between);
        Some(match self.rest.as_bytes().first()? {
            b'[' => {
                self.take(1);
                Token::OpenArray
            }
            b'{' => {
                self.take(1);
                Token::OpenObject
            }
            b']' | b'}' => {
                self.take(1);
                Token::Close
            }
            b'"' => self.string(),
            _ => self.scalar(),
        })
    }
}

/// Whether valid JSON text is nested deeper than [`MAX_DEPTH`].
pub(crate) fn is_too_deep(valid: &str) -> bool {
    // Nearly every message has fewer brackets than that, even with those inside strings.
    let brackets = valid.bytes().filter(|b| matches!(b, b'[' | b'{')).count();
    brackets > MAX_DEPTH && depth(valid) > MAX_DEPTH
}

fn depth(valid: &str) -> usize {
    let (mut open, mut deepest) = (0_usize, 0);
    for token in Tokens::of(valid) {
        match token {
            Token::OpenArray | Token::OpenObject => {
                open += 1;
                deepest = deepest.max(open);
            }
            Token::Close => open = open.saturating_sub(1),
            Token::String(_) | Token::Scalar(_) => {}
        }
    }
    deepest
}

/// How many bytes at the front stand for themselves between the quotes of JSON text, written as
/// `JSON.stringify` writes it.
pub(crate) fn plain_len(bytes: &[u8]) -> usize {
    let words = bytes.as_chunks::<8>().0;
    let plain = words.iter().take_while(|word| is_plain(u64::from_ne_bytes(**word))).count() * 8;
    let rest = bytes.get(plain..).unwrap_or_default();
    let end = rest.iter().position(|b| matches!(b, b'"' | b'\\' | ..0x20));
    plain + end.unwrap_or(rest.len())
}

/// Whether all bytes stand for themselves in JSON text, and each for a character.
pub(crate) fn is_plain_ascii(bytes: &[u8]) -> bool {
    const HIGHS: u64 = u64::MAX / 0xff * 0x80;
    let plain = |word: [u8; 8]| {
        let word = u64::from_ne_bytes(word);
        word & HIGHS == 0 && is_plain(word)
    };
    match bytes.last_chunk::<8>() {
        Some(last) => plain(*last) && bytes.as_chunks().0.iter().all(|word| plain(*word)),
        None => bytes.iter().all(|b| matches!(b, b' '..=b'~' if !matches!(b, b'"' | b'\\'))),
    }
}

/// Whether none of eight bytes is a quote, a backslash or a control character.
const fn is_plain(word: u64) -> bool {
    const ONES: u64 = u64::MAX / 0xff;
    const HIGHS: u64 = ONES * 0x80;
    let quote = word ^ (ONES * b'"' as u64);
    let backslash = word ^ (ONES * b'\\' as u64);
    let control = word.wrapping_sub(ONES * 0x20);
    let zeros = quote.wrapping_sub(ONES) & !quote | backslash.wrapping_sub(ONES) & !backslash;
    (zeros | control & !word) & HIGHS == 0
}

/// What a string token means. Half a surrogate pair becomes U+FFFD, as in Node's UTF-8.
pub(crate) fn unescape(token: &str) -> Cow<'_, str> {
    if !token.contains('\\') {
        return Cow::Borrowed(token);
    }
    let quoted = format!("\"{token}\"");
    let text = serde_json::from_str(&quoted)
        .or_else(|_| serde_json::from_str(&without_lone_surrogates(&quoted)));
    Cow::Owned(text.unwrap_or_default())
}

/// The same JSON text with U+FFFD in the place of each escaped half of a surrogate pair.
fn without_lone_surrogates(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, escape)) = rest.find('\\').and_then(|at| rest.split_at_checked(at)) {
        out.push_str(before);
        let (kept, len) = match (surrogate(escape), escape.get(6..).and_then(surrogate)) {
            (Some(0xd800..=0xdbff), Some(0xdc00..)) => (escape.get(..12), 12),
            (Some(_), _) => (Some("\\ufffd"), 6),
            (None, _) => (escape.get(..2), 2),
        };
        out.push_str(kept.unwrap_or_default());
        rest = escape.get(len..).unwrap_or_default();
    }
    out.push_str(rest);
    out
}

/// The surrogate that the text begins with, when it begins with an escaped one.
fn surrogate(text: &str) -> Option<u16> {
    let digits = text.strip_prefix("\\u")?.get(..4)?;
    let unit = u16::from_str_radix(digits, 16).ok()?;
    (0xd800..=0xdfff).contains(&unit).then_some(unit)
}
