//! The engine contract, kept with every set of options that takes another way through the engine.

use aio_core::testing::conformance;
use aio_uring::Uring;

fn conforms_with(options: &str) {
    conformance(&Uring::parse(options).expect("the options are well-formed"));
}

#[test]
fn with_everything_on() {
    conformance(&Uring::default());
}

#[test]
fn with_everything_off() {
    conforms_with(
        "fixed-files=off:fixed-buffers=off:single-issuer=off:defer-taskrun=off:coop-taskrun=off:\
         no-sqarray=off:registered-ring=off",
    );
}

#[test]
fn without_registered_files() {
    conforms_with("fixed-files=off");
}

#[test]
fn without_registered_buffers() {
    conforms_with("fixed-buffers=off");
}

#[test]
fn without_a_registered_ring() {
    conforms_with("registered-ring=off");
}

#[test]
fn without_deferred_task_work() {
    conforms_with("defer-taskrun=off");
}

#[test]
fn with_the_array_of_indices() {
    conforms_with("no-sqarray=off");
}

#[test]
fn with_vectored_reads_and_writes() {
    conforms_with("vectored");
}

#[test]
fn with_waits_on_the_descriptor() {
    conforms_with("ext-arg=off");
}

#[test]
fn with_the_ways_of_the_oldest_kernels_together() {
    conforms_with("vectored:ext-arg=off");
    conforms_with(
        "vectored:ext-arg=off:fixed-files=off:single-issuer=off:coop-taskrun=off:no-sqarray=off:\
         registered-ring=off",
    );
}

#[test]
fn with_a_thread_of_the_kernel_and_waits_on_the_descriptor() {
    conforms_with("sqpoll:ext-arg=off");
    conforms_with("sqpoll:ext-arg=off:vectored:sqpoll-idle-ms=1");
}

#[test]
fn with_requests_that_do_nothing_and_waits_on_the_descriptor() {
    conforms_with("nop:ext-arg=off");
}

#[test]
fn with_requests_that_do_nothing() {
    conforms_with("nop");
}

#[test]
fn with_a_thread_of_the_kernel_that_takes_requests() {
    conforms_with("sqpoll");
}

#[test]
fn with_a_thread_of_the_kernel_that_is_mostly_asleep() {
    conforms_with("sqpoll:sqpoll-idle-ms=1:registered-ring=off:fixed-buffers=off");
}

#[test]
fn with_a_thread_of_the_kernel_and_requests_that_do_nothing() {
    conforms_with("sqpoll:nop");
}

#[test]
fn with_few_workers() {
    conforms_with("iowq-workers=1");
}
