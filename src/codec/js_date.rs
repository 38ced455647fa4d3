//! `Date.prototype.toJSON`.

use std::io::Write;

/// The last millisecond that a `Date` can hold, and the first one negated.
const LAST: f64 = 8.64e15;
const DAY: i64 = 86_400_000;
/// Days from 0000-03-01 to 1970-01-01.
const EPOCH: i64 = 719_468;
/// Days of 400 years, after which the calendar repeats.
const ERA: i64 = 146_097;

/// Appends the JSON text of a `Date` that lies this number of milliseconds after 1970 began.
pub(crate) fn append_date(milliseconds: f64, out: &mut Vec<u8>) {
    if milliseconds.is_nan() || milliseconds.abs() > LAST {
        out.extend_from_slice(b"null");
        return;
    }
    #[expect(clippy::cast_possible_truncation, reason = "`new Date` drops fractions too")]
    let time = milliseconds as i64;
    let (year, month, day) = civil(time.div_euclid(DAY));
    let time = time.rem_euclid(DAY);
    let (hours, minutes) = (time / 3_600_000, time / 60_000 % 60);
    let (seconds, milliseconds) = (time / 1000 % 60, time % 1000);
    // Writing into a `Vec` cannot fail.
    let _ = match year {
        0..=9999 => write!(out, "\"{year:04}"),
        _ => write!(out, "\"{year:+07}"),
    };
    let _ = write!(
        out,
        "-{month:02}-{day:02}T{hours:02}:{minutes:02}:{seconds:02}.{milliseconds:03}Z\""
    );
}

/// Year, month and day of a day since 1970, in years that begin in March so that a leap day is the
/// last one.
const fn civil(day: i64) -> (i64, i64, i64) {
    let day = day + EPOCH;
    let era = day.div_euclid(ERA);
    let day_of_era = day.rem_euclid(ERA);
    let leap_days = day_of_era / 1460 + day_of_era / (ERA - 1) - day_of_era / 36_524;
    let year_of_era = (day_of_era - leap_days) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_based = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * march_based + 2) / 5 + 1;
    let month = if march_based < 10 { march_based + 3 } else { march_based - 9 };
    let year = 400 * era + year_of_era + if month <= 2 { 1 } else { 0 };
    (year, month, day)
}
