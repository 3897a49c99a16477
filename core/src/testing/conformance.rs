//! The list of checks.

use super::fixture::{self, Store};
use super::{bare, exactly_once, leaving, opening, queueing, skip, transfers};
use crate::engine::{Backend, Operation, Operations};

/// Checks that the engines of `backend`, with the options that it carries, keep the contract.
///
/// What the kernel makes the backend's probe refuse is left out aloud ("skipped: …"): all of it
/// when the probe refuses reads and writes at depth 1, else only the depths and operations that it
/// refuses. Checks of the data are left out for a backend that moves none. Deterministic in what it
/// asks for; takes seconds.
///
/// # Panics
/// With a sentence that names what was violated; also when a temporary file cannot be made.
pub fn conformance<B: Backend>(backend: &B) {
    let reads_and_writes = Operations::of(&[Operation::Read, Operation::Write]);
    let store = Store::new(4096);
    let needs = fixture::needs(reads_and_writes, 1, &store.files());
    if let Err(unsupported) = backend.probe(&needs) {
        skip(&format!("{}: {}", backend.name(), unsupported.sentence()));
        return;
    }

    opening::probe_and_open_agree(backend);
    opening::receipts_say_something(backend);
    opening::two_engines_on_one_thread_do_not_mix(backend);

    queueing::a_full_queue_returns_the_request_with_its_block(backend);
    queueing::a_malformed_request_is_given_back(backend);
    queueing::with_nothing_in_flight_reaping_returns_at_once(backend);
    queueing::reaping_more_than_is_in_flight_returns_when_all_are_in(backend);
    queueing::a_buffer_without_room_is_left_alone(backend);
    queueing::reaping_past_the_deadline_is_no_error(backend);
    queueing::counters_add_up_and_never_go_backwards(backend);

    exactly_once::every_accepted_request_completes_exactly_once(backend);

    leaving::draining_returns_everything(backend);
    leaving::draining_into_a_small_buffer_loses_nothing(backend);
    leaving::memory_comes_back_when_the_lane_returns(backend);
    leaving::memory_comes_back_when_the_lane_panics(backend);

    bare::a_flush_completes_with_zero(backend);
    bare::flushes_go_beside_reads_and_writes(backend);
    bare::a_flush_of_what_cannot_be_flushed_fails_alone(backend);
    bare::a_trim_completes_with_zero_and_needs_a_range(backend);
    if backend.moves_data() {
        bare::a_trimmed_range_of_a_file_reads_as_zeros_and_nothing_else_does(backend);
    }
    if backend.moves_data() {
        transfers::data_makes_the_round_trip(backend);
        transfers::lengths_and_offsets_need_no_alignment_on_a_buffered_file(backend);
        transfers::a_transfer_starts_where_it_is_told_to_in_its_block(backend);
        transfers::a_read_at_the_end_of_the_file_is_short(backend);
        transfers::requests_go_to_their_own_target(backend);
        transfers::a_request_that_fails_leaves_the_others_alone(backend);
    }
}
