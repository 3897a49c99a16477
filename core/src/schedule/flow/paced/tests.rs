use std::collections::VecDeque;
use std::sync::atomic::AtomicU64;

use super::*;
use crate::engine::{
    Completion, Completions, Deadline, EngineCounters, EngineError, Operation, Progress, Rejected,
    Request, StillInFlight, Why,
};
use crate::memory::Block;
use crate::plan::Plan;
use crate::receipt::Receipt;
use crate::schedule::flow::Tally;
use crate::schedule::flow::pace::{PaceTally, Rate};
use crate::schedule::source::{Job, StreamName};
use crate::stats::{Fingerprint, Kind, What};
use crate::target::Alignment;

const BLOCK: u32 = 512;
const SERVICE: Duration = Duration::from_micros(50);
const STALL: Duration = Duration::from_millis(200);
const NAME: StreamName = StreamName { seed: 3, tid: 0, lane: 0, loop_index: 0 };

/// Reads of one block after the other, without memory.
struct Reads {
    left: usize,
}

impl Source for Reads {
    fn choose(&mut self, offsets: &mut [u64]) -> usize {
        let count = self.left.min(offsets.len());
        self.left -= count;
        count
    }

    fn job(&mut self, _offset_bytes: u64, _home: &mut Option<Block>) -> Job {
        let operation = Operation::Read;
        let what = What::new(operation, 0, BLOCK);
        let (length_bytes, needed_bytes) = (BLOCK, BLOCK);
        Job { operation, target: 0, length_bytes, what, needed_bytes, block: None }
    }

    fn kind_each(&self) -> Option<Kind> {
        Some(Kind::Read)
    }

    fn useful_bytes(&self, _offset_bytes: u64, _what: What) -> u32 {
        BLOCK
    }

    fn useful_bytes_each(&self) -> Option<u32> {
        Some(BLOCK)
    }

    fn take_back(&mut self, _block: Option<Block>, _home: &mut Option<Block>) {}
}

/// A device that serves each request by itself in [`SERVICE`], but that stands still for [`STALL`]
/// once, from one of its requests on.
struct Device {
    /// Whether the caller is kept until its request is done, as by a blocking call.
    blocks: bool,
    /// Whether each request moves half of what is asked at first.
    is_short: bool,
    stalls_at: usize,
    stalled_until: Option<Stamp>,
    queued: VecDeque<Request>,
    flying: Vec<(Request, Stamp)>,
    /// When each request was taken.
    taken: Vec<Stamp>,
}

impl Device {
    fn new(stalls_at: usize) -> Self {
        Self {
            blocks: false,
            is_short: false,
            stalls_at,
            stalled_until: None,
            queued: VecDeque::new(),
            flying: Vec::new(),
            taken: Vec::new(),
        }
    }

    fn give_back(&mut self, now: Stamp, done: &mut Completions) -> u32 {
        let before = done.len();
        while let Some(index) = self.flying.iter().position(|(_, end)| *end <= now) {
            let (request, _) = self.flying.swap_remove(index);
            let is_half = self.is_short && request.block_start_bytes == 0;
            let moved = if is_half { request.length_bytes / 2 } else { request.length_bytes };
            done.push(Completion { block: None, tag: request.tag, status: moved.cast_signed() });
        }
        u32::try_from(done.len() - before).unwrap()
    }
}

impl IoEngine for Device {
    fn queue(&mut self, request: Request) -> Result<(), Rejected> {
        if request.length_bytes == 0 {
            return Err(Rejected { request, why: Why::BadBlock });
        }
        self.queued.push_back(request);
        Ok(())
    }

    fn submit(&mut self) -> Result<u32, EngineError> {
        let count = self.queued.len();
        for request in self.queued.drain(..) {
            let now = Stamp::now();
            self.taken.push(now);
            if self.taken.len() == self.stalls_at {
                self.stalled_until = Some(now + STALL);
            }
            let ready = self.stalled_until.map_or(now, |until| until.max(now));
            if self.blocks {
                thread::sleep(ready.since(now));
            }
            self.flying.push((request, ready + SERVICE));
        }
        Ok(u32::try_from(count).unwrap())
    }

    fn reap(
        &mut self,
        min: u32,
        mut deadline: Deadline,
        done: &mut Completions,
    ) -> Result<u32, EngineError> {
        let min = min.min(u32::try_from(self.flying.len()).unwrap());
        let mut reaped = 0;
        loop {
            reaped += self.give_back(Stamp::now(), done);
            if reaped >= min || (!self.blocks && !deadline.refresh()) {
                return Ok(reaped);
            }
            thread::sleep(SERVICE / 2);
        }
    }

    fn submit_and_reap(
        &mut self,
        min: u32,
        deadline: Deadline,
        done: &mut Completions,
    ) -> Result<Progress, EngineError> {
        let taken = self.submit()?;
        Ok(Progress { taken, reaped: self.reap(min, deadline, done)? })
    }

    fn drain(&mut self, _: Deadline, _: &mut Completions) -> Result<(), StillInFlight> {
        Ok(())
    }

    fn counters(&self) -> EngineCounters {
        EngineCounters::default()
    }

    fn receipts(&self) -> Vec<Receipt> {
        Vec::new()
    }
}

/// Runs `requests` at `per_s`, for so long if time ends them; returns the start, and what was
/// counted.
fn run(
    device: &mut Device,
    depth: u32,
    per_s: f64,
    requests: usize,
    runtime: Option<Duration>,
) -> (Stamp, Tally, PaceTally) {
    let mut plan = Plan::tensor_swap(Vec::new());
    plan.queue_depth = depth;
    let mut flow = Flow::new(&plan, Alignment::NONE, Tally::new(Fingerprint::new(0, 0, 0)));
    let rate = Rate { per_s, poisson: false, lane: 0, lanes: 1 };
    let start = Stamp::now();
    let mut pace = Pace::new(rate, start, NAME, depth, PaceTally::default());
    let moved = AtomicU64::new(0);
    let until = runtime.map_or(Stamp::NEVER, |runtime| start + runtime);
    let watch = Watch { halted: || false, moved: &moved, counts: true, until };
    let mut source = Reads { left: requests };
    let end = flow.run_paced(device, &mut source, &watch, &mut pace).unwrap();
    assert!(runtime.is_none() || end >= until, "a loop that time ends lasts as long");
    assert!(flow.books.tally.fingerprint.is_settled());
    (start, flow.into_tally(), pace.into_tally())
}

/// That a device stands still for 200 ms shows in the response of all that was due meanwhile, and
/// not in the service of the few that it kept.
#[track_caller]
fn the_stall_shows(mut device: Device, depth: u32) {
    let requests = 1000;
    let (start, tally, pace) = run(&mut device, depth, 2000.0, requests, None);
    let (service, response) = (&tally.latency[Kind::Read], &pace.response[Kind::Read]);
    assert_eq!((service.count(), response.count()), (1000, 1000));
    let (service, response) = (service.summary(), response.summary());
    assert!(service.max_ns >= 190_000_000, "{service:?}");
    assert!(service.p99_ns.unwrap() < 50_000_000, "{service:?}");
    assert!(response.p99_ns.unwrap() > 100_000_000, "{response:?}");
    assert!(pace.waited > 100 && pace.unstarted == 0, "{pace:?}");
    for (index, taken) in (0..).zip(&device.taken) {
        let due = start + Duration::from_micros(500) * index;
        assert!(*taken >= due, "request {index} starts before it is due");
    }
}

#[test]
fn a_stall_of_a_queue_shows_in_the_response_of_what_was_due_meanwhile() {
    the_stall_shows(Device::new(300), 4);
}

#[test]
fn so_does_one_of_a_blocking_call() {
    the_stall_shows(Device { blocks: true, ..Device::new(300) }, 1);
}

#[test]
fn what_is_due_in_the_time_is_done_or_counted_as_not_begun() {
    let mut device = Device::new(20);
    let runtime = Duration::from_millis(100);
    let (_, tally, pace) = run(&mut device, 2, 1000.0, usize::MAX, Some(runtime));
    let requests = tally.requests.total();
    assert!(requests < 100, "{requests}");
    assert_eq!(requests + pace.unstarted, 100);
}

#[test]
fn a_request_that_comes_in_pieces_has_one_response() {
    let mut device = Device { is_short: true, ..Device::new(0) };
    let (_, tally, pace) = run(&mut device, 4, 2000.0, 50, None);
    assert_eq!(tally.short_transfers, 50);
    let response = &pace.response[Kind::Read];
    assert_eq!((tally.requests.total(), response.count()), (50, 50));
    assert!(response.summary().min_ns >= 2 * 50_000);
}
