//! How often verdicts are right, seen in simulations of contestants whose difference is known.
//!
//! A machine does one run after another, and each has some noise: independent, correlated from run
//! to run, with a drift on top, or heavy-tailed. Contestants take turns on it in the order that a
//! comparison uses, and are judged by the functions that it uses.

use rand_core::{Rng, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

use super::{
    Finding, LEVEL, Paired, is_decided, order, paired, rounds_per_cycle, rounds_to_decide,
};
use super::{unpaired, verdict};

const COMPARISONS: u32 = 5000;
/// The standard deviation of a run, in logarithms.
const NOISE: f64 = 0.02;
/// The difference that is to be found.
const FASTER: f64 = 1.05;
/// What `--resolution` is by default.
const RESOLUTION: f64 = 0.02;
/// Where `--until-decided` gives up here.
const ROUNDS_MAX: u32 = 100;
/// How much of a run's noise the next one keeps.
const KEPT: f64 = 0.7;
/// By how much each run is faster than the one before it, with a drift.
const DRIFT: f64 = 0.005;

#[derive(Clone, Copy, Debug)]
enum Noise {
    Independent,
    Correlated,
    Drifting,
    HeavyTailed,
}

const NOISES: [Noise; 4] =
    [Noise::Independent, Noise::Correlated, Noise::Drifting, Noise::HeavyTailed];

/// Where runs are made, one after the other.
struct Machine {
    noise: Noise,
    random: Xoshiro256PlusPlus,
    /// The correlated part of the noise of the latest run, and the drift up to it.
    state: f64,
    drift: f64,
}

impl Machine {
    fn new(noise: Noise, seed: u32) -> Self {
        let mut machine = Self {
            noise,
            random: Xoshiro256PlusPlus::seed_from_u64(u64::from(seed)),
            state: 0.0,
            drift: 0.0,
        };
        machine.state = machine.normal();
        machine
    }

    /// What a run of a contestant that is `faster` by a factor comes to.
    fn run(&mut self, faster: f64) -> f64 {
        let noise = match self.noise {
            Noise::Independent => self.normal(),
            Noise::HeavyTailed => self.t3(),
            Noise::Correlated | Noise::Drifting => {
                self.state = KEPT * self.state + (1.0 - KEPT * KEPT).sqrt() * self.normal();
                self.state
            }
        };
        self.drift += if matches!(self.noise, Noise::Drifting) { DRIFT } else { 0.0 };
        100_000.0 * faster * libm::exp(NOISE * noise + self.drift)
    }

    fn uniform(&mut self) -> f64 {
        let bits = u32::try_from(self.random.next_u64() >> 32).expect("32 bits are left");
        (f64::from(bits) + 0.5) / 4_294_967_296.0
    }

    /// A normal deviate by the method of Box and Muller.
    fn normal(&mut self) -> f64 {
        let radius = (-2.0 * libm::log(self.uniform())).sqrt();
        radius * libm::cos(std::f64::consts::TAU * self.uniform())
    }

    /// A deviate of Student's t with 3 degrees of freedom, over its standard deviation.
    fn t3(&mut self) -> f64 {
        let squares: f64 = (0..3).map(|_| self.normal()).map(|one| one * one).sum();
        self.normal() / squares.sqrt()
    }
}

/// Contestants that take turns on a machine, with what their rounds came to.
struct Contest {
    machine: Machine,
    faster: Vec<f64>,
    values: Vec<Vec<f64>>,
    rounds: u32,
}

impl Contest {
    fn new(noise: Noise, faster: &[f64], seed: u32) -> Self {
        let values = vec![Vec::new(); faster.len()];
        Self { machine: Machine::new(noise, seed), faster: faster.to_vec(), values, rounds: 0 }
    }

    fn run(mut self, rounds: u32) -> Self {
        for round in self.rounds..self.rounds + rounds {
            for contestant in order(self.faster.len(), round) {
                let value = self.machine.run(self.faster[contestant]);
                self.values[contestant].push(value);
            }
        }
        self.rounds += rounds;
        self
    }

    /// As with `--until-decided`: whole cycles until all is decided.
    fn run_until_decided(mut self) -> Self {
        let cycle = rounds_per_cycle(self.faster.len());
        let first = rounds_to_decide(self.comparisons(), LEVEL).next_multiple_of(cycle);
        self = self.run(first);
        while self.rounds < ROUNDS_MAX && !self.all_decided() {
            self = self.run(cycle);
        }
        self
    }

    fn all_decided(&self) -> bool {
        let comparisons = self.comparisons();
        self.ratios().all(|ratio| is_decided(ratio, comparisons, LEVEL, RESOLUTION))
    }

    fn comparisons(&self) -> usize {
        self.faster.len() - 1
    }

    fn ratios(&self) -> impl Iterator<Item = Option<Paired>> {
        self.values[1..].iter().map(|values| paired(&self.values[0], values))
    }

    fn findings(&self) -> Vec<Finding> {
        let comparisons = self.comparisons();
        self.ratios().map(|ratio| verdict(ratio, true, comparisons, LEVEL).finding).collect()
    }
}

/// The share of `COMPARISONS` contests for which `counts` holds.
fn share(counts: impl Fn(u32) -> bool) -> f64 {
    let seen = (0..COMPARISONS).filter(|seed| counts(*seed)).count();
    f64::from(u32::try_from(seen).expect("as many as comparisons")) / f64::from(COMPARISONS)
}

fn has_winner(findings: &[Finding]) -> bool {
    findings.iter().any(|finding| matches!(finding, Finding::Better | Finding::Worse))
}

/// How often a contest among equals has a winner, and how often the faster one is found.
fn winners_and_found(
    noise: Noise,
    contestants: usize,
    run: impl Fn(Contest) -> Contest,
) -> [f64; 2] {
    let equal = vec![1.0; contestants];
    let mut unequal = equal.clone();
    unequal[1] = FASTER;
    let findings = |faster: &[f64], seed| run(Contest::new(noise, faster, seed)).findings();
    [
        share(|seed| has_winner(&findings(&equal, seed))),
        share(|seed| findings(&unequal, seed)[0] == Finding::Better),
    ]
}

/// Prints the rates of `run` for each noise, and holds them to what is promised.
fn calibrate(title: &str, contestants: usize, run: impl Fn(Contest) -> Contest + Copy) {
    for noise in NOISES {
        let [winners, found] = winners_and_found(noise, contestants, run);
        println!(
            "{title}, {noise:?}: winners among equals {:.2} %, 5 % found in {:.2} %",
            100.0 * winners,
            100.0 * found
        );
        assert!(winners <= 0.02, "{noise:?}");
        assert!(found >= 0.9, "{noise:?}");
    }
}

#[test]
fn two_contestants_in_ten_rounds() {
    calibrate("2 contestants, 10 rounds", 2, |contest| contest.run(10));
}

#[test]
fn three_contestants_in_twelve_rounds() {
    calibrate("3 contestants, 12 rounds", 3, |contest| contest.run(12));
}

#[test]
fn two_contestants_until_decided() {
    calibrate("2 contestants until decided", 2, Contest::run_until_decided);
}

#[test]
fn three_contestants_until_decided() {
    calibrate("3 contestants until decided", 3, Contest::run_until_decided);
}

#[test]
fn intervals_hold_the_true_ratio() {
    for noise in NOISES {
        let covered = share(|seed| {
            let contest = Contest::new(noise, &[1.0, FASTER], seed).run(10);
            holds(contest.ratios().next().flatten(), FASTER)
        });
        println!("10 rounds, {noise:?}: intervals hold the ratio in {:.1} %", 100.0 * covered);
        assert!(covered >= 0.92, "{noise:?}");
        assert!(covered >= 0.93 || !matches!(noise, Noise::Independent), "{noise:?}");
    }
}

#[test]
fn test_and_interval_seldom_disagree() {
    for noise in NOISES {
        let disagree = share(|seed| {
            let contest = Contest::new(noise, &[1.0, 1.03], seed).run(10);
            let ratio = contest.ratios().next().flatten();
            let is_significant = ratio.is_some_and(|ratio| ratio.p_value <= LEVEL);
            is_significant && !has_winner(&contest.findings())
        });
        println!("10 rounds, {noise:?}: test and interval disagree in {:.2} %", 100.0 * disagree);
        assert!(disagree <= 0.002, "{noise:?}");
    }
}

#[test]
fn sets_of_different_times_are_told_apart_where_noise_is_independent() {
    for noise in NOISES {
        let ratio = |faster, seed| {
            let set = |faster, seed| Contest::new(noise, &[faster], seed).run(8).values.remove(0);
            unpaired(&set(1.0, seed), &set(faster, seed + COMPARISONS))
        };
        let finding = |faster, seed| [verdict(ratio(faster, seed), true, 1, LEVEL).finding];
        let winners = share(|seed| has_winner(&finding(1.0, seed)));
        let found = share(|seed| finding(FASTER, seed)[0] == Finding::Better);
        let covered = share(|seed| holds(ratio(FASTER, seed), FASTER));
        println!(
            "8 rounds a side, {noise:?}: winners among equals {:.2} %, 5 % found in {:.2} %, \
             intervals hold the ratio in {:.1} %",
            100.0 * winners,
            100.0 * found,
            100.0 * covered
        );
        if matches!(noise, Noise::Independent | Noise::HeavyTailed) {
            assert!(winners <= 0.02 && found >= 0.9 && covered >= 0.93, "{noise:?}");
        } else {
            // What the documentation warns of. Should this ever fail, the warning can go.
            assert!(winners > 0.05, "{noise:?}");
        }
    }
}

fn holds(found: Option<Paired>, ratio: f64) -> bool {
    let ends = found.and_then(|found| found.low.zip(found.high));
    let (low, high) = ends.expect("there are rounds enough for an interval");
    (low..=high).contains(&ratio)
}
