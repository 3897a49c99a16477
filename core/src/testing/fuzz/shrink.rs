//! The shortest input that still fails.

/// Attempts in all; what fails slowly stays longer than it might.
const ATTEMPTS_MAX: usize = 2000;

/// `input`, which fails, without as much of it as can be left out.
pub(super) fn shrunk(mut input: Vec<u8>, mut fails: impl FnMut(&[u8]) -> bool) -> Vec<u8> {
    let mut attempts = 0;
    let mut piece = input.len().max(1);
    while piece > 0 && attempts < ATTEMPTS_MAX {
        let mut at = 0;
        let mut has_shrunk = false;
        while at < input.len() && attempts < ATTEMPTS_MAX {
            let end = (at + piece).min(input.len());
            let shorter = [&input[..at], &input[end..]].concat();
            attempts += 1;
            if fails(&shorter) {
                (input, has_shrunk) = (shorter, true);
            } else {
                at = end;
            }
        }
        // Another round with pieces of this length only where they are of use.
        if !has_shrunk {
            piece /= 2;
        }
    }
    input
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_matter_is_left_out() {
        let has_both = |input: &[u8]| input.contains(&b'a') && input.contains(&b'z');
        let mut shortest = shrunk(b"xxaxxxxxxxxxyyyyyyyyyyyyyzxx".repeat(40), has_both);
        shortest.sort_unstable();
        assert_eq!(shortest, b"az");
        assert_eq!(shrunk(b"anything".to_vec(), |_| true), b"");
    }
}
