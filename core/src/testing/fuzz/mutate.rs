//! New inputs out of old ones.

use crate::testing::dice::Dice;

/// Numbers at which arithmetic goes wrong.
const NUMBERS: [&str; 20] = [
    "0",
    "1",
    "-1",
    "2",
    "7",
    "99",
    "100",
    "101",
    "255",
    "256",
    "4095",
    "4096",
    "65536",
    "2147483648",
    "4294967295",
    "4294967296",
    "9223372036854775807",
    "9223372036854775808",
    "18446744073709551615",
    "99999999999999999999999999999999999999999",
];
/// Pieces that many readers of text stumble over.
const PIECES: [&str; 30] = [
    "",
    "\0",
    "\n",
    "\r\n",
    "\t",
    " ",
    "\"",
    "'",
    "\\",
    "/",
    ":",
    ",",
    ".",
    "=",
    "-",
    "+",
    "%",
    "[",
    "]",
    "{",
    "}",
    "1e999",
    "nan",
    "é",
    "\u{202e}",
    "\u{1b}[31m",
    "\u{feff}",
    "..",
    "0x",
    "\u{301}",
];

/// What mutations are made of.
pub(super) struct Mutator<'a> {
    /// What the language of the target knows.
    pub(super) words: &'a [&'a str],
    /// The longest input.
    pub(super) length_max: usize,
}

impl Mutator<'_> {
    /// One of `pool` with some changes, mostly few.
    pub(super) fn mutated(&self, pool: &[Vec<u8>], dice: &mut Dice) -> Vec<u8> {
        let pick = |dice: &mut Dice| {
            let count = u32::try_from(pool.len()).expect("a pool is small");
            if count == 0 { Vec::new() } else { pool[dice.below(count) as usize].clone() }
        };
        let mut input = pick(dice);
        for _ in 0..dice.size(8) {
            let other = if dice.one_in(8) { Some(pick(dice)) } else { None };
            match other {
                Some(other) => splice(&mut input, &other, dice),
                None => self.change(&mut input, dice),
            }
            input.truncate(self.length_max);
        }
        input
    }

    fn change(&self, input: &mut Vec<u8>, dice: &mut Dice) {
        match dice.below(10) {
            0 => {
                let at = place(input, dice);
                if let Some(byte) = input.get_mut(at) {
                    *byte ^= 1 << dice.below(8);
                }
            }
            1 => {
                let byte = u8::try_from(dice.below(256)).expect("a byte");
                insert(input, &[byte], dice);
            }
            2 => {
                drop(input.drain(range(input, dice)));
            }
            3 => {
                let piece = input[range(input, dice)].to_vec();
                insert(input, &piece, dice);
            }
            4 => self.repeat(input, dice),
            5 => insert(input, dice.pick(&NUMBERS).as_bytes(), dice),
            6 => insert(input, dice.pick(&PIECES).as_bytes(), dice),
            7 => replace_number(input, dice),
            _ if self.words.is_empty() => input.truncate(place(input, dice)),
            8 => insert(input, dice.pick(self.words).as_bytes(), dice),
            _ => {
                let word = dice.pick(self.words);
                let range = word_around(input, place(input, dice));
                input.splice(range, word.bytes());
            }
        }
    }

    /// A piece many times: what is deep or long.
    fn repeat(&self, input: &mut Vec<u8>, dice: &mut Dice) {
        let piece = match dice.below(3) {
            0 => input[range(input, dice)].to_vec(),
            1 if !self.words.is_empty() => dice.pick(self.words).as_bytes().to_vec(),
            _ => dice.pick(&PIECES).as_bytes().to_vec(),
        };
        let most = self.length_max / piece.len().max(1);
        let times = dice.size(u32::try_from(most.clamp(1, 5000)).expect("5000 at most"));
        insert(input, &piece.repeat(times as usize), dice);
    }
}

/// A place in the input, or its end.
fn place(input: &[u8], dice: &mut Dice) -> usize {
    dice.below(u32::try_from(input.len() + 1).expect("inputs are short")) as usize
}

/// A range of the input, mostly short.
fn range(input: &[u8], dice: &mut Dice) -> std::ops::Range<usize> {
    let start = place(input, dice);
    let most = u32::try_from(input.len() - start).expect("inputs are short");
    if most == 0 {
        return start..start;
    }
    start..start + dice.size(most) as usize
}

fn insert(input: &mut Vec<u8>, piece: &[u8], dice: &mut Dice) {
    let at = place(input, dice);
    input.splice(at..at, piece.iter().copied());
}

/// The front of one input and the back of another.
fn splice(input: &mut Vec<u8>, other: &[u8], dice: &mut Dice) {
    input.truncate(place(input, dice));
    input.extend_from_slice(&other[place(other, dice)..]);
}

/// Another number in place of one that is there.
fn replace_number(input: &mut Vec<u8>, dice: &mut Dice) {
    let from = place(input, dice);
    let Some(start) = input[from..].iter().position(u8::is_ascii_digit) else { return };
    let start = from + start;
    let end = input[start..].iter().position(|byte| !byte.is_ascii_digit());
    let end = end.map_or(input.len(), |length| start + length);
    input.splice(start..end, dice.pick(&NUMBERS).bytes());
}

/// The word, or whatever else, at `at`.
fn word_around(input: &[u8], at: usize) -> std::ops::Range<usize> {
    let is_word = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    let front = input[..at].iter().rev().take_while(|byte| is_word(byte)).count();
    let back = input[at..].iter().take_while(|byte| is_word(byte)).count();
    at - front..at + back
}
