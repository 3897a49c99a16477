//! What holds for every text that might be given for a value.

use aio_core::plan::{BLOCK_BYTES_MAX, Distribution, RUNTIME_NS_MAX, SizeShare};
use aio_core::testing::fuzz_text;
use proptest::prelude::*;

use super::*;
use crate::render::size as shown;

/// Any text, and texts that look much like values.
fn texts() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "[-+]?[0-9.eE_]{0,40}[a-zA-Zµ]{0,4}",
        "(zipf|pareto|normal|uniform|random)?:?[-+0-9.eEinfNaN]{0,24}",
        "([0-9]{0,5}[kKmMgGtT]?i?b?/?[-0-9]{0,5}[:,]?){0,6}",
        "[0-9.]{0,20}[kKmM]?,?(poisson|linear)?",
        "[-0-9,:]{0,12}",
    ]
}

#[test]
fn fuzzed_values_are_in_range_or_refused_in_a_sentence() {
    let corpus = [
        "1.5G",
        "500ms",
        "0,2,4-7",
        "4k/60:64k/40",
        "zipf:1.1",
        "pareto:0.2",
        "normal:10",
        "1000,poisson",
        "/data:0",
        "randrw",
        "xxh3",
        "2%",
    ];
    let words =
        ["zipf:", "pareto:", "normal:", "uniform", "KiB", "ms", "poisson", "linear", "all", "thp"];
    fuzz_text("values", &corpus, &words, |text| {
        if let Err(broken) = holds(text) {
            panic!("{broken}");
        }
        let kinds = [
            size(text).is_ok(),
            time_ns(text).is_ok(),
            rate(text).is_ok(),
            distribution(text).is_ok(),
            bssplit(text).is_ok(),
            cpus(text).is_ok(),
            percent(text).is_ok(),
            folder_of_device(text).is_ok(),
        ];
        format!("{kinds:?}")
    });
}

/// What must be true of every text.
fn holds(text: &str) -> Result<(), TestCaseError> {
    let refused = |refusal: String| {
        prop_assert!(!refusal.is_empty() && !refusal.contains('\n'), "{text}: {refusal}");
        Ok(())
    };
    match size(text) {
        Ok(bytes) => prop_assert!((1..=i64::MAX.unsigned_abs()).contains(&bytes)),
        Err(refusal) => refused(refusal)?,
    }
    match offset(text) {
        Ok(bytes) => prop_assert!(i64::try_from(bytes).is_ok()),
        Err(refusal) => refused(refusal)?,
    }
    match time_ns(text) {
        Ok(ns) => prop_assert!((1..=RUNTIME_NS_MAX).contains(&ns)),
        Err(refusal) => refused(refusal)?,
    }
    match rate(text) {
        Ok(rate) => prop_assert!(rate.per_s > 0.0 && rate.per_s <= 1e9),
        Err(refusal) => refused(refusal)?,
    }
    match distribution(text) {
        Ok(Distribution::Uniform) => {}
        Ok(Distribution::Zipf { theta }) => prop_assert!(theta > 0.0 && theta <= 100.0),
        Ok(Distribution::Pareto { h }) => prop_assert!(h > 0.0 && h < 1.0),
        Ok(Distribution::Normal { sigma_percent: sigma }) => {
            prop_assert!(sigma > 0.0 && sigma <= 100.0);
        }
        Err(refusal) => refused(refusal)?,
    }
    match bssplit(text) {
        Ok(split) => {
            prop_assert_eq!(split.0.iter().map(|one| one.percent).sum::<u32>(), 100);
            let fits = |one: &SizeShare| (1..=BLOCK_BYTES_MAX).contains(&one.bytes.into());
            prop_assert!(split.0.iter().all(fits));
        }
        Err(refusal) => refused(refusal)?,
    }
    match cpus(text) {
        Ok(list) => prop_assert!(!list.is_empty() && list.iter().all(|cpu| *cpu < CPUS_MAX)),
        Err(refusal) => refused(refusal)?,
    }
    let whole = whole(3..=u64::MAX)(text);
    prop_assert_eq!(
        whole.is_ok(),
        text.parse().is_ok_and(|number: u64| number >= 3) && !text.starts_with('+')
    );
    for refusal in [
        log_tids(text).err(),
        folder_of_device(text).err(),
        mode(text).err(),
        checksum(text).err(),
        memory(text).err(),
    ] {
        refusal.map_or(Ok(()), refused)?;
    }
    match percent(text) {
        Ok(share) => prop_assert!((0.0..=1.0).contains(&share)),
        Err(refusal) => refused(refusal)?,
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn no_text_is_a_panic_and_what_is_accepted_is_in_range(text in texts()) {
        holds(&text)?;
    }

    #[test]
    fn a_size_is_read_as_it_is_shown(bytes in 1..=i64::MAX.unsigned_abs(), bits in 0..63_u32) {
        for bytes in [bytes, (bytes >> bits).max(1), 1 << bits] {
            prop_assert_eq!(size(&bytes.to_string()), Ok(bytes));
            let shown = shown(bytes).replace(' ', "").replace("bytes", "b").replace("byte", "b");
            prop_assert_eq!(size(&shown), Ok(bytes), "{}", shown);
        }
    }

    #[test]
    fn a_split_is_read_as_it_was_written(
        sizes in prop::collection::vec(1..=1_u32 << 30, 1..20),
        cuts in prop::collection::vec(0..=100_u32, 19),
    ) {
        let mut cuts = cuts[..sizes.len() - 1].to_vec();
        cuts.sort_unstable();
        cuts.push(100);
        let mut before = 0;
        let shares: Vec<SizeShare> = sizes.iter().zip(&cuts).map(|(bytes, cut)| {
            let percent = cut - std::mem::replace(&mut before, *cut);
            SizeShare { bytes: *bytes, percent }
        }).collect();
        let one = |share: &SizeShare| format!("{}/{}", share.bytes, share.percent);
        let text = shares.iter().map(one).collect::<Vec<_>>().join(":");
        prop_assert_eq!(bssplit(&text).map(|split| split.0), Ok(shares));
    }

    #[test]
    fn numbers_with_fractions_are_read_as_they_are_shown(x in 1e-6..1.0_f64) {
        prop_assert_eq!(distribution(&format!("pareto:{x}")), Ok(Distribution::Pareto { h: x }));
        let theta = x * 100.0;
        prop_assert_eq!(distribution(&format!("zipf:{theta}")), Ok(Distribution::Zipf { theta }));
        let per_s = x * 1e9;
        let poisson = format!("{per_s},poisson");
        prop_assert_eq!(rate(&poisson).map(|rate| (rate.per_s, rate.poisson)), Ok((per_s, true)));
    }
}
