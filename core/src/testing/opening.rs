//! Checks of probing and opening.

use super::fixture::{
    BLOCK_BYTES, Exchange, Store, assert_unowned, bring_home, by_tag, needs, open, part, patient,
    pattern, queue_all, reads, setup, submit_all,
};
use super::leave_out;
use crate::engine::{
    Backend, Completion, Completions, IoEngine, Lane, LaneSetup, Operation, Operations,
};
use crate::receipt::Receipt;

/// Only gives back the engine's receipts.
struct Receipts;

impl Lane for Receipts {
    type Output = Vec<Receipt>;

    fn run<E: IoEngine>(self, engine: &mut E) -> Vec<Receipt> {
        engine.receipts()
    }
}

pub(super) fn probe_and_open_agree<B: Backend>(backend: &B) {
    let operations = [
        vec![Operation::Read],
        vec![Operation::Read, Operation::Write],
        vec![Operation::Write, Operation::Fsync],
        vec![Operation::Read, Operation::Fdatasync],
        vec![Operation::Trim],
    ];
    let store = Store::new(BLOCK_BYTES as usize);
    for depth in [1, 4] {
        for operations in operations.iter().map(|list| Operations::of(list)) {
            let part = part(depth);
            let probed = backend.probe(&needs(operations, depth, &store.files()));
            let setup = LaneSetup { operations, ..setup(depth, store.files(), &part) };
            let opened = backend.with_engine(setup, Receipts);
            assert_eq!(
                probed.is_ok(),
                opened.is_ok(),
                "probe and with_engine disagree at depth {depth}, {operations:?}: the probe says \
                 {probed:?}, opening says {opened:?}"
            );
            assert_unowned(&part);
        }
    }
}

pub(super) fn receipts_say_something<B: Backend>(backend: &B) {
    assert!(!backend.name().is_empty(), "the backend has no name");
    let store = Store::new(BLOCK_BYTES as usize);
    let part = part(1);
    let setup = setup(1, store.files(), &part);
    let capabilities = backend.probe(&needs(setup.operations, 1, &setup.files));
    let mut receipts = capabilities.expect("probed at the start").receipts;
    receipts.extend(open(backend, setup, Receipts).expect("probed at the start"));
    for Receipt { option, asked, granted, why_not } in receipts {
        let empty = option.is_empty() || asked.is_empty() || granted.is_empty();
        let empty = empty || why_not.as_deref() == Some("");
        assert!(!empty, "the receipt of {option:?} has an empty text");
    }
}

/// Opens a second engine inside the first, and has both at work under the same tags.
struct Outer<'a, B> {
    backend: &'a B,
    requests: Exchange,
    inner_setup: LaneSetup,
    inner_requests: Exchange,
}

/// The completions of the outer and of the inner engine.
type Both = (Vec<Completion>, Vec<Completion>);

impl<B: Backend> Lane for Outer<'_, B> {
    type Output = Both;

    fn run<E: IoEngine>(self, outer: &mut E) -> Both {
        let inner = Inner { outer, requests: self.requests, own_requests: self.inner_requests };
        self.backend.with_engine(self.inner_setup, inner).expect("a second engine opens")
    }
}

struct Inner<'a, E> {
    outer: &'a mut E,
    requests: Exchange,
    own_requests: Exchange,
}

impl<O: IoEngine> Lane for Inner<'_, O> {
    type Output = Both;

    fn run<E: IoEngine>(self, engine: &mut E) -> Both {
        let outer = self.outer;
        let count = 4;
        queue_all(outer, self.requests.0);
        queue_all(engine, self.own_requests.0);
        submit_all(engine, count);
        submit_all(outer, count);
        let mut done = [Completions::with_capacity(4), Completions::with_capacity(4)];
        outer.reap(count, patient(), &mut done[0]).expect("the outer engine stays alive");
        engine.reap(count, patient(), &mut done[1]).expect("the inner engine stays alive");
        (by_tag(&mut done[0], count), by_tag(&mut done[1], count))
    }
}

pub(super) fn two_engines_on_one_thread_do_not_mix<B: Backend>(backend: &B) {
    let stores = [Store::new(4 * BLOCK_BYTES as usize), Store::new(4 * BLOCK_BYTES as usize)];
    stores[1].overwrite(&pattern(1, 4 * BLOCK_BYTES as usize), 0);
    let mut outer_part = part(4);
    let mut inner_part = part(4);
    let mut needs = needs(Operations::of(&[Operation::Read]), 4, &stores[0].files());
    needs.engines = 2;
    if let Err(unsupported) = backend.probe(&needs) {
        leave_out(&format!("two engines of {}", backend.name()), &unsupported);
        return;
    }
    let lane = Outer {
        backend,
        requests: Exchange(reads(&mut outer_part, 0, 4)),
        inner_setup: setup(4, stores[1].files(), &inner_part),
        inner_requests: Exchange(reads(&mut inner_part, 0, 4)),
    };
    let outer_setup = setup(4, stores[0].files(), &outer_part);
    let (outer, inner) = backend.with_engine(outer_setup, lane).expect("the probe was fine");
    if backend.moves_data() {
        for (salt, completions) in [&outer, &inner].into_iter().enumerate() {
            for (bytes, completion) in
                pattern(salt, 4 * BLOCK_BYTES as usize).chunks(4096).zip(completions)
            {
                let block = completion.block.as_ref().expect("a read has a block");
                assert_eq!(block.as_slice(), bytes, "an engine read another engine's target");
            }
        }
    }
    bring_home(&mut outer_part, outer);
    bring_home(&mut inner_part, inner);
}
