//! What `aio compare --ladder libaio` climbs.

use aio_core::engine::LadderStep;

/// Linux AIO has little to add.
pub(crate) const LADDER: [LadderStep; 3] = [
    LadderStep::new("plain", "user-ring=off", false),
    LadderStep::new("+batch", "user-ring=off", true),
    LadderStep::new("+user-ring", "", true),
];
