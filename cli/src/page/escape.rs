//! Text from files and paths, made safe to stand in a page. Nothing else may put it there.

use crate::voice::printable;

/// `text` with whatever could not be seen, or would turn the writing around, made visible.
pub(super) fn visible(text: &str) -> String {
    printable(text)
}

/// `text` as it stands between the tags of HTML and SVG, or in an attribute between quotes.
pub(super) fn html(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in visible(text).chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            // What XML has no place for.
            '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

/// `text` as it stands in a line of Markdown or in a cell of a table.
pub(super) fn markdown(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let text: Vec<char> = visible(text).chars().collect();
    let is_word = |place: Option<usize>| {
        place.and_then(|place| text.get(place)).is_some_and(|c| c.is_alphanumeric())
    };
    for (place, &c) in text.iter().enumerate() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            // Within a word it means nothing, as in O_DIRECT.
            '_' if is_word(place.checked_sub(1)) && is_word(Some(place + 1)) => out.push(c),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '#' | '~' | '!' => {
                out.push('\\');
                out.push(c);
            }
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVIL: &str = "<script>alert(1)</script>\" onload='x' & a|b `c` [l](javascript:x)\u{1b}[31m\r\n\u{202e}\u{61c}\0";

    #[test]
    fn no_text_ends_a_tag_or_an_attribute_or_hides() {
        assert_eq!(
            html(EVIL),
            "&lt;script&gt;alert(1)&lt;/script&gt;&quot; onload=&#39;x&#39; &amp; a|b `c` \
             [l](javascript:x)\\u{1b}[31m\\r\\n\\u{202e}\\u{61c}\\u{0}"
        );
    }

    #[test]
    fn no_text_ends_a_cell_or_a_line_of_markdown_or_is_a_tag_or_a_link_in_it() {
        assert_eq!(
            markdown(EVIL),
            "&lt;script&gt;alert(1)&lt;/script&gt;\" onload='x' &amp; a\\|b \\`c\\` \
             \\[l\\](javascript:x)\\\\u{1b}\\[31m\\\\r\\\\n\\\\u{202e}\\\\u{61c}\\\\u{0}"
        );
    }

    #[test]
    fn what_is_plain_stays_as_it_is() {
        let text = "uring:sqpoll=1, 4 KiB – ±3 %, /data/é.0, O_DIRECT";
        assert_eq!(html(text), text);
        assert_eq!(markdown(text), text);
    }
}
