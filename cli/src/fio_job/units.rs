//! fio's numbers, which are not aio's: `1KiB` is 1,000 bytes there, and `1.5k` is one byte.
//!
//! As in fio's parse.c with its default `kb_base=1024`. What fio reads in a way that nobody means
//! is refused.

use crate::jobs::Place;

use super::ini::Setting;
use crate::ending::Failure;

/// What is behind the `=` of an option.
pub(super) fn value(setting: &Setting) -> Result<&str, Failure> {
    let value = setting.value.as_deref().filter(|value| !value.is_empty());
    value.ok_or_else(|| setting.place.refuse(format_args!("{} needs a value", setting.key)))
}

/// The value when it is the same for reads, writes and trims: `4k` or `4k,4k`.
pub(super) fn one_for_all(setting: &Setting) -> Result<&str, Failure> {
    let value = value(setting)?;
    let mut parts = value.split(',').map(str::trim);
    let first = parts.next().unwrap_or_default();
    if parts.any(|part| part != first) {
        let sentence = format_args!(
            "{} differs between reads and writes ({value}), which aio does not have",
            setting.key
        );
        return Err(setting.place.refuse(sentence));
    }
    Ok(first)
}

/// Something that is on or off. Options of this kind stand for `=1` when nothing is behind them.
pub(super) fn is_on(setting: &Setting) -> Result<bool, Failure> {
    match setting.value.as_deref() {
        None | Some("1") => Ok(true),
        Some("0") => Ok(false),
        Some(value) => {
            let sentence = format_args!("{} is 0 or 1, and not {value:?}", setting.key);
            Err(setting.place.refuse(sentence))
        }
    }
}

/// A whole number.
pub(super) fn number(setting: &Setting) -> Result<u64, Failure> {
    let text = one_for_all(setting)?;
    digits(text).ok_or_else(|| {
        let sentence = format_args!("{} is a whole number, and not {text:?}", setting.key);
        setting.place.refuse(sentence)
    })
}

/// A size in bytes.
pub(super) fn bytes(setting: &Setting) -> Result<u64, Failure> {
    let text = one_for_all(setting)?;
    bytes_of(&setting.place, &setting.key, text)
}

/// The size that `text` is, for the option `key`.
pub(super) fn bytes_of(place: &Place, key: &str, text: &str) -> Result<u64, Failure> {
    if text.ends_with('%') {
        let sentence = format_args!("aio knows no {key} in percent ({text}); give bytes");
        return Err(place.refuse(sentence));
    }
    let (digits_of, unit) = split(text);
    let factor: Option<u64> = match unit.to_ascii_lowercase().as_str() {
        "" | "b" => Some(1),
        "k" | "kb" => Some(1 << 10),
        "m" | "mb" => Some(1 << 20),
        "g" | "gb" => Some(1 << 30),
        "t" | "tb" => Some(1 << 40),
        "p" | "pb" => Some(1 << 50),
        // The other way round than everywhere else, for compatibility with old versions of fio.
        "kib" => Some(1_000),
        "mib" => Some(1_000_000),
        "gib" => Some(1_000_000_000),
        "tib" => Some(1_000_000_000_000),
        "pib" => Some(1_000_000_000_000_000),
        _ => None,
    };
    let bytes = digits(digits_of).zip(factor).and_then(|(one, factor)| one.checked_mul(factor));
    bytes.ok_or_else(|| {
        let sentence = format_args!(
            "{key} is a whole number with or without k, m, g, t or p, and not {text:?}"
        );
        place.refuse(sentence)
    })
}

/// A time in microseconds; seconds when it has no unit.
pub(super) fn microseconds(setting: &Setting) -> Result<u64, Failure> {
    let text = value(setting)?;
    let (digits_of, unit) = split(text);
    let factor: Option<u64> = match unit.to_ascii_lowercase().as_str() {
        "us" | "usec" => Some(1),
        "ms" | "msec" => Some(1_000),
        "" | "s" => Some(1_000_000),
        "m" => Some(60_000_000),
        "h" => Some(3_600_000_000),
        "d" => Some(86_400_000_000),
        _ => None,
    };
    let time = digits(digits_of).zip(factor).and_then(|(one, factor)| one.checked_mul(factor));
    time.ok_or_else(|| {
        let sentence = format_args!(
            "{} is a whole number of seconds, or one with us, ms, s, m, h or d, and not {text:?}",
            setting.key
        );
        setting.place.refuse(sentence)
    })
}

fn split(text: &str) -> (&str, &str) {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    text.split_at(end)
}

fn digits(text: &str) -> Option<u64> {
    let are_digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if are_digits { text.parse().ok() } else { None }
}
