//! `--sweep FLAG=VALUES`: the values that a flag goes through.

use aio_core::report::Setting;
use anyhow::{Error, Result, anyhow, bail};

use super::settings;
use crate::args::{Catalogue, whole_size};

/// More points than anybody waits for.
const POINTS_MAX: usize = 1000;

/// A flag and its values, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Axis {
    /// The long name of the flag.
    pub(super) flag: String,
    /// What stands behind it, each in turn.
    pub(super) values: Vec<String>,
}

/// Reads `block-size=4k,64k,1M` or `queue-depth=1..128`, which doubles.
pub(super) fn axis(text: &str, catalogue: &Catalogue) -> Result<Axis> {
    let Some((flag, values)) = text.split_once('=') else {
        bail!("--sweep {text}: give a flag and its values, such as queue-depth=1,8,32");
    };
    let flag = settings::flag(flag, catalogue).map_err(|why| why.context(at(text)))?;
    if flag == "engine" {
        bail!("--sweep {text}: engines take turns at each point; give --engine");
    }
    let values = match values.split_once("..") {
        Some((first, last)) => doubling(first, last),
        None => Some(values.split(',').map(String::from).collect()),
    };
    if values.as_ref().is_some_and(|values| values.len() > POINTS_MAX) {
        return Err(too_many());
    }
    if let Some(twice) = values.as_ref().and_then(|values| twice(values)) {
        bail!("--sweep {text}: {twice} is there twice");
    }
    match values {
        Some(values) if values.iter().all(|value| !value.is_empty()) => Ok(Axis { flag, values }),
        _ => bail!("--sweep {text}: give values such as 4k,64k,1M, or 1..128, which doubles"),
    }
}

fn too_many() -> Error {
    anyhow!("--sweep asks for more than {POINTS_MAX} points; give fewer values")
}

/// The first value that another one before is like.
fn twice(values: &[String]) -> Option<&String> {
    let is_second = |(index, value): &(usize, &String)| values[..*index].contains(value);
    values.iter().enumerate().find(is_second).map(|(_, value)| value)
}

fn at(text: &str) -> String {
    format!("--sweep {text}")
}

/// `first`, twice that and so on, and `last`.
fn doubling(first: &str, last: &str) -> Option<Vec<String>> {
    let is_plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let (begin, end) = (whole_size(first).ok()?, whole_size(last).ok()?);
    if begin > end {
        return None;
    }
    let mut numbers: Vec<u64> = std::iter::successors(Some(begin), |number| number.checked_mul(2))
        .take_while(|number| *number < end)
        .collect();
    numbers.push(end);
    let plain = is_plain(first) && is_plain(last);
    let text = |number: &u64| if plain { number.to_string() } else { short(*number) };
    Some(numbers.iter().map(text).collect())
}

/// A size in the largest unit that divides it.
fn short(bytes: u64) -> String {
    let units = [(40, "T"), (30, "G"), (20, "M"), (10, "K")];
    let fitting = units.into_iter().find(|(shift, _)| bytes.trailing_zeros() >= *shift);
    match fitting {
        Some((shift, unit)) => format!("{}{unit}", bytes >> shift),
        None => bytes.to_string(),
    }
}

/// Every combination of values, the last axis changing fastest.
pub(super) fn crossed(axes: &[Axis]) -> Result<Vec<Vec<Setting>>> {
    let count = axes.iter().try_fold(1_usize, |all, axis| all.checked_mul(axis.values.len()));
    if count.is_none_or(|count| count > POINTS_MAX) {
        return Err(too_many());
    }
    let mut points = vec![Vec::new()];
    for axis in axes {
        let longer = |point: &Vec<Setting>| {
            let one = |value: &String| {
                let setting = Setting { flag: axis.flag.clone(), value: value.clone() };
                point.iter().cloned().chain([setting]).collect()
            };
            axis.values.iter().map(one).collect::<Vec<_>>()
        };
        points = points.iter().flat_map(longer).collect();
    }
    Ok(points)
}

#[cfg(test)]
mod tests {
    use aio_core::testing::{fuzz_text, one_sentence};

    use super::*;
    use crate::voice::printable;

    #[test]
    fn fuzzed_axes_and_contestants_are_few_values_of_flags_or_refused() {
        let corpus = [
            "block-size=4k,64k,1M",
            "queue_depth=1..128",
            "bs=2k..8K",
            "engine=uring batch-submit=1 buffered",
        ];
        let words = ["queue-depth", "engine", "buffered", "..", ",", "=", "--", "1T", "seed", "rw"];
        let catalogue = Catalogue::of_run();
        fuzz_text("axes and contestants", &corpus, &words, |text| {
            let refused = |error: anyhow::Error| {
                let sentence = format!("{error:#}");
                one_sentence(&printable(&sentence));
                sentence
            };
            let way = match axis(text, &catalogue).and_then(|axis| crossed(&[axis])) {
                Ok(points) => {
                    assert!((1..=POINTS_MAX).contains(&points.len()), "{}", points.len());
                    String::new()
                }
                Err(error) => refused(error),
            };
            let settings = settings::settings(text, &catalogue).map(|some| settings::text(&some));
            way + &settings.unwrap_or_else(refused)
        });
    }

    #[test]
    fn so_many_values_that_nobody_waits_for_them_are_refused_before_they_are_compared() {
        let many: Vec<_> = (0..30_000).map(|number| number.to_string()).collect();
        let error = axis(&format!("seed={}", many.join(",")), &Catalogue::of_run()).unwrap_err();
        let refusal = format!("{error:#}");
        assert!(refusal.contains("more than 1000 points"), "{refusal}");
        assert!(refusal.len() < 200, "{} bytes", refusal.len());
    }

    fn values(text: &str) -> Vec<String> {
        axis(text, &Catalogue::of_run()).expect("it is an axis").values
    }

    #[test]
    fn values_are_listed_or_double() {
        assert_eq!(values("block-size=4k,64k,1M"), ["4k", "64k", "1M"]);
        assert_eq!(values("queue_depth=1..8"), ["1", "2", "4", "8"]);
        assert_eq!(values("iodepth=3..20"), ["3", "6", "12", "20"]);
        assert_eq!(values("bs=2k..8K"), ["2K", "4K", "8K"]);
        assert_eq!(values("threads=4..4"), ["4"]);
        assert_eq!(values("rw=randread,randwrite"), ["randread", "randwrite"]);
    }

    #[test]
    fn what_is_no_axis_is_refused_with_what_was_typed() {
        let refusal = |text: &str| {
            let error = axis(text, &Catalogue::of_run()).expect_err("it is no axis");
            format!("{error:#}")
        };
        for text in
            ["queue-depth", "queue-depth=", "queue-depth=8..1", "queue-depth=1..x", "bs=4k,"]
        {
            assert!(refusal(text).starts_with(&format!("--sweep {text}: give")), "{text}");
        }
        insta::assert_snapshot!(refusal("queue-deth=1"), @r#"--sweep queue-deth=1: there is no flag --queue-deth; did you mean --queue-depth?"#);
        insta::assert_snapshot!(refusal("format=json,text"), @"--sweep format=json,text: --format is of the whole command and cannot vary");
        insta::assert_snapshot!(refusal("engine=sync"), @"--sweep engine=sync: engines take turns at each point; give --engine");
    }

    #[test]
    fn a_value_stands_there_once() {
        let refused =
            axis("queue-depth=1,8,1", &Catalogue::of_run()).expect_err("1 is there twice");
        assert_eq!(refused.to_string(), "--sweep queue-depth=1,8,1: 1 is there twice");
    }

    #[test]
    fn axes_cross_and_the_last_changes_fastest() {
        let catalogue = Catalogue::of_run();
        let axes = ["bs=4k,8k", "threads=1,2"].map(|text| axis(text, &catalogue).unwrap());
        let points = crossed(&axes).unwrap();
        let shown: Vec<_> = points
            .iter()
            .map(|point| point.iter().map(|one| one.value.as_str()).collect::<Vec<_>>().join(" "))
            .collect();
        assert_eq!(shown, ["4k 1", "4k 2", "8k 1", "8k 2"]);
        let many = Axis { flag: "seed".into(), values: vec!["1".into(); 40] };
        assert!(crossed(&[many.clone(), many]).is_err());
    }
}
