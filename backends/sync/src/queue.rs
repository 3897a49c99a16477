//! The two bounded queues between a lane and its threads. Neither allocates after it was made.

use std::collections::VecDeque;
use std::sync::PoisonError;

use aio_core::engine::Deadline;

use super::primitives::{Condvar, Mutex, yield_now};

/// One lane gives work, many threads take it one by one.
///
/// A thread is woken only for an item that no other thread is on its way to: those that were woken
/// and have not come yet count as on their way.
#[derive(Debug)]
pub(crate) struct WorkQueue<T> {
    state: Mutex<Work<T>>,
    given: Condvar,
}

#[derive(Debug)]
struct Work<T> {
    items: VecDeque<T>,
    /// Threads that wait and that nobody has woken.
    asleep: usize,
    /// Threads that were woken and do not run yet.
    woken: usize,
    closed: bool,
}

impl<T> WorkQueue<T> {
    /// A queue for at most `capacity` items.
    pub(crate) fn new(capacity: usize) -> Self {
        let items = VecDeque::with_capacity(capacity);
        let state = Mutex::new(Work { items, asleep: 0, woken: 0, closed: false });
        Self { state, given: Condvar::new() }
    }

    /// Adds all `items` at once, and wakes as many threads as they need.
    ///
    /// # Panics
    /// When there is no room: the lane looks after that.
    pub(crate) fn give(&self, items: impl Iterator<Item = T>) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        for item in items {
            assert!(state.items.len() < state.items.capacity(), "no more than the queue is deep");
            state.items.push_back(item);
        }
        let wake = state.items.len().saturating_sub(state.woken).min(state.asleep);
        state.asleep -= wake;
        state.woken += wake;
        let wake_all = state.asleep == 0;
        // After unlocking, so that who wakes does not run into the lock.
        drop(state);
        if wake > 1 && wake_all {
            self.given.notify_all();
        } else {
            (0..wake).for_each(|_| self.given.notify_one());
        }
    }

    /// Waits for an item and takes it; `None` once the queue is closed, even if items are left.
    ///
    /// A thread that finds nothing lets others run once before it sleeps: most often the lane then
    /// turns what the thread has just handed in into the next request, and nobody has to be woken.
    pub(crate) fn take(&self) -> Option<T> {
        let mut has_yielded = false;
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if state.closed {
                return None;
            }
            if let Some(item) = state.items.pop_front() {
                return Some(item);
            }
            if !has_yielded {
                has_yielded = true;
                drop(state);
                yield_now();
                state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
                continue;
            }
            state.asleep += 1;
            loop {
                state = self.given.wait(state).unwrap_or_else(PoisonError::into_inner);
                // A thread that wakes for no reason may take another's call; that one sleeps on
                // in its place, and the numbers stay right.
                if state.woken > 0 {
                    state.woken -= 1;
                    break;
                }
            }
        }
    }

    /// Wakes every thread and gives out nothing more.
    pub(crate) fn close(&self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.closed = true;
        state.woken += state.asleep;
        state.asleep = 0;
        drop(state);
        self.given.notify_all();
    }
}

/// Many threads hand in results one by one, one lane collects them.
///
/// The lane says how many it waits for, and is woken once, when there are as many.
#[derive(Debug)]
pub(crate) struct Mailbox<T> {
    state: Mutex<Mail<T>>,
    enough: Condvar,
}

#[derive(Debug)]
struct Mail<T> {
    items: VecDeque<T>,
    /// How many the lane sleeps for; 0 when it does not sleep or was woken.
    wanted: usize,
}

impl<T> Mailbox<T> {
    /// A mailbox for at most `capacity` items.
    pub(crate) fn new(capacity: usize) -> Self {
        let items = VecDeque::with_capacity(capacity);
        Self { state: Mutex::new(Mail { items, wanted: 0 }), enough: Condvar::new() }
    }

    /// Adds an item, and wakes the lane when that was what it waited for.
    ///
    /// # Panics
    /// When there is no room: no more results than requests.
    pub(crate) fn hand_in(&self, item: T) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        assert!(state.items.len() < state.items.capacity(), "no more results than requests");
        state.items.push_back(item);
        let wake = state.wanted != 0 && state.items.len() >= state.wanted;
        if wake {
            state.wanted = 0;
        }
        drop(state);
        if wake {
            self.enough.notify_one();
        }
    }

    /// Waits until there are `min` items or the deadline has passed, and then passes what is there,
    /// `max` items at most, to `each`, which must not panic.
    pub(crate) fn collect(
        &self,
        min: usize,
        max: usize,
        mut deadline: Deadline,
        each: impl FnMut(T),
    ) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        while state.items.len() < min {
            let left = deadline.remaining();
            if left.is_zero() {
                break;
            }
            state.wanted = min;
            let waited = self.enough.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
            state.wanted = 0;
            if state.items.len() < min {
                deadline.refresh();
            }
        }
        let count = state.items.len().min(max);
        state.items.drain(..count).for_each(each);
    }
}
