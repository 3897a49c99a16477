//! What is shown while contestants take turns.

use std::time::Duration;

use aio_core::session::{Event, Observer};

use crate::args::Loudness;
use crate::progress::Display;

/// Shows who is at it.
pub(super) struct Live {
    display: Display,
}

impl Live {
    /// A display as loud as asked, of contestants with `names`.
    pub(super) fn new(loudness: &Loudness, _names: Vec<String>, _rounds: u32) -> Self {
        Self { display: Display::new(loudness) }
    }

    /// Round `index` of `planned` begins; practice has no number.
    pub(super) fn round(&mut self, _index: Option<u32>, _planned: u32) {}

    /// It is the turn of this contestant.
    pub(super) fn turn(&mut self, _contestant: usize) {}

    /// That contestant had this rate.
    pub(super) fn finished(&mut self, _contestant: usize, _rate: &str) {}

    /// The round is over, and this is how they stand.
    pub(super) fn standing(&mut self, _line: &str) {}

    /// This is how long the rest will take.
    pub(super) fn left(&mut self, _time: Duration) {}
}

impl Observer for Live {
    fn event(&mut self, event: Event<'_>) {
        self.display.event(event);
    }
}
