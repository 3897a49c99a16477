//! Whose rights the program runs with: those of who started it, and no others.

use anyhow::anyhow;
use nix::unistd::{getegid, geteuid, getgid, getuid};

use crate::ending::Failure;

/// Refuses to run set-uid or set-gid: the program writes where it is told, so whoever may start
/// it could write wherever its owner can.
pub(crate) fn refuse_borrowed() -> Result<(), Failure> {
    if getuid() == geteuid() && getgid() == getegid() {
        return Ok(());
    }
    Err(Failure::refused(anyhow!(
        "the program is set-uid or set-gid, and would write with rights that are not those of who \
         started it; take the bit off with chmod ug-s, or use sudo"
    )))
}
