//! Sentences that hold for several, said once.

/// More names than this are counted.
const NAMES_MAX: usize = 3;

/// Pairs of a name and a sentence, as each sentence with its names: `uring, sync: …`, or without
/// them when it holds for all of `of`.
pub(super) fn grouped(said: impl IntoIterator<Item = (String, String)>, of: usize) -> Vec<String> {
    let mut sentences: Vec<(String, Vec<String>)> = Vec::new();
    for (name, sentence) in said {
        match sentences.iter_mut().find(|(known, _)| *known == sentence) {
            Some((_, names)) if !names.contains(&name) => names.push(name),
            Some(_) => {}
            None => sentences.push((sentence, vec![name])),
        }
    }
    let line = |(sentence, names): (String, Vec<String>)| {
        if names.len() == of {
            return sentence;
        }
        let shown = names.iter().take(NAMES_MAX).cloned().collect::<Vec<_>>().join(", ");
        match names.len().saturating_sub(NAMES_MAX) {
            0 => format!("{shown}: {sentence}"),
            more => format!("{shown} and {more} more: {sentence}"),
        }
    };
    sentences.into_iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_is_said_once_with_the_names_of_those_that_it_holds_for() {
        let said = |names: &[&str]| -> Vec<(String, String)> {
            names.iter().map(|name| ((*name).into(), "it is so".into())).collect()
        };
        assert_eq!(grouped(said(&["a", "b", "a"]), 2), ["it is so"]);
        assert_eq!(grouped(said(&["a", "b"]), 3), ["a, b: it is so"]);
        assert_eq!(grouped(said(&["a", "b", "c", "d", "e"]), 9), ["a, b, c and 2 more: it is so"]);
    }
}
