//! The one list of aio's backends, and the choice of one at run time.
//!
//! To add a backend: a folder beside the others, a line in the workspace's and in this crate's
//! `Cargo.toml`, and here a variant of [`AnyBackend`] with its
//! name in [`NAMES`] and its arm in [`parse`]. Dispatch happens
//! once per run: behind [`RunPlan::run`] everything is monomorphised.
#![forbid(unsafe_code)]

mod any;
mod choose;
mod listing;
mod spec;

pub use any::{AnyBackend, RunPlan};
pub use choose::{Choice, Chosen, NoneUsable, choose};
pub use listing::{Here, Listed, ListedOption, list};
pub use spec::{NAMES, SpecError, aliases, all, parse};
