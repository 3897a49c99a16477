//! The pool's queues under every order of locking and waking that loom can think of.
//!
//! Loom's `wait_timeout` never times out, so that a call to wake that gets lost is a deadlock here,
//! which loom reports. What happens at deadlines is tested beside the pool.

use std::iter;
use std::time::Duration;

use aio_core::clock::Stamp;
use aio_core::engine::Deadline;
use loom::sync::Arc;
use loom::thread::{self, JoinHandle};

mod primitives {
    pub(crate) use loom::sync::{Condvar, Mutex};
    pub(crate) use loom::thread::yield_now;
}

#[path = "../src/queue.rs"]
mod queue;

use queue::{Mailbox, WorkQueue};

fn taker(queue: &Arc<WorkQueue<u32>>) -> JoinHandle<Option<u32>> {
    let queue = Arc::clone(queue);
    thread::spawn(move || queue.take())
}

/// Tries every order in which threads are interrupted at most twice in places where they could go
/// on, besides all the times that they wait. Each time more takes several times as long.
fn model(run: impl Fn() + Send + Sync + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(2);
    builder.check(run);
}

fn far() -> Deadline {
    Deadline::after(Stamp::now(), Duration::from_secs(3600))
}

#[test]
fn each_item_given_is_taken_exactly_once() {
    model(|| {
        let queue = Arc::new(WorkQueue::new(2));
        let takers = [taker(&queue), taker(&queue)];
        let giver = {
            let queue = Arc::clone(&queue);
            thread::spawn(move || queue.give(iter::once(1)))
        };
        queue.give(iter::once(2));
        giver.join().unwrap();
        let mut taken = takers.map(|taker| taker.join().unwrap());
        taken.sort_unstable();
        assert_eq!(taken, [Some(1), Some(2)]);
    });
}

#[test]
fn a_batch_wakes_enough_threads() {
    model(|| {
        let queue = Arc::new(WorkQueue::new(2));
        let takers = [taker(&queue), taker(&queue)];
        queue.give([1, 2].into_iter());
        let mut taken = takers.map(|taker| taker.join().unwrap());
        taken.sort_unstable();
        assert_eq!(taken, [Some(1), Some(2)]);
    });
}

#[test]
fn a_thread_that_comes_back_may_take_the_item_of_one_that_was_woken() {
    model(|| {
        let queue = Arc::new(WorkQueue::new(3));
        let greedy = {
            let queue = Arc::clone(&queue);
            thread::spawn(move || [queue.take(), queue.take()])
        };
        let modest = taker(&queue);
        queue.give(iter::once(1));
        queue.give([2, 3].into_iter());
        let [first, second] = greedy.join().unwrap();
        let mut taken = [first, second, modest.join().unwrap()];
        taken.sort_unstable();
        assert_eq!(taken, [Some(1), Some(2), Some(3)]);
    });
}

#[test]
fn closing_wakes_every_waiter() {
    model(|| {
        let queue = Arc::new(WorkQueue::<u32>::new(1));
        let takers = [taker(&queue), taker(&queue), taker(&queue)];
        queue.close();
        assert_eq!(takers.map(|taker| taker.join().unwrap()), [None; 3]);
        assert_eq!(queue.take(), None);
    });
}

#[test]
fn closing_beside_giving_leaves_nobody_asleep() {
    model(|| {
        let queue = Arc::new(WorkQueue::new(1));
        let takers = [taker(&queue), taker(&queue)];
        queue.give(iter::once(1));
        queue.close();
        let taken = takers.map(|taker| taker.join().unwrap());
        assert!(taken.iter().flatten().count() <= 1);
    });
}

#[test]
fn closing_a_full_queue_leaves_nobody_asleep_and_gives_nothing_twice() {
    model(|| {
        let queue = Arc::new(WorkQueue::new(2));
        queue.give([1, 2].into_iter());
        let takers = [taker(&queue), taker(&queue)];
        let closer = {
            let queue = Arc::clone(&queue);
            thread::spawn(move || queue.close())
        };
        let mut taken: Vec<_> =
            takers.into_iter().filter_map(|taker| taker.join().unwrap()).collect();
        closer.join().unwrap();
        taken.sort_unstable();
        taken.dedup();
        assert!(taken.is_empty() || taken == [1] || taken == [1, 2], "{taken:?}");
        assert_eq!(queue.take(), None, "what is left stays where it is");
    });
}

#[test]
fn closing_between_a_full_queue_and_its_threads_ends_all_of_them() {
    model(|| {
        let both = Arc::new((WorkQueue::new(2), Mailbox::new(2)));
        let worker = {
            let both = Arc::clone(&both);
            thread::spawn(move || {
                while let Some(item) = both.0.take() {
                    both.1.hand_in(item);
                }
            })
        };
        both.0.give([1, 2].into_iter());
        let mut collected = Vec::new();
        both.1.collect(1, 2, far(), |item| collected.push(item));
        // With the other one in the queue, with the worker, or handed in.
        both.0.close();
        worker.join().unwrap();
        both.1.collect(0, 2, far(), |item| collected.push(item));
        assert!(collected == [1] || collected == [1, 2], "{collected:?}");
    });
}

#[test]
fn who_collects_gets_all_that_it_waits_for_exactly_once() {
    for steps in [&[3][..], &[1, 2], &[2, 1], &[1, 1, 1]] {
        model(move || {
            let mailbox = Arc::new(Mailbox::new(3));
            let hand_in = |items: &'static [u32]| {
                let mailbox = Arc::clone(&mailbox);
                thread::spawn(move || items.iter().for_each(|item| mailbox.hand_in(*item)))
            };
            let threads = [hand_in(&[1, 2]), hand_in(&[3])];
            let mut collected = Vec::new();
            for min in steps {
                let before = collected.len();
                let missing = (3 - before).min(*min);
                mailbox.collect(missing, 3, far(), |item| collected.push(item));
                assert!(collected.len() - before >= missing);
            }
            for thread in threads {
                thread.join().unwrap();
            }
            collected.sort_unstable();
            assert_eq!(collected, [1, 2, 3]);
        });
    }
}

#[test]
fn requests_go_round_through_both_queues() {
    model(|| {
        let both = Arc::new((WorkQueue::new(2), Mailbox::new(2)));
        let threads = [(); 2].map(|()| {
            let both = Arc::clone(&both);
            thread::spawn(move || {
                while let Some(item) = both.0.take() {
                    both.1.hand_in(item);
                }
            })
        });
        let mut collected = Vec::new();
        both.0.give([1, 2].into_iter());
        both.1.collect(2, 2, far(), |item| collected.push(item));
        both.0.close();
        for thread in threads {
            thread.join().unwrap();
        }
        collected.sort_unstable();
        assert_eq!(collected, [1, 2]);
    });
}
