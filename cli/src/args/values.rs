//! Readers of single values: each refuses in words that say what is accepted.

mod of_blocks;
#[cfg(test)]
mod properties;

use std::fmt;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::str::FromStr;

use aio_core::memory::MemoryKind;
use aio_core::plan::RUNTIME_NS_MAX;

pub(crate) use self::of_blocks::{Mode, decimal};

pub(super) use self::of_blocks::{bssplit, checksum, distribution, mode, offset, rate};

/// What a size looks like, for refusals.
const SIZE_LOOKS: &str = "a size is a number with or without K, M, G or T (powers of 1024), such \
                          as 4096, 64KiB or 1.5G";
/// What a time looks like, for refusals.
const TIME_LOOKS: &str = "a time is a number of seconds, or a number with us, ms, s, m, h or d, such \
                          as 10, 500ms or 1.5m";
/// The most CPUs that a list may name; a range of more is a slip.
const CPUS_MAX: u32 = 65_536;

/// A size of at least one byte.
pub(crate) fn size(text: &str) -> Result<u64, String> {
    let (number, unit) = split_unit(text);
    let shift = match unit.to_ascii_lowercase().as_str() {
        "" | "b" => 0,
        "k" | "kb" | "kib" => 10,
        "m" | "mb" | "mib" => 20,
        "g" | "gb" | "gib" => 30,
        "t" | "tb" | "tib" => 40,
        _ => return Err(SIZE_LOOKS.into()),
    };
    let (whole, fraction) = match number.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (number, None),
    };
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || fraction.is_some_and(|fraction| !digits(fraction)) {
        return Err(SIZE_LOOKS.into());
    }
    if fraction.is_some() && shift == 0 {
        return Err("a byte has no fractions".into());
    }
    // A number that is too long for the type is too long for a file as well.
    let whole: u128 = whole.parse().unwrap_or(u128::MAX);
    let unit_bytes = 1_u128 << shift;
    let bytes = whole.saturating_mul(unit_bytes).saturating_add(part_of(
        unit_bytes,
        fraction.unwrap_or("0"),
        true,
    ));
    match u64::try_from(bytes) {
        Ok(0) => Err("give at least 1 byte".into()),
        Ok(bytes) if i64::try_from(bytes).is_ok() => Ok(bytes),
        _ => Err("give less than 2^63 bytes, which is where file offsets end".into()),
    }
}

/// The part of a unit that the digits behind a point are, rounded or cut off to a whole number.
fn part_of(unit: u128, digits: &str, rounds: bool) -> u128 {
    // Those behind the eighteenth are less than a nanosecond, or a byte, of any unit.
    let digits = &digits[..digits.len().min(18)];
    let scale = 10_u128.pow(u32::try_from(digits.len()).expect("eighteen digits at most"));
    let number: u128 = digits.parse().expect("these are digits");
    (number * unit + if rounds { scale / 2 } else { 0 }) / scale
}

fn split_unit(text: &str) -> (&str, &str) {
    text.split_at(text.find(|c: char| c.is_alphabetic()).unwrap_or(text.len()))
}

/// A time of at least a nanosecond, in nanoseconds.
pub(super) fn time_ns(text: &str) -> Result<u64, String> {
    let (number, unit) = split_unit(text);
    let unit_ns: u128 = match unit.to_ascii_lowercase().as_str() {
        "us" => 1_000,
        "ms" => 1_000_000,
        "" | "s" => 1_000_000_000,
        "m" => 60_000_000_000,
        "h" => 3_600_000_000_000,
        "d" => 86_400_000_000_000,
        _ => return Err(TIME_LOOKS.into()),
    };
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(fraction) {
        return Err(TIME_LOOKS.into());
    }
    let too_long = || "give at most 365d".to_owned();
    let whole: u128 = whole.parse().map_err(|_| too_long())?;
    let part_ns = part_of(unit_ns, fraction, false);
    let ns = whole.saturating_mul(unit_ns).saturating_add(part_ns);
    match u64::try_from(ns) {
        Ok(0) => Err("give more than 0".into()),
        Ok(ns) if ns <= RUNTIME_NS_MAX => Ok(ns),
        _ => Err(too_long()),
    }
}

/// A time, or 0.
pub(super) fn time_or_zero_ns(text: &str) -> Result<u64, String> {
    if text == "0" { Ok(0) } else { time_ns(text) }
}

/// A percentage from 0 to 100, with or without its sign, as a share of one.
pub(super) fn percent(text: &str) -> Result<f64, String> {
    let number = text.strip_suffix('%').unwrap_or(text).trim_end();
    let percent = decimal(number).filter(|percent| *percent <= 100.0);
    percent.map(|percent| percent / 100.0).ok_or_else(|| "give a percentage, such as 2%".into())
}

/// A whole number within `range`.
pub(super) fn whole<N>(
    range: RangeInclusive<N>,
) -> impl Fn(&str) -> Result<N, String> + Clone + Send + Sync + 'static
where
    N: FromStr + PartialOrd + fmt::Display + Clone + Send + Sync + 'static,
{
    move |text| {
        let number = digits(text).filter(|number| range.contains(number));
        number
            .ok_or_else(|| format!("give a whole number from {} to {}", range.start(), range.end()))
    }
}

/// A number of digits and nothing else: the library takes a sign too.
fn digits<N: FromStr>(text: &str) -> Option<N> {
    if text.bytes().all(|byte| byte.is_ascii_digit()) { text.parse().ok() } else { None }
}

/// CPUs: numbers and ranges between commas, of which this reads what stands between two commas.
pub(super) fn cpus(text: &str) -> Result<Vec<u32>, String> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    match (digits(first), digits(last)) {
        (Some(first), Some(last)) if first <= last && last < CPUS_MAX => {
            Ok((first..=last).collect())
        }
        _ => Err("give numbers and ranges of CPUs, such as 0,2,4-7".into()),
    }
}

/// The kind of memory.
pub(super) fn memory(text: &str) -> Result<MemoryKind, String> {
    let kinds = [MemoryKind::Thp, MemoryKind::Small, MemoryKind::Hugetlb];
    let named = kinds.into_iter().find(|kind| kind.name() == text);
    named.ok_or_else(|| format!("give one of {}", kinds.map(MemoryKind::name).join(", ")))
}

/// Whose log lines are shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum LogTids {
    /// Everybody's.
    All,
    /// Those of these tasklets.
    Only(Vec<u32>),
}

impl LogTids {
    /// Whether tasklet `tid` is one of them.
    pub(crate) fn includes(&self, tid: u32) -> bool {
        match self {
            Self::All => true,
            Self::Only(tids) => tids.contains(&tid),
        }
    }
}

/// `all`, or numbers between commas.
pub(super) fn log_tids(text: &str) -> Result<LogTids, String> {
    if text == "all" {
        return Ok(LogTids::All);
    }
    let tids: Option<_> = text.split(',').map(digits).collect();
    tids.map(LogTids::Only)
        .ok_or_else(|| "give numbers of tasklets, such as 0,3, or all".to_owned())
}

/// A folder and the accelerator that its tensor belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FolderOfDevice {
    /// The folder.
    pub(crate) folder: PathBuf,
    /// The accelerator's number.
    pub(crate) device: u32,
}

/// `DIR:ID`.
pub(super) fn folder_of_device(text: &str) -> Result<FolderOfDevice, String> {
    let pair = text.rsplit_once(':').filter(|(folder, _)| !folder.is_empty());
    let pair = pair.and_then(|(folder, device)| Some((folder, digits(device)?)));
    let (folder, device) =
        pair.ok_or("give a folder and the number of a device, such as /data:0")?;
    Ok(FolderOfDevice { folder: folder.into(), device })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn sizes_are_powers_of_1024_in_any_case_with_fractions() {
        for (text, bytes) in [
            ("1M", 1 << 20),
            ("1m", 1 << 20),
            ("1.5G", 3 << 29),
            ("64KiB", 64 << 10),
            ("64kb", 64 << 10),
            ("1000003", 1_000_003),
            ("7b", 7),
            ("2t", 2 << 40),
            ("0.5K", 512),
            ("9223372036854775807", i64::MAX.unsigned_abs()),
        ] {
            assert_eq!(size(text), Ok(bytes), "{text}");
        }
    }

    #[test]
    fn what_is_no_size_is_refused_in_a_sentence() {
        for text in [
            "",
            " ",
            "0",
            "0.0M",
            "-1",
            "-1M",
            "+1",
            "1Q",
            "1P",
            "1E",
            "1Ei",
            "1e3",
            "1_000",
            "1 M",
            "M",
            ".5M",
            "1.M",
            "1.2.3M",
            "0.3",
            "1.5b",
            "1.5",
            "NaN",
            "inf",
            "0x10",
            "1Mi",
            "1KK",
            "9223372036854775808",
            "18446744073709551616",
            "9000000T",
            "1,2",
            "１M",
            "1M\u{301}",
        ] {
            let refusal = size(text).expect_err(text);
            assert!(!refusal.contains('\n'), "{text}: {refusal}");
        }
    }

    #[test]
    fn digits_at_which_a_number_of_64_bits_is_full_are_neither_a_panic_nor_another_size() {
        // Found by fuzzing: the library that read sizes before rounded these up to 2^64.
        let refusal = Err("give less than 2^63 bytes, which is where file offsets end".to_owned());
        assert_eq!(size("184467440737095516155"), refusal);
        assert_eq!(size(&"9".repeat(60)), refusal);
        assert_eq!(size("1.84467440737095516155K"), Ok(1889));
        assert_eq!(size("0.184467440737095516155T"), Ok(202_824_096_037));
    }

    #[test]
    fn a_size_never_panics_and_is_never_zero() {
        let parts = ["", "0", "1", "9", ".", "e", "E", "K", "i", "B", "-", "_", " ", "é", "T"];
        for a in parts {
            for b in parts {
                for c in parts {
                    for d in parts {
                        assert_ne!(size(&format!("{a}{b}{c}{d}")), Ok(0));
                    }
                }
            }
        }
    }

    #[test]
    fn times_are_seconds_or_have_a_unit_with_fractions() {
        for (text, ns) in [
            ("1", 1_000_000_000),
            ("10s", 10_000_000_000),
            ("500ms", 500_000_000),
            ("500MS", 500_000_000),
            ("1.5m", 90_000_000_000),
            ("2h", 7_200_000_000_000),
            ("0.5", 500_000_000),
            ("0.001us", 1),
            ("0.0000000019", 1),
            ("1.0000000000000000000000000000000000000001", 1_000_000_000),
            ("365d", RUNTIME_NS_MAX),
        ] {
            assert_eq!(time_ns(text), Ok(ns), "{text}");
        }
    }

    #[test]
    fn what_is_no_time_is_refused_in_a_sentence() {
        for text in [
            "",
            " ",
            "0",
            "0s",
            "0.0",
            "-1",
            "-1s",
            "+1",
            "NaN",
            "nan",
            "inf",
            "infinity",
            "1e3",
            "1 s",
            "s",
            ".5",
            "1.",
            "1.2.3",
            "1,5",
            "1m30s",
            "1min",
            "5y",
            "1ns",
            "0.0009us",
            "0.0000000009",
            "365.1d",
            "366d",
            "99999999999999999999999999999999999999999",
            "340282366920938463463374607431768211455d",
            "１s",
            "1s\u{301}",
        ] {
            let refusal = time_ns(text).expect_err(text);
            assert!(!refusal.contains('\n'), "{text}: {refusal}");
        }
    }

    proptest! {
        #[test]
        fn a_time_is_read_as_it_was_written(ns in 1..=RUNTIME_NS_MAX) {
            let (seconds, rest) = (ns / 1_000_000_000, ns % 1_000_000_000);
            prop_assert_eq!(time_ns(&format!("{seconds}.{rest:09}")), Ok(ns));
            prop_assert_eq!(time_ns(&format!("{seconds}.{rest:09}00s")), Ok(ns));
            let (us, rest) = (ns / 1_000, ns % 1_000);
            prop_assert_eq!(time_ns(&format!("{us}.{rest:03}us")), Ok(ns));
        }

        #[test]
        fn a_time_never_panics_and_is_never_zero(text in "[-+]?[0-9.]{0,45}[a-zA-Zµ]{0,3}") {
            prop_assert_ne!(time_ns(&text), Ok(0));
        }
    }

    #[test]
    fn numbers_out_of_range_are_refused_with_the_range() {
        assert_eq!(whole(1..=9_u32)("9"), Ok(9));
        let refusal = Err("give a whole number from 1 to 9".to_owned());
        for text in ["0", "10", "-1", "1.5", "x", "", "99999999999"] {
            assert_eq!(whole(1..=9_u32)(text), refusal, "{text}");
        }
    }

    #[test]
    fn cpus_are_numbers_and_ranges() {
        assert_eq!(cpus("3"), Ok(vec![3]));
        assert_eq!(cpus("4-6"), Ok(vec![4, 5, 6]));
        for text in ["", "-", "1-", "-1", "3-2", "a", "0-4294967295"] {
            assert!(cpus(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_folder_may_have_colons_and_its_device_is_a_number() {
        let pair = folder_of_device("/a:b:3").unwrap();
        assert_eq!(pair, FolderOfDevice { folder: "/a:b".into(), device: 3 });
        for text in ["/a", "/a:", "/a:x", ":1", ""] {
            assert!(folder_of_device(text).is_err(), "{text}");
        }
    }

    #[test]
    fn log_tids_are_numbers_or_all() {
        assert!(log_tids("all").unwrap().includes(9));
        let some = log_tids("0,3").unwrap();
        assert!(some.includes(3) && !some.includes(1));
        assert!(log_tids("0,").is_err());
    }
}
