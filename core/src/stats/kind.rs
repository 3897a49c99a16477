//! Kinds of requests that are counted apart.
#![expect(clippy::inline_always, reason = "per request, a call costs as much as what it does")]

use std::iter::Sum;
use std::ops::{Add, AddAssign, Index, IndexMut, Sub};

/// A kind of request, which has numbers of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Storage to memory.
    Read,
    /// Memory to storage.
    Write,
    /// Neither: the storage is told to forget.
    Trim,
    /// What was written is made durable.
    Flush,
}

impl Kind {
    /// All of them, in the order of their numbers.
    pub const ALL: [Self; 4] = [Self::Read, Self::Write, Self::Trim, Self::Flush];
}

/// One value of each kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PerKind<T>([T; Kind::ALL.len()]);

impl<T> PerKind<T> {
    /// Of each kind what `value` says.
    pub fn each(value: impl FnMut(Kind) -> T) -> Self {
        Self(Kind::ALL.map(value))
    }
}

impl PerKind<u64> {
    /// The sum over all kinds.
    #[inline(always)]
    #[must_use]
    pub fn total(&self) -> u64 {
        self.0.iter().sum()
    }
}

impl<T> Index<Kind> for PerKind<T> {
    type Output = T;

    #[inline(always)]
    fn index(&self, kind: Kind) -> &T {
        &self.0[kind as usize]
    }
}

impl<T> IndexMut<Kind> for PerKind<T> {
    #[inline(always)]
    fn index_mut(&mut self, kind: Kind) -> &mut T {
        &mut self.0[kind as usize]
    }
}

impl Add for PerKind<u64> {
    type Output = Self;

    fn add(mut self, other: Self) -> Self {
        self += other;
        self
    }
}

impl AddAssign for PerKind<u64> {
    fn add_assign(&mut self, other: Self) {
        self.0.iter_mut().zip(other.0).for_each(|(one, more)| *one += more);
    }
}

impl Sub for PerKind<u64> {
    type Output = Self;

    fn sub(self, earlier: Self) -> Self {
        Self::each(|kind| self[kind] - earlier[kind])
    }
}

impl Sum for PerKind<u64> {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::default(), Add::add)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_has_a_place_of_its_own() {
        let mut counts = PerKind::<u64>::default();
        for (index, kind) in (1..).zip(Kind::ALL) {
            counts[kind] += index;
        }
        assert_eq!(counts, PerKind::each(|kind| kind as u64 + 1));
        assert_eq!((counts.total(), (counts + counts - counts).total()), (10, 10));
        assert_eq!([counts, counts].into_iter().sum::<PerKind<u64>>()[Kind::Flush], 8);
    }
}
