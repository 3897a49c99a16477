//! Whether anything on the machine uses a device.
//!
//! Looked at are the device, all of its partitions, the disk that it is a partition of, what is
//! built upon any of these, what it is itself built upon, and other ways to the same drive. The
//! other partitions of its disk do not matter, unless they overlap it. The kernel's own lock, an
//! exclusive open, catches most of this and what other namespaces hide; but a loop device takes no
//! lock on what it shows, and only the tables here can say in words what is wrong.

use std::collections::HashSet;
use std::fmt;
use std::fs;
use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

use super::sysfs::{Loop, Node, Number, Sysfs};
use super::tables::{self, Mount};
use super::writers::{Writer, writers};

/// What a path leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Looked {
    /// A block device.
    Block(Number),
    /// Something on a file system.
    OnDevice { device: Number, inode: u64 },
}

/// Looks at a path; `None` when it leads nowhere.
pub(super) fn look(path: &Path) -> Option<Looked> {
    let there = fs::metadata(path).ok()?;
    if there.file_type().is_block_device() {
        return Some(Looked::Block(Number::of(there.rdev())));
    }
    Some(Looked::OnDevice { device: Number::of(there.dev()), inode: there.ino() })
}

/// A device is used. Reads as "is in use: …", with what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct InUse {
    /// What of it is used, as the subject of a sentence.
    who: String,
    how: Use,
}

/// How something is used.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Use {
    Mounted(PathBuf),
    Swap,
    SwapFile(PathBuf),
    Held(String),
    Looped(String),
    Open(String),
}

impl InUse {
    /// Whether this may be over in a moment.
    pub(super) fn may_be_short(&self) -> bool {
        matches!(self.how, Use::Open(_))
    }
}

impl fmt::Display for InUse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "is in use: {} {}; {}, or give another device",
            self.who,
            self.how,
            self.how.cure()
        )
    }
}

impl fmt::Display for Use {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Mounted(point) => write!(f, "is mounted on {}", point.display()),
            Self::Swap => write!(f, "is swap space"),
            Self::SwapFile(path) => write!(f, "holds the swap file {}", path.display()),
            Self::Held(holder) => write!(f, "belongs to {holder}"),
            Self::Looped(name) => write!(f, "is what {name} shows"),
            Self::Open(program) => write!(f, "is open for writing by {program}"),
        }
    }
}

impl Use {
    fn cure(&self) -> String {
        match self {
            Self::Mounted(_) => "unmount it".into(),
            Self::Swap | Self::SwapFile(_) => "end that with swapoff".into(),
            Self::Held(_) => "take it out of there".into(),
            Self::Looped(name) => format!("detach that with losetup -d /dev/{name}"),
            Self::Open(_) => "end that program".into(),
        }
    }
}

/// It cannot be told whether a device is used, which counts as used.
#[derive(Debug)]
pub(super) struct Unsure {
    /// What cannot be looked at, as in "… cannot be looked at".
    pub(super) what: String,
}

impl Unsure {
    fn of(what: &str) -> impl FnOnce(io::Error) -> Self {
        move |error| Self { what: format!("{what} cannot be read ({error})") }
    }
}

/// All that says what is used, read at one moment.
pub(super) struct Machine<'a> {
    sysfs: Sysfs<'a>,
    look: &'a dyn Fn(&Path) -> Option<Looked>,
    mounts: Vec<Mount>,
    swaps: Vec<PathBuf>,
    loops: Vec<Loop>,
    writers: Vec<Writer>,
}

type Found = Result<Option<InUse>, Unsure>;

impl<'a> Machine<'a> {
    /// Reads the tables below `sys` and `proc`; paths in them are looked at by `look`.
    pub(super) fn read(
        sys: &'a Path,
        proc: &Path,
        look: &'a dyn Fn(&Path) -> Option<Looked>,
    ) -> Result<Self, Unsure> {
        let sysfs = Sysfs::new(sys);
        Ok(Self {
            sysfs,
            look,
            mounts: tables::mounts(proc).map_err(Unsure::of("the table of mounts"))?,
            swaps: tables::swaps(proc).map_err(Unsure::of("the table of swap space"))?,
            loops: sysfs.loops().map_err(Unsure::of("the list of loop devices"))?,
            writers: writers(proc, look),
        })
    }

    /// What uses the block device of this number, its parts, or what it is a part of.
    pub(super) fn user_of(&self, number: Number) -> Found {
        let node = self.sysfs.block(number).map_err(Unsure::of(&format!("device {number}")))?;
        self.all_of("it", &node, None, &mut HashSet::new())
    }

    /// All of `node`: as if it was itself to be written. Loop device `except` may show it.
    fn all_of(
        &self,
        who: &str,
        node: &Node,
        except: Option<&str>,
        seen: &mut HashSet<Number>,
    ) -> Found {
        if !seen.insert(node.number) {
            return Ok(None);
        }
        let unsure = |error| Unsure::of(&format!("what is known of {}", node.name))(error);
        if let Some(used) = self.used_or_held(who, node, except)? {
            return Ok(Some(used));
        }
        for part in node.partitions().map_err(unsure)? {
            let part_name = if who == "it" {
                format!("its partition {}", part.name)
            } else {
                format!("{}, a part of {who}", part.name)
            };
            if let Some(used) = self.used_or_held(&part_name, &part, except)? {
                return Ok(Some(used));
            }
        }
        let disk = node.disk().map_err(unsure)?;
        if let Some(disk) = &disk {
            let disk_name = format!("{}, of which {who} is a part,", disk.name);
            if let Some(used) = self.used_or_held(&disk_name, disk, except)? {
                return Ok(Some(used));
            }
            for part in disk.partitions().map_err(unsure)? {
                let name = format!("{}, which overlaps it,", part.name);
                if part.number != node.number
                    && node.overlaps(&part).map_err(unsure)?
                    && let Some(used) = self.used_or_held(&name, &part, except)?
                {
                    return Ok(Some(used));
                }
            }
        }
        if let Some(used) = self.twin_of(disk.as_ref().unwrap_or(node), except)? {
            return Ok(Some(used));
        }
        self.below(disk.as_ref().unwrap_or(node), seen)
    }

    /// What uses another way to the same drive, which may be all of it or any partition.
    fn twin_of(&self, disk: &Node, except: Option<&str>) -> Found {
        let unsure = |error| Unsure::of("the list of disks")(error);
        let Some(name) = disk.worldwide_name() else { return Ok(None) };
        for twin in self.sysfs.disks().map_err(unsure)? {
            if twin.number == disk.number || twin.worldwide_name().as_ref() != Some(&name) {
                continue;
            }
            let parts = twin.partitions().map_err(unsure)?;
            for part in std::iter::once(&twin).chain(&parts) {
                let who = format!("{}, which leads to the same drive as {},", part.name, disk.name);
                if let Some(used) = self.used_or_held(&who, part, except)? {
                    return Ok(Some(used));
                }
            }
        }
        Ok(None)
    }

    /// What `node`, a whole disk, is built upon: its slaves, or what it shows as a loop device.
    fn below(&self, node: &Node, seen: &mut HashSet<Number>) -> Found {
        let unsure = |error| Unsure::of(&format!("what is below {}", node.name))(error);
        for slave in node.slaves().map_err(unsure)? {
            // Its holders are not asked: one is `node`, and others hold other parts of it.
            let name = format!("{}, which {} is built upon,", slave.name, node.name);
            if let Some(used) = self.used(&name, &slave, None)? {
                return Ok(Some(used));
            }
            let disk = slave.disk().map_err(unsure)?;
            if let Some(disk) = &disk {
                let name = format!("{}, which {} is built upon,", disk.name, node.name);
                if let Some(used) = self.used(&name, disk, None)? {
                    return Ok(Some(used));
                }
            }
            let whole = disk.unwrap_or(slave);
            if seen.insert(whole.number)
                && let Some(used) = self.below(&whole, seen)?
            {
                return Ok(Some(used));
            }
        }
        match self.loops.iter().find(|one| one.name == node.name) {
            Some(shows) => self.shown_by(shows, seen),
            None => Ok(None),
        }
    }

    /// What a loop device shows: writing to it changes that.
    fn shown_by(&self, shows: &Loop, seen: &mut HashSet<Number>) -> Found {
        let backing = shows.backing.display();
        let who = format!("{backing}, which {} shows,", shows.name);
        match self.look(&shows.backing) {
            None => {
                let name = &shows.name;
                Err(Unsure { what: format!("{backing}, which {name} shows, cannot be looked at") })
            }
            Some(Looked::Block(number)) => {
                let node = self.sysfs.block(number).map_err(Unsure::of(&who))?;
                self.all_of(&who, &node, Some(&shows.name), seen)
            }
            Some(file @ Looked::OnDevice { .. }) => {
                let mut others = self.loops.iter().filter(|other| other.name != shows.name);
                if let Some(other) = others.find(|other| self.look(&other.backing) == Some(file)) {
                    return Ok(Some(InUse { who, how: Use::Looped(other.name.clone()) }));
                }
                let swap = self.swaps.iter().any(|swap| self.look(swap) == Some(file));
                Ok(swap.then_some(InUse { who, how: Use::Swap }))
            }
        }
    }

    /// What uses exactly `node`, or is built upon it.
    fn used_or_held(&self, who: &str, node: &Node, except: Option<&str>) -> Found {
        if let Some(used) = self.used(who, node, except)? {
            return Ok(Some(used));
        }
        let unsure = |error| Unsure::of(&format!("what is built upon {}", node.name))(error);
        let Some(holder) = node.holders().map_err(unsure)?.into_iter().next() else {
            return Ok(None);
        };
        let how = Use::Held(self.describe(&holder, &mut HashSet::new()));
        Ok(Some(InUse { who: who.into(), how }))
    }

    /// What uses exactly `node`.
    fn used(&self, who: &str, node: &Node, except: Option<&str>) -> Found {
        let found = |how| Ok(Some(InUse { who: who.into(), how }));
        let here = |path: &PathBuf| self.look(path) == Some(Looked::Block(node.number));
        let is_here =
            |mount: &&Mount| mount.device == node.number || mount.sources.iter().any(here);
        if let Some(mount) = self.mounts.iter().find(is_here) {
            return found(Use::Mounted(mount.point.clone()));
        }
        for swap in &self.swaps {
            match self.look(swap) {
                Some(Looked::Block(number)) if number == node.number => return found(Use::Swap),
                Some(Looked::OnDevice { device, .. }) if device == node.number => {
                    return found(Use::SwapFile(swap.clone()));
                }
                _ => {}
            }
        }
        for other in self.loops.iter().filter(|other| Some(other.name.as_str()) != except) {
            match self.look(&other.backing) {
                Some(Looked::Block(number)) if number == node.number => {
                    return found(Use::Looped(other.name.clone()));
                }
                None if other.backing.starts_with("/dev") => {
                    let (name, backing) = (&other.name, other.backing.display());
                    let what = format!("{backing}, which {name} shows, cannot be looked at");
                    return Err(Unsure { what });
                }
                _ => {}
            }
        }
        let writer = self.writers.iter().find(|writer| writer.device == node.number);
        writer.map_or(Ok(None), |writer| found(Use::Open(writer.program.clone())))
    }

    /// The name of a holder, with where it leads: the first mount or swap above it.
    fn describe(&self, holder: &Node, seen: &mut HashSet<Number>) -> String {
        let mut text = holder.name.clone();
        if let Some(mapped) = holder.mapped_name() {
            text = format!("{text} ({mapped})");
        }
        if !seen.insert(holder.number) {
            return text;
        }
        let parts = std::iter::once(holder.clone()).chain(holder.partitions().unwrap_or_default());
        for part in parts {
            if let Ok(Some(used)) = self.used("", &part, None) {
                return format!("{text}, which {}", used.how);
            }
            if let Some(above) = part.holders().unwrap_or_default().first() {
                return format!("{text}, which belongs to {}", self.describe(above, seen));
            }
        }
        text
    }

    /// Looks at a path of the tables; a device without a node is known by its name.
    fn look(&self, path: &Path) -> Option<Looked> {
        (self.look)(path).or_else(|| {
            let name = path.strip_prefix("/dev").ok()?;
            self.sysfs.number_of_name(name).map(Looked::Block)
        })
    }
}
