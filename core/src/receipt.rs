//! What was asked, what was granted, and why not.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One line of a receipt: an option that was asked for and what became of it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct Receipt {
    /// The option, in the words of the command line: `defer-taskrun`, `memory`, `block-size`.
    pub option: String,
    /// What was asked, by the user or by default.
    pub asked: String,
    /// What is in force.
    pub granted: String,
    /// Why the two differ; absent when they do not.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub why_not: Option<String>,
}

impl Receipt {
    /// What was asked is in force.
    #[must_use]
    pub fn granted(option: &str, value: &str) -> Self {
        Self { option: option.into(), asked: value.into(), granted: value.into(), why_not: None }
    }

    /// Something else than what was asked is in force.
    #[must_use]
    pub fn downgraded(option: &str, asked: &str, granted: &str, why_not: &str) -> Self {
        Self {
            option: option.into(),
            asked: asked.into(),
            granted: granted.into(),
            why_not: Some(why_not.into()),
        }
    }

    /// Whether something else than what was asked is in force.
    #[must_use]
    pub fn is_downgrade(&self) -> bool {
        self.why_not.is_some()
    }
}

/// Adds `more` to `receipts`, leaving out lines that are there already: lanes mostly agree.
pub fn merge(receipts: &mut Vec<Receipt>, more: impl IntoIterator<Item = Receipt>) {
    for receipt in more {
        if !receipts.contains(&receipt) {
            receipts.push(receipt);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_lines_of_several_lanes_are_kept_once_and_different_ones_both() {
        let mut receipts = vec![Receipt::granted("memory", "thp")];
        let other = Receipt::downgraded("memory", "thp", "4k", "no");
        merge(&mut receipts, [Receipt::granted("memory", "thp"), other.clone()]);
        assert_eq!(receipts, [Receipt::granted("memory", "thp"), other]);
    }
}
