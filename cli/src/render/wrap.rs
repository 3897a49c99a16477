//! Lines that are not wider than a page.

/// Columns of a page.
pub(super) const PAGE_COLUMNS: usize = 100;

/// `line` broken at spaces, later lines indented by two more than the first. A word that is wider
/// than the page is cut.
pub(crate) fn wrapped(line: &str) -> Vec<String> {
    let text = line.trim_start_matches(' ');
    let first_indent = line.len() - text.len();
    let indent = first_indent + 2;
    let mut lines = Vec::new();
    let mut current = vec![' '; first_indent];
    let mut at_start = true;
    for word in text.split(' ') {
        let mut word: Vec<char> = word.chars().collect();
        if !at_start && current.len() + 1 + word.len() > PAGE_COLUMNS {
            lines.push(std::mem::replace(&mut current, vec![' '; indent]));
        } else if !at_start {
            current.push(' ');
        }
        while current.len() + word.len() > PAGE_COLUMNS {
            let rest = word.split_off(PAGE_COLUMNS - current.len());
            current.extend(word);
            lines.push(std::mem::replace(&mut current, vec![' '; indent]));
            word = rest;
        }
        current.extend(word);
        at_start = false;
    }
    lines.push(current);
    lines.into_iter().map(String::from_iter).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_wider_than_the_page_and_no_character_is_lost() {
        for length in [1, 7, 97, 98, 99, 100, 101, 102, 250] {
            let word = "w".repeat(length);
            let line = format!("a: {word} b {word} {word}");
            let lines = wrapped(&line);
            assert!(lines.iter().all(|line| line.chars().count() <= PAGE_COLUMNS), "{lines:#?}");
            let bare = |text: &str| text.replace(' ', "");
            assert_eq!(bare(&lines.concat()), bare(&line));
        }
    }

    #[test]
    fn a_short_line_stays_as_it_is() {
        assert_eq!(wrapped("plan: a  b"), ["plan: a  b"]);
        assert_eq!(wrapped("  a b"), ["  a b"]);
        assert_eq!(wrapped(""), [""]);
    }
}
