//! A loom model of the schedule's barrier: every interleaving of three parties.
//!
//! It includes the barrier's own source with loom's primitives in place of the standard ones, so an
//! ordinary `cargo test` runs it. Loom's `wait_timeout` never times out and its mutex cannot be
//! poisoned, so deadlines and what poison does have their own tests beside the barrier.

mod primitives {
    pub(super) use loom::sync::{Condvar, Mutex, MutexGuard};
}

#[path = "../src/schedule/barrier.rs"]
#[expect(dead_code, reason = "the model uses a part of the barrier")]
mod barrier;

use std::time::{Duration, Instant};

use barrier::{Barrier, Broken};
use loom::sync::Arc;
use loom::sync::atomic::{AtomicU32, Ordering};
use loom::thread;

fn far() -> Instant {
    Instant::now() + Duration::from_secs(3600)
}

#[test]
fn all_parties_pass_twice_and_one_of_them_leads() {
    loom::model(|| {
        let barrier = Arc::new(Barrier::new(2));
        let led = Arc::new(AtomicU32::new(0));
        let party = |barrier: Arc<Barrier>, led: Arc<AtomicU32>| {
            for round in 1..=2 {
                let count = || {
                    led.fetch_add(1, Ordering::Relaxed);
                };
                assert_eq!(barrier.wait(far(), count), Ok(()));
                assert!(led.load(Ordering::Relaxed) >= round, "nobody passes before the leader");
            }
        };
        let other = {
            let (barrier, led) = (Arc::clone(&barrier), Arc::clone(&led));
            thread::spawn(move || party(barrier, led))
        };
        party(barrier, Arc::clone(&led));
        other.join().unwrap();
        assert_eq!(led.load(Ordering::Relaxed), 2);
    });
}

#[test]
fn a_break_from_outside_frees_every_waiter() {
    loom::model(|| {
        let barrier = Arc::new(Barrier::new(3));
        let waiters: Vec<_> = (0..2)
            .map(|_| {
                let barrier = Arc::clone(&barrier);
                thread::spawn(move || barrier.wait(far(), || ()))
            })
            .collect();
        barrier.break_now();
        for waiter in waiters {
            assert_eq!(waiter.join().unwrap(), Err(Broken::ByParty));
        }
    });
}

#[test]
fn a_guard_that_is_dropped_frees_every_waiter() {
    loom::model(|| {
        let barrier = Arc::new(Barrier::new(2));
        let waiter = {
            let barrier = Arc::clone(&barrier);
            thread::spawn(move || barrier.wait(far(), || ()))
        };
        drop(barrier.guard());
        assert_eq!(waiter.join().unwrap(), Err(Broken::ByParty));
    });
}

#[test]
fn a_break_beside_the_last_arrival_frees_all_or_lets_all_pass() {
    loom::model(|| {
        let barrier = Arc::new(Barrier::new(2));
        let led = Arc::new(AtomicU32::new(0));
        let wait = |barrier: &Barrier, led: &AtomicU32| {
            barrier.wait(far(), || {
                led.fetch_add(1, Ordering::Relaxed);
            })
        };
        let other = {
            let (barrier, led) = (Arc::clone(&barrier), Arc::clone(&led));
            thread::spawn(move || wait(&barrier, &led))
        };
        let outside = {
            let barrier = Arc::clone(&barrier);
            thread::spawn(move || barrier.break_now())
        };
        let own = wait(&barrier, &led);
        assert_eq!(other.join().unwrap(), own, "nobody passes alone");
        outside.join().unwrap();
        assert_eq!(led.load(Ordering::Relaxed), u32::from(own.is_ok()));
        assert_eq!(barrier.wait(far(), || ()), Err(Broken::ByParty), "it stays broken");
    });
}
