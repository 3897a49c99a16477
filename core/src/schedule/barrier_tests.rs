use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use super::barrier::{Barrier, Broken};

fn soon() -> Instant {
    Instant::now() + Duration::from_millis(20)
}

fn far() -> Instant {
    Instant::now() + Duration::from_secs(60)
}

#[test]
fn a_wait_ends_at_its_deadline_and_the_barrier_is_broken_from_then_on() {
    let barrier = Barrier::new(2);
    assert_eq!(barrier.wait(soon(), || ()), Err(Broken::Deadline));
    assert_eq!(barrier.wait(far(), || ()), Err(Broken::ByParty));
}

#[test]
fn a_deadline_of_one_frees_the_others() {
    let barrier = Arc::new(Barrier::new(3));
    let patient = {
        let barrier = Arc::clone(&barrier);
        thread::spawn(move || barrier.wait(far(), || ()))
    };
    assert!(barrier.wait(soon(), || ()).is_err());
    assert_eq!(patient.join().unwrap(), Err(Broken::ByParty));
}

#[test]
fn one_party_alone_never_waits_even_past_its_deadline() {
    let barrier = Barrier::new(1);
    let mut led = 0;
    for _ in 0..3 {
        assert_eq!(barrier.wait(Instant::now(), || led += 1), Ok(()));
    }
    assert_eq!(led, 3);
}

#[test]
fn a_guard_that_was_disarmed_leaves_the_barrier_whole() {
    let barrier = Barrier::new(1);
    barrier.guard().disarm();
    assert_eq!(barrier.wait(far(), || ()), Ok(()));
    drop(barrier.guard());
    assert_eq!(barrier.wait(far(), || ()), Err(Broken::ByParty));
}

#[test]
fn a_leader_that_panics_frees_the_others() {
    let barrier = Arc::new(Barrier::new(2));
    let party =
        |barrier: Arc<Barrier>| thread::spawn(move || barrier.wait(far(), || panic!("on purpose")));
    let ends = [party(Arc::clone(&barrier)), party(barrier)].map(thread::JoinHandle::join);
    let freed = ends.iter().filter(|end| matches!(end, Ok(Err(Broken::ByParty)))).count();
    let panicked = ends.iter().filter(|end| end.is_err()).count();
    assert_eq!((freed, panicked), (1, 1));
}
