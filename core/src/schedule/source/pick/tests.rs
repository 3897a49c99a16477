use rand_core::{Rng, SeedableRng};
use rand_xoshiro::Xoshiro256Plus;

use super::*;

const KEY: [u64; 2] = [7, 11];
const DRAWS: u32 = 200_000;

fn generator() -> Xoshiro256Plus {
    Xoshiro256Plus::seed_from_u64(42)
}

/// Draws, and holds the share of those that are `wanted` against what it should be: within five
/// standard deviations.
fn assert_share(
    what: &str,
    probability: f64,
    mut draw: impl FnMut(&mut Xoshiro256Plus) -> u64,
    wanted: impl Fn(u64) -> bool,
) {
    let mut rng = generator();
    let count: u32 = (0..DRAWS).map(|_| u32::from(wanted(draw(&mut rng)))).sum();
    let expected = f64::from(DRAWS) * probability;
    let deviation = (expected * (1.0 - probability)).max(0.0).sqrt();
    assert!(
        (f64::from(count) - expected).abs() <= 5.0 * deviation + 2.0,
        "{what}: {count} of {DRAWS} draws, and not {expected:.0}"
    );
}

/// The sum of r^-theta over the first ranks, by Euler and Maclaurin from the thousandth on.
fn zeta(ranks: u64, theta: f64) -> f64 {
    let height = |x: f64| x.powf(-theta);
    let exact: f64 = (1..=ranks.min(1000)).map(|rank| height(rank as f64)).sum();
    if ranks <= 1000 {
        return exact;
    }
    let (from, to) = (1000.0_f64, ranks as f64);
    let area = if (theta - 1.0).abs() < 1e-9 {
        (to / from).ln()
    } else {
        (to.powf(1.0 - theta) - from.powf(1.0 - theta)) / (1.0 - theta)
    };
    exact + area + (height(to) - height(from)) / 2.0
}

#[test]
fn zipf_gives_the_hottest_ranks_the_share_of_their_powers() {
    for theta in [0.01, 0.5, 0.99, 1.0, 1.000_000_1, 1.2, 2.0, 5.0] {
        for blocks in [1, 2, 3, 10, 100_000, 1 << 30, 1 << 52] {
            let zipf = Zipf::new(blocks, theta, KEY);
            for ranks in [1, 2, 3, blocks / 1000, blocks / 2, blocks - 1] {
                let ranks = ranks.clamp(1, blocks);
                let share = zeta(ranks, theta) / zeta(blocks, theta);
                let what = format!("first {ranks} of {blocks}, theta {theta}");
                assert_share(&what, share, |rng| zipf.rank(rng), |rank| rank < ranks);
            }
        }
    }
}

#[test]
fn pareto_gives_a_share_of_the_blocks_the_rest_of_the_requests_and_so_on_within_it() {
    for h in [0.01, 0.1, 0.2, 0.5, 0.8, 0.99] {
        for blocks in [1_000_000, 1 << 40, 1 << 52] {
            let pareto = Pareto::new(blocks, h, KEY);
            for power in [1, 2, 3] {
                let limit = blocks as f64 * f64::powi(h, power);
                assert_share(
                    &format!("h {h} to the {power} of {blocks}"),
                    f64::powi(1.0 - h, power),
                    |rng| pareto.place(rng),
                    |place| (place as f64) < limit.round(),
                );
            }
        }
    }
}

#[test]
fn hot_blocks_are_scattered_over_the_range() {
    let blocks = 1 << 20;
    let scatter = Permutation::new(blocks, KEY);
    let (zipf, pareto) = (Zipf::new(blocks, 1.2, KEY), Pareto::new(blocks, 0.2, KEY));
    let mut rng = generator();
    for _ in 0..1000 {
        let mut same = rng.clone();
        assert_eq!(zipf.pick(&mut rng), scatter.at(zipf.rank(&mut same)));
        assert_eq!(pareto.pick(&mut rng), scatter.at(pareto.place(&mut same)));
        assert_eq!(rng, same);
    }
    let eighths: std::collections::HashSet<u64> = (0..100).map(|r| scatter.at(r) >> 17).collect();
    assert_eq!(eighths.len(), 8, "the 100 hottest blocks are in all eighths of the range");
}

#[test]
fn normal_has_its_mean_in_the_middle_and_its_deviation_in_percent_of_the_range() {
    // The part of a normal distribution that lies within so many deviations of its mean.
    let within = |deviations: f64| libm::erf(deviations / std::f64::consts::SQRT_2);
    for sigma_percent in [0.1, 1.0, 10.0, 30.0, 100.0] {
        for blocks in [1 << 20, 1 << 52] {
            let normal = Normal::new(blocks, sigma_percent);
            let (middle, range) = (blocks as f64 / 2.0, blocks as f64);
            let kept = within(50.0 / sigma_percent);
            for deviations in [0.25, 0.5, 1.0, 2.0] {
                let width = deviations * sigma_percent / 100.0 * range;
                assert_share(
                    &format!("{deviations} deviations of {sigma_percent} % of {blocks}"),
                    (within(deviations) / kept).min(1.0),
                    |rng| normal.pick(rng),
                    |block| (block as f64 + 0.5 - middle).abs() < width,
                );
            }
            let below = |block| (block as f64) < middle;
            assert_share("lower half", 0.5, |rng| normal.pick(rng), below);
        }
    }
}

#[test]
fn no_parameter_leads_out_of_the_range() {
    for blocks in [1, 2, 3, 5, 1000, (1 << 40) + 1, 1 << 52] {
        let inside = |what: &str, pick: &dyn Fn(&mut Xoshiro256Plus) -> u64| {
            let mut rng = generator();
            let worst = (0..5000).map(|_| pick(&mut rng)).max();
            assert!(worst < Some(blocks), "{what}: {worst:?} of {blocks}");
        };
        for theta in [f64::MIN_POSITIVE, 0.01, 1.0, 5.0, 100.0, f64::MAX] {
            let zipf = Zipf::new(blocks, theta, KEY);
            inside(&format!("zipf:{theta}"), &|rng| zipf.pick(rng));
        }
        for h in [f64::MIN_POSITIVE, 0.01, 0.99, 1.0 - f64::EPSILON] {
            let pareto = Pareto::new(blocks, h, KEY);
            inside(&format!("pareto:{h}"), &|rng| pareto.pick(rng));
        }
        for sigma_percent in [f64::MIN_POSITIVE, 0.1, 100.0, 1e9, f64::MAX] {
            let normal = Normal::new(blocks, sigma_percent);
            inside(&format!("normal:{sigma_percent}"), &|rng| normal.pick(rng));
        }
    }
}

#[test]
fn the_same_blocks_are_picked_on_every_machine() {
    let blocks = 1_000_000_007;
    let first = |pick: &dyn Fn(&mut Xoshiro256Plus) -> u64| {
        let mut rng = generator();
        [(); 4].map(|()| pick(&mut rng))
    };
    let (scatter, normal) = (Permutation::new(blocks, KEY), Normal::new(blocks, 10.0));
    let (zipf, pareto) = (Zipf::new(blocks, 1.2, KEY), Pareto::new(blocks, 0.2, KEY));
    let all = [
        [0, 1, 2, 3].map(|index| scatter.at(index)),
        first(&|rng| zipf.rank(rng)),
        first(&|rng| pareto.place(rng)),
        first(&|rng| normal.pick(rng)),
        first(&|rng| exponential_ns(rng.next_u64(), 1e6)),
    ];
    let expected: [[u64; 4]; 5] = [
        [160_771_413, 150_680_063, 212_292_724, 283_588_245],
        [60_107, 166, 224_484, 177],
        [20, 216_553, 2, 197_446],
        [417_875_810, 418_218_856, 353_233_908, 531_733_236],
        [2_456_254, 1_169_857, 2_771_473, 1_182_664],
    ];
    assert_eq!(all, expected);
}

#[test]
fn sizes_come_as_often_as_their_percentages_say() {
    let shares = [(4096, 60), (512, 0), (65536, 39), (8192, 1)];
    let split = SizeSplit::new(&shares);
    // All of a generator's outputs, in equal steps.
    let outputs = (0..=u64::MAX).step_by(1 << 44);
    let mut counts = [0_u32; 4];
    for random in outputs {
        let bytes = split.pick(random);
        counts[shares.iter().position(|share| share.0 == bytes).unwrap()] += 1;
    }
    for (count, (bytes, percent)) in counts.iter().zip(shares) {
        let expected = f64::from(percent) / 100.0 * f64::from(1 << 20);
        assert!((f64::from(*count) - expected).abs() <= 1.0, "{count} of {bytes} bytes");
    }
    assert_eq!([0, u64::MAX].map(|random| split.pick(random)), [4096, 8192]);
    let one = SizeSplit::new(&[(4096, 100)]);
    assert_eq!([0, u64::MAX].map(|random| one.pick(random)), [4096, 4096]);
}

#[test]
#[should_panic(expected = "come to 99 %")]
fn sizes_that_do_not_come_to_all_requests_are_refused() {
    SizeSplit::new(&[(4096, 60), (8192, 39)]);
}

#[test]
fn gaps_are_exponential() {
    let gap = |rng: &mut Xoshiro256Plus| exponential_ns(rng.next_u64(), 1e6);
    for means in [0.01, 0.5, 1.0, 3.0] {
        let limit_ns = means * 1e6;
        assert_share("gaps", f64::exp(-means), gap, |gap_ns| gap_ns as f64 > limit_ns);
    }
    let mut rng = generator();
    let sum_ns: u64 = (0..DRAWS).map(|_| gap(&mut rng)).sum();
    let mean_ns = sum_ns as f64 / f64::from(DRAWS);
    assert!((mean_ns - 1e6).abs() < 5.0 * 1e6 / f64::from(DRAWS).sqrt(), "{mean_ns}");
    assert_eq!([u64::MAX, 0].map(|random| exponential_ns(random, 1000.0)), [0, 36_737]);
}
