//! The threads of a pool.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use aio_core::clock::ThreadClock;
use aio_core::engine::Request;

use crate::perform::{Finished, Outcome, Targets};
use crate::queue::{Mailbox, WorkQueue};

/// How a thread does a request.
pub(crate) type Perform = fn(&Targets, &mut Request) -> Outcome;

/// What the lane and its threads share; lives until the last of them is gone.
#[derive(Debug)]
struct Shared {
    requests: WorkQueue<Request>,
    finished: Mailbox<Finished>,
    targets: Targets,
    perform: Perform,
    /// Of each thread that has begun.
    clocks: Mutex<Vec<ThreadClock>>,
}

impl Shared {
    fn clocks(&self) -> MutexGuard<'_, Vec<ThreadClock>> {
        self.clocks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Running threads, and the two queues to and from them.
#[derive(Debug)]
pub(crate) struct Workers {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
}

impl Workers {
    /// Starts `count` threads, for at most `queue_depth` requests at a time.
    ///
    /// They run where the calling thread may run.
    ///
    /// # Errors
    /// When a thread cannot be started; those that were are ended again.
    pub(crate) fn start(
        count: u32,
        queue_depth: u32,
        targets: Targets,
        perform: Perform,
    ) -> io::Result<Self> {
        let capacity = queue_depth as usize;
        let shared = Arc::new(Shared {
            requests: WorkQueue::new(capacity),
            finished: Mailbox::new(capacity),
            targets,
            perform,
            clocks: Mutex::new(Vec::with_capacity(count as usize)),
        });
        let mut workers = Self { shared, threads: Vec::with_capacity(count as usize) };
        for number in 0..count {
            let shared = Arc::clone(&workers.shared);
            let thread = thread::Builder::new().name(format!("aio-sync-{number}"));
            match thread.spawn(move || work(&shared)) {
                Ok(thread) => workers.threads.push(thread),
                Err(error) => {
                    workers.end();
                    return Err(error);
                }
            }
        }
        Ok(workers)
    }

    /// CPU time that all threads together have spent.
    pub(crate) fn cpu(&self) -> Duration {
        self.shared.clocks().iter().map(|clock| clock.spent()).sum()
    }

    /// The queue to the threads.
    pub(crate) fn requests(&self) -> &WorkQueue<Request> {
        &self.shared.requests
    }

    /// The queue from the threads.
    pub(crate) fn finished(&self) -> &Mailbox<Finished> {
        &self.shared.finished
    }

    /// Tells the threads to end, and waits until they have. They are in no call.
    pub(crate) fn end(&mut self) {
        self.shared.requests.close();
        for thread in self.threads.drain(..) {
            thread.join().expect("a pool thread catches the panics of its requests");
        }
    }

    /// Tells the threads to end, and leaves those alone that are still in a call. They keep the
    /// files open and own the memory that the call uses.
    pub(crate) fn abandon(&mut self) {
        self.shared.requests.close();
        self.threads.clear();
    }
}

fn work(shared: &Shared) {
    shared.clocks().push(ThreadClock::of_this_thread());
    while let Some(mut request) = shared.requests.take() {
        // After a panic the memory is still the request's, and whole: nobody reads what it holds
        // under a failed request.
        let outcome =
            catch_unwind(AssertUnwindSafe(|| (shared.perform)(&shared.targets, &mut request)));
        let outcome = outcome.unwrap_or(Outcome::PANICKED);
        let Request { block, tag, .. } = request;
        shared.finished.hand_in(Finished { block, tag, outcome });
    }
}
