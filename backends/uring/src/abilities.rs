//! What a ring was granted, as plain data, and the way that requests take through it.
//!
//! Nothing here is guessed from the version of a kernel. It is asked which features it has, and
//! which opcodes, by `IORING_REGISTER_PROBE`. Where that is not answered, because the kernel is
//! older than 5.6 or a filter forbids `io_uring_register`, the features say it: the opcodes of
//! Linux 5.1 are always there, and those of 5.6 where `IORING_FEAT_RW_CUR_POS` is, which came with
//! them.

use aio_core::engine::{Operation, Operations, Unsupported};
use aio_core::receipt::Receipt;
use io_uring::{IoUring, Parameters, Probe, cqueue, opcode, squeue};

use crate::options::Uring;
use crate::unsupported::{of_opcode, of_unregistered_files};

/// A feature of `linux/io_uring.h` (`IORING_FEAT_*`) that something here depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub(crate) enum Feature {
    /// Linux 5.6, as are `READ`, `WRITE`, `FALLOCATE` and the probe of opcodes.
    RwCurPos = 1 << 3,
    /// Linux 5.11: a thread of the kernel takes requests to files that are not registered.
    SqpollNonfixed = 1 << 7,
    /// Linux 5.11: a call can wait with a deadline.
    ExtArg = 1 << 8,
    /// Linux 5.17.
    CqeSkip = 1 << 11,
    /// Linux 6.12.
    MinTimeout = 1 << 15,
}

/// A set of features.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Features(pub(crate) u32);

impl Features {
    fn of(params: &Parameters) -> Self {
        let granted = [
            (Feature::RwCurPos, params.is_feature_rw_cur_pos()),
            (Feature::SqpollNonfixed, params.is_feature_sqpoll_nonfixed()),
            (Feature::ExtArg, params.is_feature_ext_arg()),
            (Feature::CqeSkip, params.is_feature_skip_cqe_on_success()),
            (Feature::MinTimeout, params.is_feature_min_timeout()),
        ];
        let granted = granted.into_iter().filter(|(_, is_granted)| *is_granted);
        Self(granted.fold(0, |bits, (feature, _)| bits | feature as u32))
    }

    pub(crate) fn contains(self, feature: Feature) -> bool {
        self.0 & feature as u32 != 0
    }
}

/// An opcode, by the name that the kernel's headers give it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Opcode {
    pub(crate) name: &'static str,
    code: u8,
    /// The first Linux that has it.
    pub(crate) since: &'static str,
}

impl Opcode {
    pub(crate) const NOP: Self = Self::new("IORING_OP_NOP", opcode::Nop::CODE, "5.1");
    pub(crate) const READV: Self = Self::new("IORING_OP_READV", opcode::Readv::CODE, "5.1");
    pub(crate) const WRITEV: Self = Self::new("IORING_OP_WRITEV", opcode::Writev::CODE, "5.1");
    pub(crate) const FSYNC: Self = Self::new("IORING_OP_FSYNC", opcode::Fsync::CODE, "5.1");
    pub(crate) const READ_FIXED: Self =
        Self::new("IORING_OP_READ_FIXED", opcode::ReadFixed::CODE, "5.1");
    pub(crate) const WRITE_FIXED: Self =
        Self::new("IORING_OP_WRITE_FIXED", opcode::WriteFixed::CODE, "5.1");
    pub(crate) const READ: Self = Self::new("IORING_OP_READ", opcode::Read::CODE, "5.6");
    pub(crate) const WRITE: Self = Self::new("IORING_OP_WRITE", opcode::Write::CODE, "5.6");
    pub(crate) const FALLOCATE: Self =
        Self::new("IORING_OP_FALLOCATE", opcode::Fallocate::CODE, "5.6");
    pub(crate) const URING_CMD: Self =
        Self::new("IORING_OP_URING_CMD", opcode::UringCmd80::CODE, "5.19");

    const ALL: [Self; 10] = [
        Self::NOP,
        Self::READV,
        Self::WRITEV,
        Self::FSYNC,
        Self::READ_FIXED,
        Self::WRITE_FIXED,
        Self::READ,
        Self::WRITE,
        Self::FALLOCATE,
        Self::URING_CMD,
    ];

    const fn new(name: &'static str, code: u8, since: &'static str) -> Self {
        Self { name, code, since }
    }

    /// Whether a kernel with `features` has it, when nothing restricts it.
    fn comes_with(self, features: Features) -> bool {
        match self.since {
            "5.1" => true,
            "5.6" => features.contains(Feature::RwCurPos),
            // There is no feature of 5.19; later ones tell.
            _ => features.contains(Feature::MinTimeout),
        }
    }

    /// Why something that needs it cannot be had, for a receipt.
    fn is_missing(self) -> String {
        let Self { name, since, .. } = self;
        if since == "5.1" {
            format!("{name} is forbidden or left out here")
        } else {
            format!("no {name}: needs Linux {since}")
        }
    }
}

/// A set of opcodes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Opcodes(u32);

impl Opcodes {
    /// Those for which `has` holds.
    pub(crate) fn that(has: impl Fn(Opcode) -> bool) -> Self {
        let there = (0..).zip(Opcode::ALL).filter(|(_, opcode)| has(*opcode));
        Self(there.fold(0, |bits, (index, _)| bits | 1 << index))
    }

    /// Those that are known of a kernel with `features` that does not tell.
    pub(crate) fn assumed(features: Features) -> Self {
        Self::that(|opcode| opcode.comes_with(features))
    }

    pub(crate) fn contains(self, opcode: Opcode) -> bool {
        let index = Opcode::ALL.iter().position(|one| *one == opcode);
        index.is_some_and(|index| self.0 & 1 << index != 0)
    }
}

/// What a ring was granted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Abilities {
    pub(crate) features: Features,
    pub(crate) opcodes: Opcodes,
    /// Whether the kernel told the opcodes; else they are what the features promise.
    pub(crate) opcodes_are_told: bool,
}

/// How data moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Transfer {
    /// `READ_FIXED`, `WRITE_FIXED`: with registered memory.
    Fixed,
    /// `READ`, `WRITE`.
    Plain,
    /// `READV`, `WRITEV`, with one vector each.
    Vectored,
}

/// How completions are waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Waits {
    /// In the call that hands requests over, which ends at the deadline.
    InCall,
    /// By polling the ring's descriptor, because calls know no deadline.
    OnDescriptor,
    /// This thread polls the device, in calls that end when they have found something (IOPOLL).
    Polling,
}

/// The way of requests through a ring: the same for each, as long as the ring exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Way {
    pub(crate) reads: Transfer,
    pub(crate) writes: Transfer,
    pub(crate) waits: Waits,
    /// Whether calls are told a deadline (`IORING_ENTER_EXT_ARG`).
    pub(crate) has_deadlines: bool,
}

/// What became of what was to be registered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Registration {
    Done,
    /// Switched off, or refused.
    NotDone,
    /// There was nothing, because the ring is only tried out, or nothing yet.
    Nothing,
}

/// What is registered with a ring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Registered {
    pub(crate) files: Registration,
    pub(crate) buffers: Registration,
}

impl Registered {
    /// Before anything was tried.
    pub(crate) const NOTHING: Self =
        Self { files: Registration::Nothing, buffers: Registration::Nothing };
}

/// One direction of data, with the opcodes that it may use.
struct Direction {
    name: &'static str,
    operation: Operation,
    fixed: Opcode,
    plain: Opcode,
    vectored: Opcode,
}

const READS: Direction = Direction {
    name: "reads",
    operation: Operation::Read,
    fixed: Opcode::READ_FIXED,
    plain: Opcode::READ,
    vectored: Opcode::READV,
};
const WRITES: Direction = Direction {
    name: "writes",
    operation: Operation::Write,
    fixed: Opcode::WRITE_FIXED,
    plain: Opcode::WRITE,
    vectored: Opcode::WRITEV,
};

/// The directions that are among `operations`.
fn directions(operations: Operations) -> impl Iterator<Item = &'static Direction> {
    [&READS, &WRITES].into_iter().filter(move |one| operations.contains(one.operation))
}

impl Abilities {
    /// Asks `ring` once.
    pub(crate) fn of<S, C>(ring: &IoUring<S, C>) -> Self
    where
        S: squeue::EntryMarker,
        C: cqueue::EntryMarker,
    {
        let features = Features::of(ring.params());
        let mut probe = Probe::new();
        match ring.submitter().register_probe(&mut probe) {
            Ok(()) => Self {
                features,
                opcodes: Opcodes::that(|opcode| probe.is_supported(opcode.code)),
                opcodes_are_told: true,
            },
            Err(_too_old_or_forbidden) => {
                Self { features, opcodes: Opcodes::assumed(features), opcodes_are_told: false }
            }
        }
    }

    pub(crate) fn has(&self, opcode: Opcode) -> bool {
        self.opcodes.contains(opcode)
    }

    /// For what of `operations` registered memory can be used: "on", or "on for reads".
    ///
    /// # Errors
    /// Why for none of them.
    pub(crate) fn fixed_buffers(&self, operations: Operations) -> Result<Receipt, String> {
        let (with, without): (Vec<_>, Vec<_>) =
            directions(operations).partition(|one| self.has(one.fixed));
        match (with.first(), without.first()) {
            (_, None) => Ok(Receipt::granted("fixed-buffers", "on")),
            (None, Some(direction)) => Err(direction.fixed.is_missing()),
            (Some(can), Some(cannot)) => {
                let granted = format!("on for {}", can.name);
                let why_not = cannot.fixed.is_missing();
                Ok(Receipt::downgraded("fixed-buffers", "on", &granted, &why_not))
            }
        }
    }

    /// The way that requests of `operations` take, with a receipt for each part of it that is an
    /// option.
    ///
    /// # Errors
    /// Which operation there is no way for.
    pub(crate) fn way(
        &self,
        operations: Operations,
        options: &Uring,
        registered: Registered,
    ) -> Result<(Way, Vec<Receipt>), Unsupported> {
        let has_deadlines = options.ext_arg && self.features.contains(Feature::ExtArg);
        let waits = match (options.iopoll && options.sqpoll.is_none(), has_deadlines) {
            (true, _) => Waits::Polling,
            (false, true) => Waits::InCall,
            (false, false) => Waits::OnDescriptor,
        };
        let mut way = Way { reads: Transfer::Plain, writes: Transfer::Plain, waits, has_deadlines };
        let mut receipts = vec![self.ext_arg_receipt(options)];
        if options.nop {
            self.require(Opcode::NOP)?;
            return Ok((way, receipts));
        }
        let is_taken_by_thread = options.sqpoll.is_some();
        let is_registered = registered.files != Registration::NotDone;
        if is_taken_by_thread && !is_registered && !self.features.contains(Feature::SqpollNonfixed)
        {
            return Err(of_unregistered_files());
        }
        if options.passthrough {
            // That a ring with entries for commands opens says as much as the feature would.
            if self.opcodes_are_told {
                self.require(Opcode::URING_CMD)?;
            }
            return Ok((way, receipts));
        }
        self.require_others(operations)?;
        way.reads = self.transfer(&READS, operations, options, registered)?;
        way.writes = self.transfer(&WRITES, operations, options, registered)?;
        receipts.extend(self.vectored_receipt(way, operations, options, registered));
        Ok((way, receipts))
    }

    fn require(&self, opcode: Opcode) -> Result<(), Unsupported> {
        if self.has(opcode) { Ok(()) } else { Err(of_opcode(opcode)) }
    }

    /// What moves no data has one opcode.
    fn require_others(&self, operations: Operations) -> Result<(), Unsupported> {
        let needs = [
            (Operation::Fsync, Opcode::FSYNC),
            (Operation::Fdatasync, Opcode::FSYNC),
            // Whether commands can discard is asked of the device.
            (Operation::Trim, Opcode::FALLOCATE),
        ];
        let needs = needs.into_iter().filter(|(operation, _)| operations.contains(*operation));
        needs.map(|(_, opcode)| opcode).try_for_each(|opcode| self.require(opcode))
    }

    fn transfer(
        &self,
        direction: &Direction,
        operations: Operations,
        options: &Uring,
        registered: Registered,
    ) -> Result<Transfer, Unsupported> {
        if registered.buffers == Registration::Done && self.has(direction.fixed) {
            return Ok(Transfer::Fixed);
        }
        match (self.has(direction.plain), self.has(direction.vectored)) {
            (true, true) if options.vectored => Ok(Transfer::Vectored),
            (false, true) => Ok(Transfer::Vectored),
            (false, false) if self.is_open(direction, options, registered) => Ok(Transfer::Fixed),
            (false, false) if operations.contains(direction.operation) => {
                Err(of_opcode(direction.plain))
            }
            // Without the opcode too, when the table of requests accepts none.
            (true, _) | (false, false) => Ok(Transfer::Plain),
        }
    }

    /// Whether registered memory may turn out to be used.
    fn is_open(&self, direction: &Direction, options: &Uring, registered: Registered) -> bool {
        let is_wanted = options.fixed_buffers && !options.vectored;
        registered.buffers == Registration::Nothing && is_wanted && self.has(direction.fixed)
    }

    fn ext_arg_receipt(&self, options: &Uring) -> Receipt {
        if !options.ext_arg {
            Receipt::granted("ext-arg", "off")
        } else if self.features.contains(Feature::ExtArg) {
            Receipt::granted("ext-arg", "on")
        } else {
            let why_not = "no IORING_FEAT_EXT_ARG: needs Linux 5.11";
            Receipt::downgraded("ext-arg", "on", "off", why_not)
        }
    }

    /// Says when vectors are used, or were asked for. While it is open whether memory can be
    /// registered, it is open whether they are, too.
    fn vectored_receipt(
        &self,
        way: Way,
        operations: Operations,
        options: &Uring,
        registered: Registered,
    ) -> Option<Receipt> {
        let transfer = |direction: &Direction| match direction.operation {
            Operation::Read => way.reads,
            _ => way.writes,
        };
        let (with, without): (Vec<_>, Vec<_>) =
            directions(operations).partition(|one| transfer(one) == Transfer::Vectored);
        let granted = match (with.first(), without.first()) {
            (Some(_), None) => "on".to_owned(),
            (Some(can), Some(_)) => format!("on for {}", can.name),
            (None, _) => "off".to_owned(),
        };
        if options.vectored {
            let Some(cannot) = without.first() else {
                return Some(Receipt::granted("vectored", "on"));
            };
            let why_not = match transfer(cannot) {
                Transfer::Fixed => "fixed-buffers takes its place".to_owned(),
                _ => cannot.vectored.is_missing(),
            };
            return Some(Receipt::downgraded("vectored", "on", &granted, &why_not));
        }
        let forced = with.into_iter().find(|one| !self.is_open(one, options, registered))?;
        let why_not = forced.plain.is_missing();
        Some(Receipt::downgraded("vectored", "off", &granted, &why_not))
    }
}

#[cfg(test)]
mod tests;
