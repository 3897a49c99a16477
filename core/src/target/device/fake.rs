//! A `/sys` and a `/proc` that a test plants.

use std::collections::HashMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::in_use::{Looked, Machine};
use super::sysfs::{Number, Sysfs};

/// A machine with the devices that were added to it, and no mounts, swap or loops at first.
pub(super) struct Fake {
    root: TempDir,
    mounts: String,
    swaps: String,
    paths: HashMap<PathBuf, Looked>,
}

impl Fake {
    pub(super) fn new() -> Self {
        let fake = Self {
            root: tempfile::tempdir().unwrap(),
            mounts: String::new(),
            swaps: "Filename Type Size Used Priority\n".into(),
            paths: HashMap::new(),
        };
        for folder in ["dev/block", "dev/char", "block", "class/block", "class/nvme-generic"] {
            fs::create_dir_all(fake.sys().join(folder)).unwrap();
        }
        fs::create_dir_all(fake.proc().join("self")).unwrap();
        fake
    }

    pub(super) fn sys(&self) -> PathBuf {
        self.root.path().join("sys")
    }

    pub(super) fn proc(&self) -> PathBuf {
        self.root.path().join("proc")
    }

    /// Adds a disk, of 1 MiB in blocks of 4 KiB, below `devices/{parent}`.
    pub(super) fn disk_below(&mut self, parent: &str, name: &str, number: &str) -> PathBuf {
        let folder = self.sys().join("devices").join(parent).join(name);
        self.node(&folder, number);
        for part in ["slaves", "queue"] {
            fs::create_dir(folder.join(part)).unwrap();
        }
        fs::write(folder.join("queue/logical_block_size"), "4096\n").unwrap();
        symlink(&folder, self.sys().join("block").join(name)).unwrap();
        folder
    }

    pub(super) fn disk(&mut self, name: &str, number: &str) -> PathBuf {
        self.disk_below("virtual/block", name, number)
    }

    pub(super) fn partition(&mut self, disk: &Path, name: &str, number: &str) -> PathBuf {
        let folder = disk.join(name);
        self.node(&folder, number);
        fs::write(folder.join("partition"), "1\n").unwrap();
        // Each ends where that of the next minor number begins.
        let minor = Number::parse(number).unwrap().minor;
        fs::write(folder.join("start"), format!("{}\n", 2048 * minor)).unwrap();
        folder
    }

    fn node(&mut self, folder: &Path, number: &str) {
        fs::create_dir_all(folder.join("holders")).unwrap();
        fs::write(folder.join("dev"), format!("{number}\n")).unwrap();
        fs::write(folder.join("size"), "2048\n").unwrap();
        symlink(folder, self.sys().join("dev/block").join(number)).unwrap();
        let name = folder.file_name().unwrap();
        symlink(folder, self.sys().join("class/block").join(name)).unwrap();
        let path = Path::new("/dev").join(name.to_str().unwrap().replace('!', "/"));
        self.paths.insert(path, Looked::Block(Number::parse(number).unwrap()));
    }

    /// Adds the character device of an NVMe namespace.
    pub(super) fn generic_below(&mut self, parent: &str, name: &str, number: &str) {
        let folder = self.sys().join("devices").join(parent).join(name);
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("dev"), format!("{number}\n")).unwrap();
        symlink(self.sys().join("class/nvme-generic"), folder.join("subsystem")).unwrap();
        symlink(folder, self.sys().join("dev/char").join(number)).unwrap();
    }

    /// Builds `upper` upon `lower`.
    pub(super) fn build_upon(upper: &Path, lower: &Path) {
        let name = |folder: &Path| folder.file_name().unwrap().to_owned();
        symlink(upper, lower.join("holders").join(name(upper))).unwrap();
        symlink(lower, upper.join("slaves").join(name(lower))).unwrap();
    }

    pub(super) fn mount(&mut self, number: &str, point: &str, source: &str) {
        let line = format!("9 1 {number} / {point} rw shared:1 - ext4 {source} rw\n");
        self.mounts.push_str(&line);
    }

    pub(super) fn swap(&mut self, path: &str) {
        let line = format!("{path} partition 1 0 -2\n");
        self.swaps.push_str(&line);
    }

    /// Attaches loop device `name`, which was added as a disk, to `backing`.
    pub(super) fn attach(&mut self, name: &str, backing: &str) {
        let folder = self.sys().join("block").join(name).join("loop");
        fs::create_dir(&folder).unwrap();
        fs::write(folder.join("backing_file"), format!("{backing}\n")).unwrap();
    }

    /// Puts a file on the file system of a device.
    pub(super) fn file(&mut self, path: &str, device: &str, inode: u64) {
        let device = Number::parse(device).unwrap();
        self.paths.insert(path.into(), Looked::OnDevice { device, inode });
    }

    /// Starts a program that has `device` open with these flags.
    pub(super) fn open(&mut self, pid: u32, device: &str, flags: &str) {
        let process = self.proc().join(pid.to_string());
        for (folder, name, text) in
            [("fd", "7", ""), ("fdinfo", "7", &format!("pos:\t0\nflags:\t{flags}\n"))]
        {
            fs::create_dir_all(process.join(folder)).unwrap();
            fs::write(process.join(folder).join(name), text).unwrap();
        }
        fs::write(process.join("comm"), "qemu\n").unwrap();
        self.paths.insert(process.join("fd/7"), Looked::Block(Number::parse(device).unwrap()));
    }

    /// Takes away the node of a device.
    pub(super) fn forget(&mut self, path: &str) {
        self.paths.remove(Path::new(path));
    }

    /// What the guard says of the device of this number: nothing, how it is used, or what it could
    /// not find out.
    pub(super) fn verdict(&self, number: &str) -> String {
        fs::write(self.proc().join("self/mountinfo"), &self.mounts).unwrap();
        fs::write(self.proc().join("swaps"), &self.swaps).unwrap();
        let look = |path: &Path| self.paths.get(path).copied();
        let sys = self.sys();
        let machine = Machine::read(&sys, &self.proc(), &look);
        match machine.and_then(|machine| machine.user_of(Number::parse(number).unwrap())) {
            Ok(None) => "free".into(),
            Ok(Some(used)) => used.to_string(),
            Err(unsure) => format!("unsure: {}", unsure.what),
        }
    }

    /// The block device behind a generic one, with its size and the size of its blocks.
    pub(super) fn namespace(&self, number: &str) -> Result<(String, u64, u32), String> {
        let sys = self.sys();
        let found = super::generic::namespace(Sysfs::new(&sys), Number::parse(number).unwrap());
        let found = found.map_err(|error| error.to_string())?;
        Ok((found.block.name.clone(), found.size_bytes, found.block_bytes))
    }
}
