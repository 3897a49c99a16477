//! The order in which contestants take turns: a Williams design (Australian Journal of Scientific
//! Research 2, 1949, pages 149 to 168).
//!
//! The first round goes up and down in turn: 0, 1, n-1, 2, n-2, and so on, so that its steps from
//! one contestant to the next are all different. Each further round adds 1 to all of them. After n
//! rounds each has had each place once, so that nobody gains from a device that slows down at a
//! steady pace. For an even n each then followed each other one once, too; for an odd n that takes
//! n more rounds, which are the first ones backwards.

/// Which contestant has which place in round `round`: over [`rounds_per_cycle`] rounds, each is in
/// each place equally often; over as many rounds (an even number of contestants) or twice as many
/// (an odd one), each follows each other one equally often.
#[must_use]
pub fn order(contestants: usize, round: u32) -> Vec<usize> {
    let per_cycle = rounds_per_cycle(contestants);
    let shift = (round % per_cycle) as usize;
    let is_backwards = contestants % 2 == 1 && (round / per_cycle) % 2 == 1;
    let mut places: Vec<usize> = (0..contestants)
        .map(|place| (first_round(contestants, place) + shift) % contestants)
        .collect();
    if is_backwards {
        places.reverse();
    }
    places
}

/// Who has `place` in the first round.
fn first_round(contestants: usize, place: usize) -> usize {
    match place {
        0 => 0,
        _ if place % 2 == 1 => place.div_ceil(2),
        _ => contestants - place / 2,
    }
}

/// The rounds after which each contestant was in each place equally often.
#[must_use]
pub fn rounds_per_cycle(contestants: usize) -> u32 {
    u32::try_from(contestants.max(1)).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How often each contestant had each place, and followed each other one, over `rounds`.
    fn tables(contestants: usize, rounds: std::ops::Range<u32>) -> [Vec<Vec<u32>>; 2] {
        let mut places = vec![vec![0; contestants]; contestants];
        let mut follows = places.clone();
        for round in rounds {
            let order = order(contestants, round);
            for (place, contestant) in order.iter().enumerate() {
                places[*contestant][place] += 1;
            }
            for pair in order.windows(2) {
                follows[pair[0]][pair[1]] += 1;
            }
        }
        [places, follows]
    }

    #[test]
    fn everybody_has_each_place_once_in_each_cycle() {
        for contestants in 1..=12 {
            let cycle = rounds_per_cycle(contestants);
            for begin in [0, cycle, 2 * cycle, 3 * cycle, 1] {
                let [places, _] = tables(contestants, begin..begin + cycle);
                // A range that begins within a cycle balances only where cycles are all alike.
                if begin % cycle == 0 || contestants % 2 == 0 {
                    assert!(places.iter().flatten().all(|&times| times == 1), "{contestants}");
                }
            }
        }
    }

    #[test]
    fn everybody_follows_everybody_else_equally_often() {
        for contestants in 2..=12 {
            let times = if contestants % 2 == 0 { 1 } else { 2 };
            let rounds = times * rounds_per_cycle(contestants);
            let [_, follows] = tables(contestants, 0..rounds);
            for (one, row) in follows.iter().enumerate() {
                for (other, &count) in row.iter().enumerate() {
                    assert_eq!(count, if one == other { 0 } else { times }, "{contestants}");
                }
            }
        }
    }

    #[test]
    fn two_take_turns_at_going_first() {
        let rounds: Vec<_> = (0..4).map(|round| order(2, round)).collect();
        assert_eq!(rounds, [[0, 1], [1, 0], [0, 1], [1, 0]]);
        assert_eq!(order(4, 0), [0, 1, 3, 2]);
        assert_eq!(order(3, 3), [2, 1, 0], "the first round of three, backwards");
    }

    #[test]
    fn one_contestant_and_none_are_no_special_case() {
        assert_eq!(order(1, 7), [0]);
        assert!(order(0, 7).is_empty());
        assert_eq!([rounds_per_cycle(0), rounds_per_cycle(1), rounds_per_cycle(5)], [1, 1, 5]);
    }
}
