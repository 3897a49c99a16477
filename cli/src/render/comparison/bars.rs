//! Pictures of one line: bars and sparklines, of blocks or of plain ASCII.

use std::env;

/// For an eighth of the greatest value, and so on.
const SPARKS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
const ASCII_SPARKS: [char; 8] = ['_', '.', ':', '-', '=', '+', '*', '#'];
/// For an eighth of a column of a bar, and so on.
const PARTS: [char; 7] = ['▏', '▎', '▍', '▌', '▋', '▊', '▉'];

/// What pictures are drawn with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ink {
    /// Block elements of Unicode.
    Blocks,
    /// What every terminal has.
    Ascii,
}

impl Ink {
    /// What the locale can show, as the environment names it.
    pub(crate) fn of_locale() -> Self {
        let set = |name| env::var(name).ok();
        Self::of(["LC_ALL", "LC_CTYPE", "LANG"].into_iter().filter_map(set))
    }

    /// The first of these that is not empty decides.
    fn of(mut locales: impl Iterator<Item = String>) -> Self {
        let locale = locales.find(|locale| !locale.is_empty()).unwrap_or_default();
        let locale = locale.to_ascii_lowercase();
        if locale.contains("utf-8") || locale.contains("utf8") { Self::Blocks } else { Self::Ascii }
    }

    /// A bar for `share` of `columns`; nothing for what is no number.
    pub(crate) fn bar(self, share: f64, columns: usize) -> String {
        let eighths = eighths(share, columns);
        let whole = eighths / 8;
        match self {
            Self::Ascii => "#".repeat((eighths + 4) / 8),
            Self::Blocks => {
                let part = (eighths % 8).checked_sub(1).map(|part| PARTS[part]);
                "█".repeat(whole).chars().chain(part).collect()
            }
        }
    }

    /// A column for each of `values`, from 0 to the greatest of them.
    pub(crate) fn sparks(self, values: &[f64]) -> String {
        let greatest = values.iter().copied().fold(f64::MIN_POSITIVE, f64::max);
        let sparks = if self == Self::Blocks { SPARKS } else { ASCII_SPARKS };
        values.iter().map(|value| sparks[eighths(value / greatest, 1).max(1) - 1]).collect()
    }
}

/// Of `columns` columns, rounded; at least one where there is anything.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "between 0 and eight times a few columns"
)]
fn eighths(share: f64, columns: usize) -> usize {
    let most = 8 * columns;
    if share > 0.0 { (share.min(1.0) * most as f64).round().max(1.0) as usize } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_locale_that_is_set_decides() {
        let of = |names: &[&str]| Ink::of(names.iter().map(|name| (*name).to_owned()));
        assert_eq!(of(&["", "en_US.UTF-8", "C"]), Ink::Blocks);
        assert_eq!(of(&["C.utf8"]), Ink::Blocks);
        assert_eq!(of(&["C", "en_US.UTF-8"]), Ink::Ascii);
        assert_eq!(of(&[]), Ink::Ascii);
    }

    #[test]
    fn a_bar_is_as_long_as_its_share() {
        let bars = [0.0, 0.001, 0.25, 0.8, 1.0, 2.0, f64::NAN];
        assert_eq!(
            bars.map(|share| Ink::Blocks.bar(share, 10)),
            ["", "▏", "██▌", "████████", "██████████", "██████████", ""]
        );
        assert_eq!(
            bars.map(|share| Ink::Ascii.bar(share, 4)),
            ["", "", "#", "###", "####", "####", ""]
        );
    }

    #[test]
    fn sparks_go_from_nothing_to_the_greatest() {
        assert_eq!(Ink::Blocks.sparks(&[0.0, 1.0, 4.0, 8.0]), "▁▁▄█");
        assert_eq!(Ink::Ascii.sparks(&[0.0, 1.0, 4.0, 8.0]), "__-#");
        assert_eq!(Ink::Blocks.sparks(&[]), "");
        assert_eq!(Ink::Blocks.sparks(&[0.0]), "▁", "all of them nothing");
    }
}
