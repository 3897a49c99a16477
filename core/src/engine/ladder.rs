//! Steps from the plainest engine of a backend to its most elaborate one.

/// One step: what the engine is asked for by now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LadderStep {
    /// What is new in it: `+files`; `plain` for the first.
    pub name: &'static str,
    /// The options behind the backend's name, all of them.
    pub options: &'static str,
    /// Whether as many requests go in per call as there is room for; else one does.
    pub is_batched: bool,
    /// What takes the place of this step where the kernel does not grant it.
    pub otherwise: Option<&'static LadderStep>,
}

impl LadderStep {
    /// A step that has nothing to take its place.
    #[must_use]
    pub const fn new(name: &'static str, options: &'static str, is_batched: bool) -> Self {
        Self { name, options, is_batched, otherwise: None }
    }
}
