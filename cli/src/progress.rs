//! What is shown on stderr while a session runs.

use std::io::{self, IsTerminal};
use std::time::Instant;

use aio_core::session::{Event, Observer};
use indicatif::{HumanBytes, ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::args::{LogTids, Loudness};
use crate::render::size;
use crate::voice::{printable, say};

/// Making the data of so much is worth a word where there is no bar to show it.
const WORTH_A_LINE_BYTES: u64 = 1 << 30;

const PREPARING: &str = "{msg} preparing {prefix} {wide_bar}";
const MOVING: &str = "{msg} loop {prefix} {wide_bar} {percent:>3} %";

/// Shows a bar on a terminal, and log lines of the tasklets that were asked for. Drawn from the
/// session's own thread only, when it is told something: a thread of its own would cost CPU time
/// that the report then charges to the run.
pub(crate) struct Display {
    bar: Option<ProgressBar>,
    shows_bar: bool,
    /// Whether a long preparation is still to be told, in a line.
    tells_preparing: bool,
    heard: Heard,
    loop_bytes: u64,
    prepare_bytes: u64,
    loops: u32,
    /// The engine and its directions.
    message: String,
    rate: Rate,
}

/// Bytes per second since the first that moved. The bar's own figure counts those as if they had
/// come in no time.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Rate(Option<(Instant, u64)>);

impl Rate {
    /// In words, when `bytes` have moved by now; empty at first.
    pub(crate) fn words(&mut self, bytes: u64, now: Instant) -> String {
        let (begin, first) = *self.0.get_or_insert((now, bytes));
        let seconds = now.saturating_duration_since(begin).as_secs_f64();
        if seconds <= 0.0 {
            return String::new();
        }
        #[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
        let rate = bytes.saturating_sub(first) as f64 / seconds;
        format!(", {}/s", HumanBytes(whole(rate)))
    }
}

fn whole(rate: f64) -> u64 {
    #[expect(clippy::cast_possible_truncation, reason = "rates are small")]
    #[expect(clippy::cast_sign_loss, reason = "and not negative")]
    let whole = rate as u64;
    whole
}

impl Display {
    /// A display as loud as asked.
    pub(crate) fn new(loudness: &Loudness) -> Self {
        let is_terminal = io::stderr().is_terminal();
        let shows_bar = !loudness.quiet && is_terminal;
        let tells_preparing = !loudness.quiet && !is_terminal;
        Self {
            bar: None,
            shows_bar,
            tells_preparing,
            heard: Heard::of(loudness),
            loop_bytes: 0,
            prepare_bytes: 0,
            loops: 0,
            message: String::new(),
            rate: Rate::default(),
        }
    }

    fn start(&mut self, message: String) {
        self.message.clone_from(&message);
        self.rate = Rate::default();
        let length = self.loop_bytes.saturating_mul(self.loops.into());
        let bar = ProgressBar::with_draw_target(Some(length), ProgressDrawTarget::stderr());
        let bar = bar.with_style(style(PREPARING)).with_message(message);
        self.bar = Some(bar.with_prefix(size(self.prepare_bytes)));
    }

    fn advance(&mut self, loops_done: u32, bytes: u64) {
        let Some(bar) = &self.bar else { return };
        if bytes == 0 {
            return bar.tick();
        }
        if bar.position() == 0 {
            bar.set_style(style(MOVING));
        }
        let rate = self.rate.words(bytes, Instant::now());
        bar.set_message(format!("{}{rate}", self.message));
        let loop_number = loops_done.saturating_add(1).min(self.loops);
        bar.set_prefix(format!("{loop_number}/{}", self.loops));
        bar.set_position(bytes);
    }

    /// What is said, once, when a lot has to be prepared and no bar shows it.
    fn preparing_line(&mut self) -> Option<String> {
        let is_told = self.tells_preparing && self.prepare_bytes >= WORTH_A_LINE_BYTES;
        self.tells_preparing &= !is_told;
        is_told.then(|| format!("aio: preparing {}", size(self.prepare_bytes)))
    }
}

impl Observer for Display {
    fn event(&mut self, event: Event<'_>) {
        match event {
            Event::Started { engine, directions, loop_bytes, prepare_bytes, loops } => {
                (self.loop_bytes, self.loops) = (loop_bytes, loops);
                self.prepare_bytes = prepare_bytes;
                if self.shows_bar {
                    let directions: Vec<_> = directions.iter().map(ToString::to_string).collect();
                    self.start(printable(&format!("{engine} {}", directions.join("+"))));
                }
                if let Some(line) = self.preparing_line() {
                    say(&line);
                }
            }
            Event::Progress { loops_done, bytes } => self.advance(loops_done, bytes),
            Event::Log { tid, direction, text } if self.heard.tids.includes(tid) => {
                log_line(self.bar.as_ref(), &direction.to_string(), tid, text);
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

/// Which tasklets are heard, and how much of them.
#[derive(Debug)]
pub(crate) struct Heard {
    /// Those whose log lines are shown.
    pub(crate) tids: LogTids,
    /// Whether they list their requests too.
    lists_requests: bool,
}

impl Heard {
    /// As loud as asked.
    pub(crate) fn of(loudness: &Loudness) -> Self {
        let tids = match &loudness.log_tids {
            Some(tids) => tids.clone(),
            None if loudness.verbose > 0 => LogTids::Only(vec![0]),
            None => LogTids::Only(Vec::new()),
        };
        Self { tids, lists_requests: loudness.verbose > 1 }
    }

    /// Whether the requests of tasklet `tid` are shown.
    pub(crate) fn lists_requests_of(&self, tid: u32) -> bool {
        self.lists_requests && self.tids.includes(tid)
    }
}

/// Shows what tasklet `tid` of `whose` says, above the bar where there is one.
pub(crate) fn log_line(bar: Option<&ProgressBar>, whose: &str, tid: u32, text: &str) {
    let line = format!("[{whose} tid {tid}] {}", printable(text));
    match bar {
        Some(bar) => bar.suspend(|| say(&line)),
        None => say(&line),
    }
}

pub(crate) fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).expect("the template is well-formed")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn display(tells_preparing: bool, prepare_bytes: u64) -> Display {
        Display {
            bar: None,
            shows_bar: false,
            tells_preparing,
            heard: Heard::of(&Loudness::default()),
            loop_bytes: 2 << 30,
            prepare_bytes,
            loops: 3,
            message: String::new(),
            rate: Rate::default(),
        }
    }

    #[test]
    fn a_long_preparation_is_told_once_and_a_short_one_not() {
        let mut long = display(true, 2 << 30);
        assert_eq!(long.preparing_line().as_deref(), Some("aio: preparing 2 GiB"));
        assert_eq!(long.preparing_line(), None);
        assert_eq!(display(true, (1 << 30) - 1).preparing_line(), None);
        assert_eq!(display(false, 2 << 30).preparing_line(), None, "quiet, or on a terminal");
    }

    #[test]
    fn the_rate_counts_from_the_first_bytes_on() {
        let mut rate = Rate::default();
        let begin = Instant::now();
        assert_eq!(rate.words(5 << 30, begin), "");
        assert_eq!(rate.words(6 << 30, begin + Duration::from_secs(2)), ", 512.00 MiB/s");
    }

    #[test]
    fn the_bar_says_that_it_prepares_until_something_moves() {
        let mut display = display(false, 2 << 30);
        display.start("uring write".into());
        let prefix = |display: &Display| display.bar.as_ref().unwrap().prefix();
        display.advance(0, 0);
        assert_eq!(prefix(&display), "2 GiB");
        display.advance(1, 5 << 29);
        assert_eq!(prefix(&display), "2/3");
    }
}
