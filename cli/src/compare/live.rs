//! What is shown on stderr while contestants take turns.
//!
//! On a terminal, two lines that are drawn over: who is at it, and how they stand. Elsewhere, a
//! line per round. Drawn from the session's own thread only, as [`crate::progress`] is.

use std::io::{self, IsTerminal};
use std::time::{Duration, Instant};

use aio_core::session::{Event, Observer};
use indicatif::{ProgressBar, ProgressDrawTarget};

use crate::args::Loudness;
use crate::progress::{Heard, Rate, log_line, style};
use crate::render::comparison::words;
use crate::voice::{printable, say};

const PREPARING: &str = "{msg} preparing {wide_bar}\n{prefix}";
const MOVING: &str = "{msg} {wide_bar}\n{prefix}";
/// The most rates of single contestants in one line.
const RATES_MAX: usize = 6;

/// How much is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shown {
    Bar,
    Lines,
    Nothing,
}

/// Shows who is at it, and how contestants stand.
pub(super) struct Live {
    shown: Shown,
    heard: Heard,
    names: Vec<String>,
    bar: Option<ProgressBar>,
    /// `round 3 of 12`, or that it is for practice.
    round: String,
    /// The one whose turn it is.
    turn: usize,
    /// The rates of the round, in the order in which they came.
    rates: Vec<(usize, String)>,
    standing: String,
    left: Option<Duration>,
    rate: Rate,
}

impl Live {
    /// A display as loud as asked, of contestants with `names`.
    pub(super) fn new(loudness: &Loudness, names: &[String]) -> Self {
        let shown = match (loudness.quiet, io::stderr().is_terminal()) {
            (true, _) => Shown::Nothing,
            (false, true) => Shown::Bar,
            (false, false) => Shown::Lines,
        };
        Self {
            shown,
            heard: Heard::of(loudness),
            names: names.iter().map(|name| printable(name)).collect(),
            bar: None,
            round: String::new(),
            turn: 0,
            rates: Vec::new(),
            standing: String::new(),
            left: None,
            rate: Rate::default(),
        }
    }

    /// Round `index` of `planned` begins; practice has no number.
    pub(super) fn round(&mut self, index: Option<u32>, planned: u32) {
        self.tell_round();
        self.round = match index {
            // Rounds that are added come after those that were planned.
            Some(index) => format!("round {} of {}", index + 1, planned.max(index + 1)),
            None => "practice round".into(),
        };
    }

    /// It is the turn of this contestant.
    pub(super) fn turn(&mut self, contestant: usize) {
        self.turn = contestant;
    }

    /// That contestant had this rate.
    pub(super) fn finished(&mut self, contestant: usize, rate: &str) {
        self.rates.push((contestant, rate.into()));
    }

    /// The round is over, and this is how they stand.
    pub(super) fn standing(&mut self, line: &str) {
        self.standing = printable(line);
        self.tell_round();
    }

    /// This is how long the rest will take.
    pub(super) fn left(&mut self, time: Duration) {
        self.left = Some(time);
    }

    /// Says what the round that is over came to, where no bar is.
    fn tell_round(&mut self) {
        let line = self.round_line();
        self.rates.clear();
        if let (Shown::Lines, Some(line)) = (self.shown, line) {
            say(&line);
        }
    }

    /// `aio: round 3 of 12: uring 101 k IOPS, sync 80.2 k IOPS; sync 0.79 of uring; 40 s left`.
    fn round_line(&self) -> Option<String> {
        let name = |contestant: usize| self.names.get(contestant).map_or("", String::as_str);
        let mut in_order: Vec<_> = self.rates.iter().collect();
        in_order.sort_by_key(|(contestant, _)| *contestant);
        let rates: Vec<String> = match in_order.len() {
            0 => return None,
            many if many > RATES_MAX => vec![format!("all {many} contestants have run")],
            _ => in_order.iter().map(|(one, rate)| format!("{} {rate}", name(*one))).collect(),
        };
        let parts = [rates.join(", ")].into_iter().chain(self.rest());
        Some(format!("aio: {}: {}", self.round, parts.collect::<Vec<_>>().join("; ")))
    }

    /// How they stand, and how long it will take.
    fn rest(&self) -> impl Iterator<Item = String> + '_ {
        let few = self.names.len() <= RATES_MAX;
        let standing = (few && !self.standing.is_empty()).then(|| self.standing.clone());
        let left = self.left.filter(|left| *left >= Duration::from_secs(1));
        standing
            .into_iter()
            .chain(left.map(|left| format!("{} left", words::time(left.as_secs_f64().round()))))
    }

    fn start(&mut self, target: ProgressDrawTarget, length: u64) {
        self.rate = Rate::default();
        let bar = ProgressBar::with_draw_target(Some(length), target);
        let bar = bar.with_style(style(PREPARING)).with_message(self.whose());
        self.bar = Some(bar.with_prefix(self.rest().collect::<Vec<_>>().join("; ")));
    }

    /// The round, and who is at it.
    fn whose(&self) -> String {
        let name = self.names.get(self.turn).map_or("", String::as_str);
        format!("{}: {name}", self.round)
    }

    fn advance(&mut self, bytes: u64) {
        let Some(bar) = &self.bar else { return };
        if bytes == 0 {
            return bar.tick();
        }
        if bar.position() == 0 {
            bar.set_style(style(MOVING));
        }
        let rate = self.rate.words(bytes, Instant::now());
        bar.set_message(format!("{}{rate}", self.whose()));
        bar.set_position(bytes);
    }
}

impl Observer for Live {
    fn event(&mut self, event: Event<'_>) {
        match event {
            Event::Started { loop_bytes, loops, .. } if self.shown == Shown::Bar => {
                let length = loop_bytes.saturating_mul(loops.into());
                self.start(ProgressDrawTarget::stderr(), length);
            }
            Event::Progress { bytes, .. } => self.advance(bytes),
            Event::Log { tid, direction, text } if self.heard.tids.includes(tid) => {
                let name = self.names.get(self.turn).map_or("", String::as_str);
                log_line(self.bar.as_ref(), &format!("{name} {direction}"), tid, text);
            }
            Event::Ended => {
                if let Some(bar) = self.bar.take() {
                    bar.finish_and_clear();
                }
            }
            _ => {}
        }
    }

    fn lists_requests_of(&self, tid: u32) -> bool {
        self.heard.lists_requests_of(tid)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn live(names: &[&str]) -> Live {
        Live {
            shown: Shown::Nothing,
            heard: Heard::of(&Loudness::default()),
            names: names.iter().map(|name| (*name).to_owned()).collect(),
            bar: None,
            round: String::new(),
            turn: 0,
            rates: Vec::new(),
            standing: String::new(),
            left: None,
            rate: Rate::default(),
        }
    }

    #[test]
    fn a_line_tells_a_round_in_the_order_of_contestants() {
        let mut live = live(&["uring", "sync"]);
        live.round(Some(2), 12);
        assert_eq!(live.round_line(), None, "nobody has run");
        live.finished(1, "80.20 k IOPS");
        live.finished(0, "101.0 k IOPS");
        live.left(Duration::from_millis(40_400));
        live.standing = "sync 0.79 of uring".into();
        insta::assert_snapshot!(live.round_line().unwrap(), @"aio: round 3 of 12: uring 101.0 k IOPS, sync 80.20 k IOPS; sync 0.79 of uring; 40 s left");
        live.standing("sync 0.79 of uring");
        assert_eq!(live.round_line(), None, "it was told");
    }

    #[test]
    fn practice_is_named_so_and_rounds_that_are_added_are_counted() {
        let mut live = live(&["uring", "sync"]);
        live.round(None, 12);
        live.finished(0, "1.000 k IOPS");
        assert_eq!(live.round_line().unwrap(), "aio: practice round: uring 1.000 k IOPS");
        live.round(Some(12), 12);
        assert_eq!(live.round, "round 13 of 13");
    }

    #[test]
    fn a_round_of_many_contestants_is_told_in_short() {
        let mut live = live(&["a", "b", "c", "d", "e", "f", "g"]);
        live.round(Some(0), 10);
        (0..7).for_each(|contestant| live.finished(contestant, "1"));
        live.left(Duration::from_secs(3900));
        live.standing = "b 0.5 of a".repeat(9);
        let said = live.round_line().unwrap();
        assert_eq!(said, "aio: round 1 of 10: all 7 contestants have run; 1 h 5 min left");
    }

    #[test]
    fn the_bar_names_the_round_the_contestant_and_how_they_stand() {
        let mut live = live(&["uring", "sync"]);
        live.round(Some(0), 12);
        live.turn(1);
        live.standing = "sync 0.79 of uring".into();
        live.left(Duration::from_secs(200));
        live.start(ProgressDrawTarget::hidden(), 100);
        let bar = live.bar.clone().unwrap();
        assert_eq!(bar.message(), "round 1 of 12: sync");
        assert_eq!(bar.prefix(), "sync 0.79 of uring; 3 min 20 s left");
        live.advance(50);
        assert_eq!(bar.position(), 50);
    }
}
