//! Parsers under inputs that nobody meant: seeded, mutated, and shrunk when one is too much.
//!
//! A target is a function that returns for every input; that it does not panic, and does not take
//! for ever, is what is tried here. What it returns says which way the input took. An input that
//! took a new one is kept and mutated further, which leads deeper than chance alone, and needs no
//! compiler of its own.
//!
//! An ordinary test run tries some thousand inputs, the same ones each time; with
//! `AIO_FUZZ_CASES` fewer, for instruments that are slow. `AIO_FUZZ_SECONDS` has each target run
//! for so long, from a new seed or from `AIO_FUZZ_SEED`; `ci/fuzz.sh` does so.

mod mutate;
mod shrink;

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use std::{process, thread};

use mutate::Mutator;

use super::dice::Dice;
use super::{aloud, variable};

/// Inputs of an ordinary test run.
const CASES: u64 = 3000;
/// The seed of an ordinary test run.
const SEED: u64 = 1;
/// The longest input that is made, in bytes, unless the corpus has longer ones.
const LENGTH_MAX: usize = 16 << 10;
/// Inputs that are kept because of the way that they took.
const POOL_MAX: usize = 4096;
/// No input takes as long, however slow the machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// Has `target` read mutations of `corpus`, into which `words` are put, which its language knows.
/// What it returns is the way that the input took, most often what a refusal says; numbers and what
/// stands between quotes are no ways of their own.
///
/// # Panics
/// When the target does, with the seed and the shortest such input that was found.
pub fn fuzz(name: &str, corpus: &[&[u8]], words: &[&str], mut target: impl FnMut(&[u8]) -> String) {
    let seconds: Option<f64> = variable("AIO_FUZZ_SECONDS");
    let seed = variable("AIO_FUZZ_SEED").unwrap_or_else(|| seed(seconds.is_some()));
    let end = seconds.map(|seconds| Instant::now() + Duration::from_secs_f64(seconds));
    let most = variable("AIO_FUZZ_CASES").unwrap_or(CASES);
    let goes_on = |cases| end.map_or(cases < most, |end| Instant::now() < end);
    let mut pool: Vec<Vec<u8>> = corpus.iter().map(|input| input.to_vec()).collect();
    let longest = pool.iter().map(Vec::len).max().unwrap_or_default();
    let mutator = Mutator { words, length_max: LENGTH_MAX.max(2 * longest) };
    let mut ways = BTreeSet::new();
    let mut dice = Dice::new(seed);
    let watch = Watch::begin(name, seed);
    let mut cases = 0;
    while goes_on(cases) {
        // First the corpus as it is.
        let at = usize::try_from(cases).unwrap_or(usize::MAX);
        let input = match corpus.get(at) {
            Some(input) => input.to_vec(),
            None => mutator.mutated(&pool, &mut dice),
        };
        cases += 1;
        watch.now(&input);
        let Ok(way) = catch_unwind(AssertUnwindSafe(|| target(&input))) else {
            let fails = |input: &[u8]| {
                watch.now(input);
                catch_unwind(AssertUnwindSafe(|| target(input))).is_err()
            };
            let shortest = shrink::shrunk(input, fails);
            panic!("{name}: case {cases} of AIO_FUZZ_SEED={seed} panics; {}", shown(&shortest));
        };
        if ways.insert(skeleton(&way)) && pool.len() < POOL_MAX {
            pool.push(input);
        }
    }
    println!("{name}: {cases} inputs from AIO_FUZZ_SEED={seed}, {} ways", ways.len());
}

/// [`fuzz()`] for a target that reads text: bytes that are none are replaced.
///
/// # Panics
/// As [`fuzz()`].
pub fn fuzz_text(
    name: &str,
    corpus: &[&str],
    words: &[&str],
    mut target: impl FnMut(&str) -> String,
) {
    let corpus: Vec<&[u8]> = corpus.iter().map(|text| text.as_bytes()).collect();
    fuzz(name, &corpus, words, |input| target(&String::from_utf8_lossy(input)));
}

/// Asserts that `sentence` can be printed as one line of a message.
///
/// # Panics
/// When it is empty or has several lines.
pub fn one_sentence(sentence: &str) {
    assert!(!sentence.trim().is_empty(), "a refusal says something");
    assert!(!sentence.contains('\n'), "a refusal is one line: {sentence:?}");
}

#[expect(clippy::disallowed_methods, reason = "a seed that differs from run to run")]
fn seed(is_new: bool) -> u64 {
    let clock = || SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |now| now.as_secs());
    if is_new { clock() << 16 | u64::from(process::id() & 0xffff) } else { SEED }
}

/// The way without what differs from input to input.
fn skeleton(way: &str) -> String {
    let mut is_quoted = false;
    let keep = |c: &char| {
        let is_quote = matches!(c, '"' | '\'' | '`');
        is_quoted ^= is_quote;
        !is_quoted && !is_quote && !c.is_ascii_digit()
    };
    way.chars().take(4096).filter(keep).collect()
}

/// An input as Rust writes it.
fn shown(input: &[u8]) -> String {
    let text = match std::str::from_utf8(input) {
        Ok(text) => format!("{text:?}"),
        Err(_) => format!("b\"{}\"", input.escape_ascii()),
    };
    format!("the input, of {} bytes, is\n{text}", input.len())
}

/// Ends the process when one input takes too long, which no test could do by itself.
struct Watch(Arc<Mutex<Tried>>);

/// An input, and since when it is read; `None` at the end.
type Tried = Option<(Instant, Vec<u8>)>;

impl Watch {
    fn begin(name: &str, seed: u64) -> Self {
        let now = Arc::new(Mutex::new(Some((Instant::now(), Vec::new()))));
        let current = Arc::clone(&now);
        let name = name.to_owned();
        thread::spawn(move || {
            loop {
                thread::sleep(Duration::from_millis(100));
                let tried = current.lock().unwrap_or_else(PoisonError::into_inner);
                match &*tried {
                    None => return,
                    Some((since, input)) if since.elapsed() > PATIENCE => {
                        let input = shown(input);
                        let what = "has met one that does not end";
                        aloud(&format!("{name}: AIO_FUZZ_SEED={seed} {what}; {input}"));
                        process::abort();
                    }
                    Some(_) => {}
                }
            }
        });
        Self(now)
    }

    fn now(&self, input: &[u8]) {
        let now = Some((Instant::now(), input.to_vec()));
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = now;
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bug_behind_three_conditions_is_found_and_shrunk() {
        let target = |text: &str| match text.split_once('=') {
            None => "no sign".into(),
            Some((key, _)) if key != "depth" => "another key".into(),
            Some((_, value)) => match value.parse::<u64>() {
                Err(_) => "no number".into(),
                Ok(number) => {
                    assert!(number < 1 << 40, "a bug");
                    String::new()
                }
            },
        };
        let found = catch_unwind(|| fuzz_text("buggy", &["a", "b=2"], &["depth"], target));
        let said = *found.unwrap_err().downcast::<String>().unwrap();
        assert!(said.starts_with("buggy: case ") && said.contains("AIO_FUZZ_SEED=1"), "{said}");
        let input = said.lines().last().unwrap();
        assert!(input.starts_with("\"depth=") && input.len() < 32, "{said}");
    }

    #[test]
    fn what_differs_from_input_to_input_is_no_way_of_its_own() {
        assert_eq!(
            skeleton("x.toml:12: unknown key \"a\" of 7"),
            skeleton("x.toml:3: unknown key \"bc\" of 99")
        );
        assert_ne!(skeleton("unknown key"), skeleton("unknown value"));
    }

    #[test]
    fn the_same_seed_makes_the_same_inputs() {
        let inputs = || {
            let mut all = Vec::new();
            fuzz("nothing", &[b"ab"], &["cd"], |input| {
                all.push(input.to_vec());
                String::new()
            });
            all
        };
        assert!(inputs() == inputs());
    }
}
