//! Values of the flags of `--file`.

use aio_core::plan::{
    BLOCK_BYTES_MAX, Checksum, Direction, Distribution, Pattern, Rate, SizeShare,
};

use super::size;
use crate::args::blocks::BlockSizes;

/// What is done to a file in blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Mode {
    /// Which way they go.
    pub(crate) direction: Direction,
    /// Their order.
    pub(crate) pattern: Pattern,
}

/// `read`, `randwrite` and the like.
pub(crate) fn mode(text: &str) -> Result<Mode, String> {
    let (direction, pattern) = match text {
        "read" => (Direction::Read, Pattern::Sequential),
        "write" => (Direction::Write, Pattern::Sequential),
        "rw" | "readwrite" => (Direction::Mixed, Pattern::Sequential),
        "trim" => (Direction::Trim, Pattern::Sequential),
        "randread" => (Direction::Read, Pattern::Random),
        "randwrite" => (Direction::Write, Pattern::Random),
        "randrw" => (Direction::Mixed, Pattern::Random),
        "randtrim" => (Direction::Trim, Pattern::Random),
        _ => {
            return Err(
                "give read, write, rw, trim, randread, randwrite, randrw or randtrim".into()
            );
        }
    };
    Ok(Mode { direction, pattern })
}

/// A size, or none at all.
pub(crate) fn offset(text: &str) -> Result<u64, String> {
    if text == "0" { Ok(0) } else { size(text) }
}

/// `uniform`, `zipf:1.2` and the like.
pub(crate) fn distribution(text: &str) -> Result<Distribution, String> {
    const LOOKS: &str = "give uniform, zipf:THETA such as zipf:1.1, pareto:H such as pareto:0.2, or \
                         normal:SIGMA in percent such as normal:10";
    let (name, number) = match text.split_once(':') {
        Some((name, number)) => (name, Some(decimal(number).ok_or(LOOKS)?)),
        None => (text, None),
    };
    let distribution = match (name, number) {
        ("uniform" | "random", None) => Distribution::Uniform,
        ("zipf", Some(theta)) => Distribution::Zipf { theta },
        ("pareto", Some(h)) => Distribution::Pareto { h },
        ("normal", Some(sigma_percent)) => Distribution::Normal { sigma_percent },
        _ => return Err(LOOKS.into()),
    };
    distribution.check()?;
    Ok(distribution)
}

/// A number of digits with at most one point: no sign, no exponent, nothing that is no number.
pub(crate) fn decimal(text: &str) -> Option<f64> {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    if digits(whole) && digits(fraction) { text.parse().ok() } else { None }
}

/// `4k/60:64k/40`: sizes and how many of a hundred requests have each. Shares that are left out
/// share what is left.
pub(crate) fn bssplit(text: &str) -> Result<BlockSizes, String> {
    const LOOKS: &str = "give sizes and percents, such as 4k/60:64k/40";
    if text.contains(',') {
        return Err(
            "reads and writes have the same sizes; give one list, such as 4k/60:64k/40".into()
        );
    }
    let mut sizes = Vec::new();
    for part in text.split(':') {
        let (bytes, percent) = part.split_once('/').unwrap_or((part, ""));
        let bytes = u32::try_from(size(bytes)?)
            .ok()
            .filter(|bytes| u64::from(*bytes) <= BLOCK_BYTES_MAX)
            .ok_or("a block has at most 1 GiB")?;
        let percent: Option<u32> = match percent {
            "" => None,
            digits if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
                Some(digits.parse().ok().filter(|percent| *percent <= 100).ok_or(LOOKS)?)
            }
            _ => return Err(LOOKS.into()),
        };
        sizes.push((bytes, percent));
    }
    let given: u32 = sizes.iter().filter_map(|(_, percent)| *percent).sum();
    let open = sizes.iter().filter(|(_, percent)| percent.is_none()).count();
    let open = u32::try_from(open).map_err(|_| LOOKS)?;
    let left = 100_u32.checked_sub(given).filter(|left| (open > 0) == (*left > 0));
    let Some(left) = left else {
        return Err(format!("the shares come to {given} %, not to 100"));
    };
    let mut seen = 0;
    let shares = sizes.into_iter().map(|(bytes, percent)| {
        let percent = percent.unwrap_or_else(|| {
            seen += 1;
            left * seen / open - left * (seen - 1) / open
        });
        SizeShare { bytes, percent }
    });
    Ok(BlockSizes(shares.collect()))
}

/// `5000` or `5000,poisson`.
pub(crate) fn rate(text: &str) -> Result<Rate, String> {
    const LOOKS: &str = "give requests per second, such as 5000 or 5000,poisson";
    let (number, process) = text.split_once(',').unwrap_or((text, "linear"));
    let (number, scale) = match number.as_bytes().last() {
        Some(b'k' | b'K') => (&number[..number.len() - 1], 1e3),
        Some(b'm' | b'M') => (&number[..number.len() - 1], 1e6),
        _ => (number, 1.0),
    };
    let per_s = decimal(number).ok_or(LOOKS)? * scale;
    let poisson = match process {
        "poisson" => true,
        "linear" => false,
        _ => return Err(LOOKS.into()),
    };
    if !(per_s > 0.0 && per_s <= 1e9) {
        return Err("give more than 0 and at most 1e9 requests per second".into());
    }
    Ok(Rate { per_s, poisson })
}

/// The name of a checksum.
pub(crate) fn checksum(text: &str) -> Result<Checksum, String> {
    match text {
        "crc32c" => Ok(Checksum::Crc32c),
        "xxh3" => Ok(Checksum::Xxh3),
        "pattern" => Ok(Checksum::Pattern),
        _ => Err("give crc32c, xxh3 or pattern".into()),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn modes_are_those_of_fio() {
        let randread = Mode { direction: Direction::Read, pattern: Pattern::Random };
        assert_eq!(mode("randread"), Ok(randread));
        let both = Mode { direction: Direction::Mixed, pattern: Pattern::Sequential };
        assert_eq!((mode("rw"), mode("readwrite")), (Ok(both), Ok(both)));
        let trim = Mode { direction: Direction::Trim, pattern: Pattern::Random };
        assert_eq!(mode("randtrim"), Ok(trim));
        assert!(mode("READ").unwrap_err().starts_with("give read, write"));
    }

    #[test]
    fn distributions_have_a_name_and_a_number() {
        assert_eq!(distribution("uniform"), Ok(Distribution::Uniform));
        assert_eq!(distribution("zipf:1.2"), Ok(Distribution::Zipf { theta: 1.2 }));
        assert_eq!(distribution("pareto:0.2"), Ok(Distribution::Pareto { h: 0.2 }));
        assert_eq!(distribution("normal:10"), Ok(Distribution::Normal { sigma_percent: 10.0 }));
        for text in [
            "",
            ":",
            "zipf",
            "zipf:",
            "zipf:0",
            "zipf:-1",
            "zipf:NaN",
            "zipf:inf",
            "zipf:1e2",
            "zipf:101",
            "zipf:1:2",
            "pareto:1",
            "pareto:0",
            "pareto:1.5",
            "normal:0",
            "normal:101",
            "uniform:1",
            "zoned:50/5",
            "Zipf:1.2",
            "zipf:18446744073709551616",
        ] {
            let refusal = distribution(text).expect_err(text);
            assert!(!refusal.contains('\n'), "{text}: {refusal}");
        }
    }

    #[test]
    fn a_split_names_sizes_and_their_shares() {
        let shares = |text| {
            let list = bssplit(text).map(|sizes| sizes.0);
            list.map(|all| all.iter().map(|one| (one.bytes, one.percent)).collect::<Vec<_>>())
        };
        assert_eq!(shares("4k/60:64k/40"), Ok(vec![(4096, 60), (65536, 40)]));
        assert_eq!(shares("4k/50:8k/:16k/"), Ok(vec![(4096, 50), (8192, 25), (16384, 25)]));
        assert_eq!(shares("4k:8k:16k"), Ok(vec![(4096, 33), (8192, 33), (16384, 34)]));
        assert_eq!(bssplit("4k/60:64k/50").unwrap_err(), "the shares come to 110 %, not to 100");
        assert_eq!(bssplit("4k/60:64k/30").unwrap_err(), "the shares come to 90 %, not to 100");
        for text in [
            "",
            ":",
            "/",
            "4k/",
            "4k/60:",
            "4k/x",
            "4k/-1:8k/101",
            "0/100",
            "4k/100:8k/",
            "2g/100",
            "4k/50,8k/50",
            "4k/1e2",
            "4k/4294967396",
            "4k/99999999999999999999",
        ] {
            let good = text == "4k/";
            assert_eq!(bssplit(text).is_ok(), good, "{text}");
        }
    }

    #[test]
    fn a_rate_is_a_number_of_requests_per_second() {
        assert_eq!(rate("5000"), Ok(Rate { per_s: 5000.0, poisson: false }));
        assert_eq!(rate("0.5,poisson"), Ok(Rate { per_s: 0.5, poisson: true }));
        assert_eq!(rate("10k,linear"), Ok(Rate { per_s: 10_000.0, poisson: false }));
        for text in ["", "0", "-1", "NaN", "inf", "1e3", "5000,", "5000,fast", "k", "1e10", "2000M"]
        {
            assert!(rate(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn whatever_is_accepted_makes_sense(text in "[-+]?[a-z]{0,6}[:,]?[-0-9.kKmMgG/:,e]{0,24}") {
            if let Ok(BlockSizes(sizes)) = bssplit(&text) {
                prop_assert_eq!(sizes.iter().map(|one| one.percent).sum::<u32>(), 100);
                prop_assert!(sizes.iter().all(|one| one.bytes > 0));
            }
            if let Ok(rate) = rate(&text) {
                prop_assert!(rate.per_s > 0.0 && rate.per_s <= 1e9);
            }
            if let Ok(
                Distribution::Zipf { theta: x }
                | Distribution::Pareto { h: x }
                | Distribution::Normal { sigma_percent: x },
            ) = distribution(&text)
            {
                prop_assert!(x > 0.0);
            }
        }
    }
}
