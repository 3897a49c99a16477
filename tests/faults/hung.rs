//! A transfer that does not come back: a signal ends the program's waiting after its own limits.

use std::fs;

use super::{Target, counted_loops};

/// A signal while a request is held; the results come before it is let go.
fn ends_after_the_limit(engine: &str) {
    let Some(target) = Target::new() else { return };
    if !target.folder.can_run(engine) {
        return;
    }
    let rules = "read:hold:after=250:times=1:mark=held";
    let line = format!(
        "--engine {engine} --file f --rw randread --size 1M --block-size 4k --queue-depth 4 \
         --number-ios 100 --warmup-loops 0 --loops 5 --quiet --format json"
    );
    let mut running = target.start(rules, &line);
    let at = |name: &str| target.folder.path().join(name);
    running.until(|_| at("held").exists());
    running.send(&["INT"]);
    running.until_it_says_something();
    fs::write(at("release"), "").expect("the folder can be written");
    let ended = running.ended().code(130).says(&["Failure in one of 1 Read tasklets", "f: "]);
    let direction = ended.direction();
    assert_eq!(direction["status"], "failed", "{direction}");
    let failure = direction["failures"][0]["message"].as_str().expect("a failure has a message");
    assert!(failure.contains("left to the kernel"), "{failure}");
    assert_eq!(direction["failures"][0]["path"], "f");
    // The third loop was cut short; how far it came is known where the lane came back.
    let bytes = counted_loops(&direction);
    assert_eq!(bytes[..2], [409_600, 409_600], "{engine}");
    assert!(bytes.len() == 2 || (engine == "sync" && bytes[2] < 409_600), "{bytes:?}");
    let moved: u64 = bytes.iter().sum();
    assert_eq!(
        (&direction["bytes"], &direction["requests"]),
        (&moved.into(), &(moved / 4096).into())
    );
    assert_eq!(direction["requests_per_s"], serde_json::Value::Null);
    assert_eq!(target.folder.names(), ["held", "release"], "the file it made is gone");
}

// One each, so that they wait beside each other.

#[test]
fn a_signal_ends_io_uring_that_the_kernel_holds() {
    ends_after_the_limit("uring");
}

#[test]
fn a_signal_ends_libaio_that_the_kernel_holds() {
    ends_after_the_limit("libaio");
}

#[test]
fn a_signal_ends_a_pool_of_which_the_kernel_holds_a_thread() {
    ends_after_the_limit("sync");
}
