//! What is shown on stderr while a session runs.

use std::io::{self, IsTerminal};

use aio_core::session::{Event, Observer};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::args::{LogTids, Loudness};
use crate::voice::{printable, say};

/// Shows a bar on a terminal, and log lines of the tasklets that were asked for. Drawn from the
/// session's own thread only, when it is told something: a thread of its own would cost CPU time
/// that the report then charges to the run.
pub(crate) struct Display {
    bar: Option<ProgressBar>,
    shows_bar: bool,
    tids: LogTids,
    loop_bytes: u64,
    loops: u32,
}

impl Display {
    /// A display as loud as asked.
    pub(crate) fn new(loudness: &Loudness) -> Self {
        let tids = match &loudness.log_tids {
            Some(tids) => tids.clone(),
            None if loudness.verbose => LogTids::Only(vec![0]),
            None => LogTids::Only(Vec::new()),
        };
        let shows_bar = !loudness.quiet && io::stderr().is_terminal();
        Self { bar: None, shows_bar, tids, loop_bytes: 0, loops: 0 }
    }

    fn start(&mut self, message: String) {
        let template = "{msg} loop {prefix} {wide_bar} {percent:>3} % {binary_bytes_per_sec}";
        let style = ProgressStyle::with_template(template).expect("the template is well-formed");
        let length = self.loop_bytes.saturating_mul(self.loops.into());
        let bar = ProgressBar::with_draw_target(Some(length), ProgressDrawTarget::stderr());
        self.bar = Some(bar.with_style(style).with_message(message));
    }

    fn print(&self, line: &str) {
        match &self.bar {
            Some(bar) => bar.suspend(|| say(line)),
            None => say(line),
        }
    }
}

impl Observer for Display {
    fn event(&mut self, event: Event<'_>) {
        match event {
            Event::Started { engine, directions, loop_bytes, loops } => {
                (self.loop_bytes, self.loops) = (loop_bytes, loops);
                if self.shows_bar {
                    let directions: Vec<_> = directions.iter().map(ToString::to_string).collect();
                    self.start(printable(&format!("{engine} {}", directions.join("+"))));
                }
            }
            Event::Progress { loops_done, bytes } => {
                if let Some(bar) = &self.bar {
                    let loop_number = loops_done.saturating_add(1).min(self.loops);
                    bar.set_prefix(format!("{loop_number}/{}", self.loops));
                    bar.set_position(bytes);
                }
            }
            Event::Log { tid, direction, text } if self.tids.includes(tid) => {
                self.print(&format!("[{direction} tid {tid}] {}", printable(text)));
            }
            Event::Ended => {
                if let Some(bar) = self.bar.take() {
                    bar.finish_and_clear();
                }
            }
            _ => {}
        }
    }
}
