//! JSON text, scanned without being parsed.

/// Whether valid JSON text is nested deeper than this many arrays and objects.
pub(crate) fn is_deeper_than(most: usize, valid: &str) -> bool {
    // Nearly every message has fewer brackets than that, even with those inside strings.
    let brackets = valid.bytes().filter(|b| matches!(b, b'[' | b'{')).count();
    brackets > most && depth(valid) > most
}

/// Whether a valid JSON array has more items than this.
pub(crate) fn has_more_items_than(most: usize, valid: &str) -> bool {
    // Each but the last takes two bytes.
    valid.len() > 2 * most && items(valid) > most
}

fn items(valid: &str) -> usize {
    let (mut open, mut commas) = (0_usize, 0);
    let mut rest = valid.as_bytes();
    while let [first, behind @ ..] = rest {
        rest = behind;
        match first {
            b'[' | b'{' => open += 1,
            b']' | b'}' => open = open.saturating_sub(1),
            b',' if open == 1 => commas += 1,
            b'"' => rest = behind_string(rest),
            _ => {}
        }
    }
    commas + 1
}

fn depth(valid: &str) -> usize {
    let (mut open, mut deepest) = (0_usize, 0);
    let mut rest = valid.as_bytes();
    while let [first, behind @ ..] = rest {
        rest = behind;
        match first {
            b'[' | b'{' => {
                open += 1;
                deepest = deepest.max(open);
            }
            b']' | b'}' => open = open.saturating_sub(1),
            b'"' => rest = behind_string(rest),
            _ => {}
        }
    }
    deepest
}

/// What follows the string whose opening quote has been read.
fn behind_string(mut text: &[u8]) -> &[u8] {
    loop {
        text = text.get(plain_len(text)..).unwrap_or_default();
        match text {
            [b'\\', _, behind @ ..] => text = behind,
            [_, behind @ ..] => return behind,
            [] => return text,
        }
    }
}

/// How many bytes at the front a JSON string holds unescaped.
pub(crate) fn plain_len(bytes: &[u8]) -> usize {
    let (words, rest) = bytes.as_chunks::<8>();
    let special = |word: &[u8; 8]| special(u64::from_le_bytes(*word));
    let plain_words = words.iter().take_while(|word| special(word) == 0).count();
    let plain = 8 * plain_words;
    if let Some(word) = words.get(plain_words) {
        return plain + special(word).trailing_zeros() as usize / 8;
    }
    let end = rest.iter().position(|b| matches!(b, b'"' | b'\\' | ..0x20));
    plain + end.unwrap_or(rest.len())
}

/// Whether all bytes stand for themselves in JSON text, and each for a character.
pub(crate) fn is_plain_ascii(bytes: &[u8]) -> bool {
    const HIGHS: u64 = u64::MAX / 0xff * 0x80;
    let plain = |word: [u8; 8]| {
        let word = u64::from_ne_bytes(word);
        word & HIGHS == 0 && special(word) == 0
    };
    match bytes.last_chunk::<8>() {
        Some(last) => plain(*last) && bytes.as_chunks().0.iter().all(|word| plain(*word)),
        None => bytes.iter().all(|b| matches!(b, b' '..=b'~' if !matches!(b, b'"' | b'\\'))),
    }
}

/// The high bit of the first byte that is a quote, a backslash or a control character, and perhaps
/// those of later bytes; zero when there is none. The first byte is the lowest.
const fn special(word: u64) -> u64 {
    const ONES: u64 = u64::MAX / 0xff;
    const HIGHS: u64 = ONES * 0x80;
    let quote = word ^ (ONES * b'"' as u64);
    let backslash = word ^ (ONES * b'\\' as u64);
    let control = word.wrapping_sub(ONES * 0x20);
    let zeros = quote.wrapping_sub(ONES) & !quote | backslash.wrapping_sub(ONES) & !backslash;
    (zeros | control & !word) & HIGHS
}
