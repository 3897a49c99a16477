//! What `aio compare --ladder uring` climbs.

use aio_core::engine::LadderStep;

/// Polling for completions needs a device with queues for it; a kernel thread that takes requests
/// does not, but excludes `defer-taskrun`.
pub(crate) const LADDER: [LadderStep; 7] = [
    LadderStep::new(
        "plain",
        "fixed-files=off:fixed-buffers=off:single-issuer=off:defer-taskrun=off:coop-taskrun=off:\
         no-sqarray=off:registered-ring=off",
        false,
    ),
    LadderStep::new(
        "+batch",
        "fixed-files=off:fixed-buffers=off:single-issuer=off:defer-taskrun=off:coop-taskrun=off:\
         no-sqarray=off:registered-ring=off",
        true,
    ),
    LadderStep::new(
        "+files",
        "fixed-buffers=off:single-issuer=off:defer-taskrun=off:coop-taskrun=off:no-sqarray=off:\
         registered-ring=off",
        true,
    ),
    LadderStep::new(
        "+buffers",
        "single-issuer=off:defer-taskrun=off:coop-taskrun=off:no-sqarray=off:registered-ring=off",
        true,
    ),
    LadderStep::new("+ring", "single-issuer=off:defer-taskrun=off:coop-taskrun=off", true),
    LadderStep::new("+defer-taskrun", "", true),
    LadderStep { otherwise: Some(&SQPOLL), ..LadderStep::new("+iopoll", "iopoll", true) },
];

const SQPOLL: LadderStep =
    LadderStep::new("+sqpoll (without defer-taskrun)", "sqpoll:defer-taskrun=off", true);
