//! Writing to devices: only the one that was named, only when nothing uses it, and then rightly.
//!
//! These need root, loop devices, and for some of them a file system, swap space or the device
//! mapper; what is missing is skipped aloud. Every loop device shows a file of the test's own
//! folder.

use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::{FileExt, OpenOptionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use nix::errno::Errno;
use nix::fcntl::OFlag;

use crate::support::{ENGINES, Folder, skip};

const BYTES: usize = 16 << 20;

/// A loop device over the file `disk` of a folder, detached when the test ends, however it ends.
pub(crate) struct Loop {
    path: PathBuf,
    file: PathBuf,
}

impl Loop {
    /// Attaches one with `flags`; `None`, said aloud, where that cannot be done.
    pub(crate) fn attach(folder: &Folder, flags: &[&str]) -> Option<Self> {
        let file = folder.file("disk", BYTES);
        Self::attach_to(&file, flags)
    }

    pub(crate) fn attach_to(shown: &Path, flags: &[&str]) -> Option<Self> {
        let mut losetup = Command::new("losetup");
        losetup.args(["--find", "--show"]).args(flags).arg(shown);
        let output = match losetup.output() {
            Ok(output) if output.status.success() => output,
            Ok(output) => {
                skip(&format!("no loop device: {}", String::from_utf8_lossy(&output.stderr)));
                return None;
            }
            Err(error) => {
                skip(&format!("no loop device: losetup: {error}"));
                return None;
            }
        };
        let path = String::from_utf8_lossy(&output.stdout).trim_end().into();
        Some(Self { path, file: shown.into() })
    }

    /// Its path.
    pub(crate) fn name(&self) -> &str {
        self.path.to_str().expect("losetup prints UTF-8")
    }

    /// All that is on it, past every cache of ours.
    pub(crate) fn content(&self) -> Vec<u8> {
        let synced = Command::new("sync").arg(&self.path).status();
        assert!(synced.is_ok_and(|status| status.success()));
        fs::read(&self.file).expect("its file is there")
    }

    /// A line that would write to it.
    fn line(&self, flags: &str) -> String {
        let name = self.name();
        format!("--engine sync --quiet --write-file {name} --write-size 1M --loops 1 {flags}")
    }

    /// Asserts that it is refused, with `words`, also as a dry run, and stays as it is.
    #[track_caller]
    fn is_refused(&self, folder: &Folder, words: &[&str]) {
        let before = self.content();
        let allowed = format!("--allow-device {}", self.name());
        for flags in ["", "--dry-run", "--buffered", "--overwrite"] {
            let line = self.line(&format!("{allowed} {flags}"));
            folder.aio(&line).refused(&[self.name()]).says(words);
        }
        assert!(self.content() == before, "{} was changed", self.name());
    }
}

impl Drop for Loop {
    fn drop(&mut self) {
        let _best_effort = Command::new("losetup").arg("-d").arg(&self.path).status();
    }
}

/// Runs something that sets a test up; says aloud when it cannot be done.
pub(crate) fn done(program: &str, arguments: &[&str]) -> bool {
    match Command::new(program).args(arguments).output() {
        Ok(output) if output.status.success() => true,
        Ok(output) => {
            skip(&format!("{program} failed: {}", String::from_utf8_lossy(&output.stderr)));
            false
        }
        Err(error) => {
            skip(&format!("{program}: {error}"));
            false
        }
    }
}

/// Runs something when the test ends, however it ends.
pub(crate) struct Undo(pub(crate) &'static str, pub(crate) Vec<String>);

impl Drop for Undo {
    fn drop(&mut self) {
        let _best_effort = Command::new(self.0).args(&self.1).status();
    }
}

#[test]
fn an_unused_device_that_was_allowed_is_written_by_every_engine_and_stays_a_device() {
    let folder = Folder::new();
    let Some(disk) = Loop::attach(&folder, &[]) else { return };
    let before = disk.content();
    let name = disk.name();
    for (seed, engine) in (1..).zip(ENGINES) {
        if !folder.can_run(engine) {
            continue;
        }
        let line = format!(
            "--engine {engine} --quiet --write-file {name} --allow-device {name} --write-size 8M \
             --block-size 256k --io-parallel 2 --validate --seed {seed} --format json"
        );
        let ended = folder.aio(&line).code(0);
        let direction = ended.direction();
        assert_eq!(direction["validated_bytes"], 8 << 20, "{direction}");
        assert_eq!(ended.json()["targets"][0]["file_system"], "block device");
        // What --validate compares with, seen by a file that the tool has never heard of.
        let line = format!(
            "--engine {engine} --quiet --write-file same --write-size 8M --block-size 256k --seed \
             {seed} --keep --buffered"
        );
        folder.aio(&line).code(0);
        let after = disk.content();
        assert!(after[..8 << 20] == fs::read(folder.path().join("same.0")).unwrap());
        assert!(after[8 << 20..] == before[8 << 20..], "more was written than was asked");
        assert_eq!(after.len(), before.len(), "it was cut");
        fs::remove_file(folder.path().join("same.0")).unwrap();
    }
    assert!(fs::metadata(name).is_ok(), "its node was removed");
    assert_eq!(folder.names(), ["disk"]);
    // It was given back.
    assert!(exclusively(&disk).is_ok());
}

fn exclusively(disk: &Loop) -> std::io::Result<File> {
    OpenOptions::new().read(true).custom_flags(OFlag::O_EXCL.bits()).open(&disk.path)
}

#[test]
fn a_device_is_not_written_unless_it_was_allowed_by_the_same_path() {
    let folder = Folder::new();
    let Some(disk) = Loop::attach(&folder, &[]) else { return };
    let Some(other) = Loop::attach_to(&folder.file("other", 1 << 20), &[]) else { return };
    let before = (disk.content(), other.content());
    let (name, another) = (disk.name(), other.name());
    for flags in ["", "--overwrite", "--overwrite --dry-run"] {
        folder.aio(&disk.line(flags)).refused(&[&format!("add --allow-device {name}")]);
    }
    let refused = |target: &str, allowed: &str, words: &str| {
        let line = format!("--engine null --quiet --write-size 1M --write-file {target}");
        folder.aio(&format!("{line} --allow-device {allowed}")).refused(&[words]);
    };
    refused(name, another, &format!("add --allow-device {name}"));
    let doubled = name.replace("/dev/", "/dev//");
    refused(&doubled, name, &format!("add --allow-device {doubled}"));
    // A link to it, whose name is written as any file's, with the tasklet's number.
    symlink(name, folder.path().join("link.0")).unwrap();
    refused("link", name, "give the same path in both places");
    refused(name, "link.0", &format!("add --allow-device {name}"));
    assert!((disk.content(), other.content()) == before, "something was changed");
}

#[test]
fn a_link_that_was_allowed_leads_to_the_device() {
    let folder = Folder::new();
    let Some(disk) = Loop::attach(&folder, &[]) else { return };
    symlink(disk.name(), folder.path().join("link")).unwrap();
    let line = "--engine sync --quiet --write-file link --write-size 1M --validate --loops 1";
    folder.aio(&format!("{line} --allow-device link")).code(0);
    let target = fs::read_link(folder.path().join("link")).unwrap();
    assert_eq!(target, disk.path, "the link was replaced");
}

#[test]
fn what_is_no_device_cannot_be_allowed() {
    let folder = Folder::new();
    folder.file("f", 4096);
    let line = "--engine null --quiet --buffered --write-file w --write-size 1M --allow-device";
    folder.aio(&format!("{line} f")).refused(&["f is not a block device", "--allow-device"]);
    folder.aio(&format!("{line} missing")).refused(&["missing", "No such file"]);
    let null = "--engine null --quiet --buffered --write-file /dev/null --write-size 1M";
    folder.aio(&format!("{null} --allow-device /dev/null")).refused(&["not a block device"]);
    assert_eq!(folder.names(), ["f"]);
}

#[test]
fn a_mounted_device_is_refused_with_where_it_is_mounted() {
    let folder = Folder::new();
    let Some(disk) = Loop::attach(&folder, &[]) else { return };
    let point = folder.path().join("mnt");
    fs::create_dir(&point).unwrap();
    let point = point.to_str().unwrap();
    if !done("mkfs.ext4", &["-q", "-F", disk.name()]) || !done("mount", &[disk.name(), point]) {
        return;
    }
    let _mounted = Undo("umount", vec![point.into()]);
    disk.is_refused(&folder, &["is in use: it is mounted on", point, "unmount it"]);
    // A link and another node lead to the same device.
    symlink(disk.name(), folder.path().join("link")).unwrap();
    let line = "--engine sync --quiet --write-file link --write-size 1M --allow-device link";
    folder.aio(line).refused(&["link is in use: it is mounted on"]);
}

/// The end of a master boot record: partitions from a sector on, with as many sectors.
fn partition_table(partitions: &[(u32, u32)]) -> [u8; 66] {
    let mut table = [0; 66];
    for (entry, (first, count)) in table.chunks_mut(16).zip(partitions) {
        entry[4] = 0x83;
        entry[8..12].copy_from_slice(&first.to_le_bytes());
        entry[12..16].copy_from_slice(&count.to_le_bytes());
    }
    table[64..].copy_from_slice(&[0x55, 0xaa]);
    table
}

#[test]
fn a_device_with_a_mounted_partition_is_refused_and_its_other_partition_is_not() {
    let folder = Folder::new();
    let file = folder.file("disk", BYTES);
    let image = OpenOptions::new().write(true).open(&file).unwrap();
    image.write_all_at(&partition_table(&[(2048, 14336), (18432, 14336)]), 446).unwrap();
    drop(image);
    let Some(disk) = Loop::attach_to(&file, &["--partscan"]) else { return };
    let parts = [1, 2].map(|number| format!("{}p{number}", disk.name()));
    if !Path::new(&parts[1]).exists() {
        return skip("this kernel does not look for partitions on loop devices");
    }
    let point = folder.path().join("mnt");
    fs::create_dir(&point).unwrap();
    let point = point.to_str().unwrap();
    if !done("mkfs.ext4", &["-q", "-F", &parts[0]]) || !done("mount", &[&parts[0], point]) {
        return;
    }
    let mounted = Undo("umount", vec![point.into()]);
    disk.is_refused(&folder, &["is in use: its partition loop", "p1 is mounted on", point]);
    let line = |part: &str| {
        let flags = "--engine sync --quiet --write-size 1M --loops 1 --validate";
        format!("{flags} --write-file {part} --allow-device {part}")
    };
    folder.aio(&line(&parts[0])).refused(&["is in use: it is mounted on", point]);
    folder.aio(&line(&parts[1])).code(0);
    drop(mounted);
    assert!(done("fsck.ext4", &["-fn", &parts[0]]), "the file system beside it was damaged");
}

#[test]
fn swap_space_is_refused() {
    let folder = Folder::new();
    let Some(disk) = Loop::attach(&folder, &[]) else { return };
    if !done("mkswap", &[disk.name()]) || !done("swapon", &[disk.name()]) {
        return;
    }
    let _swapping = Undo("swapoff", vec![disk.name().into()]);
    disk.is_refused(&folder, &["is in use: it is swap space", "swapoff"]);
}

#[test]
fn a_device_under_the_device_mapper_is_refused_and_the_mapped_one_is_not() {
    let folder = Folder::new();
    let Some(disk) = Loop::attach(&folder, &[]) else { return };
    let mapped = format!("aio-test-{}", std::process::id());
    let table = format!("0 {} linear {} 0", BYTES / 512, disk.name());
    if !done("dmsetup", &["create", &mapped, "--table", &table]) {
        return;
    }
    let _created = Undo("dmsetup", vec!["remove".into(), mapped.clone()]);
    disk.is_refused(&folder, &["is in use: it belongs to dm-", &mapped]);
    let line = "--engine sync --quiet --write-size 1M --loops 1 --validate";
    // Where no udev runs, the name in /dev/mapper is missing.
    let minor = ["info", "-c", "--noheadings", "-o", "minor", &mapped];
    let minor = Command::new("dmsetup").args(minor).output().unwrap().stdout;
    let path = format!("/dev/dm-{}", String::from_utf8_lossy(&minor).trim());
    folder.aio(&format!("{line} --write-file {path} --allow-device {path}")).code(0);
}

#[test]
fn what_another_program_holds_exclusively_is_refused() {
    let folder = Folder::new();
    let Some(disk) = Loop::attach(&folder, &[]) else { return };
    let held = exclusively(&disk).unwrap();
    disk.is_refused(&folder, &["is in use: something holds it exclusively"]);
    drop(held);
    folder.aio(&disk.line(&format!("--allow-device {}", disk.name()))).code(0);
}

#[test]
fn what_another_program_has_open_for_writing_is_refused_and_what_it_reads_is_not() {
    let folder = Folder::new();
    let Some(disk) = Loop::attach(&folder, &[]) else { return };
    let opened = OpenOptions::new().write(true).open(&disk.path).unwrap();
    disk.is_refused(&folder, &["is in use: it is open for writing by", "end that program"]);
    drop(opened);
    let _reading = File::open(&disk.path).unwrap();
    folder.aio(&disk.line(&format!("--allow-device {}", disk.name()))).code(0);
}

#[test]
fn what_another_loop_device_shows_is_refused() {
    let folder = Folder::new();
    let Some(disk) = Loop::attach(&folder, &[]) else { return };
    let Some(above) = Loop::attach_to(&disk.path, &[]) else { return };
    let shows = format!("is what {} shows", above.path.file_name().unwrap().to_str().unwrap());
    disk.is_refused(&folder, &["is in use: it", &shows, "losetup -d"]);
    drop(above);
    // Two devices over one file would overwrite each other.
    let Some(_twin) = Loop::attach_to(&disk.file, &[]) else { return };
    disk.is_refused(&folder, &["is in use: ", "disk, which loop", "losetup -d"]);
}

#[test]
fn a_read_only_device_is_refused() {
    let folder = Folder::new();
    let Some(disk) = Loop::attach(&folder, &["--read-only"]) else { return };
    let before = disk.content();
    let ended = folder.aio(&disk.line(&format!("--allow-device {}", disk.name())));
    ended.refused(&[disk.name()]);
    assert!(disk.content() == before);
}

#[test]
fn a_write_that_does_not_fit_the_device_is_refused_and_never_rounded() {
    let folder = Folder::new();
    let Some(disk) = Loop::attach(&folder, &[]) else { return };
    let before = disk.content();
    let name = disk.name();
    let line = format!("--engine sync --quiet --write-file {name} --allow-device {name} --loops 1");
    let ended = folder.aio(&format!("{line} --write-size 17M"));
    ended.refused(&[name, "has 16777216 bytes and 17825792 are to be written"]);
    let ended = folder.aio(&format!("{line} --write-size 1000"));
    ended.refused(&[name, "multiples of", "1000 is none"]);
    let ended = folder.aio(&format!("{line} --write-size 1M --threads 2"));
    ended.refused(&[name, "two tasklets"]);
    let ended = folder.aio(&format!("{line} --write-size 1M --read-file {name}"));
    ended.refused(&[name, "both written and read"]);
    let ended = folder.aio(&format!("{line} --write-size 1M --different-file-each-iteration"));
    ended.refused(&[name, "{loop}"]);
    assert!(disk.content() == before, "something was written");
    // The last block is still its own.
    folder.aio(&format!("{line} --write-size 16M --validate")).code(0);
}

#[test]
fn nobody_can_take_a_device_while_it_is_written() {
    let folder = Folder::new();
    let Some(disk) = Loop::attach(&folder, &[]) else { return };
    let name = disk.name();
    let line = format!(
        "--engine sync --quiet --write-file {name} --allow-device {name} --write-size 16M --loops \
         100000 --yes"
    );
    let mut run = Command::new(crate::support::AIO);
    let run = run.args(line.split_whitespace()).stdout(std::process::Stdio::null());
    let mut run = run.spawn().unwrap();
    // Until it holds the device, and then for as long as it runs.
    let taken = (0..600).any(|_| {
        std::thread::sleep(std::time::Duration::from_millis(50));
        exclusively(&disk).is_err()
    });
    let busy = exclusively(&disk).map(|_| ()).map_err(|error| error.raw_os_error());
    let signalled = Command::new("kill").args(["-INT", &run.id().to_string()]).status();
    let ended = run.wait().unwrap();
    assert!(taken && signalled.unwrap().success());
    assert_eq!(busy, Err(Some(Errno::EBUSY as i32)));
    assert_eq!(ended.code(), Some(130));
    assert!(exclusively(&disk).is_ok(), "it was not given back");
}

#[test]
fn results_are_not_written_over_a_device() {
    let folder = Folder::new();
    let Some(disk) = Loop::attach(&folder, &[]) else { return };
    let before = disk.content();
    let line =
        format!("--engine null --buffered --quiet --read-file disk --output {}", disk.name());
    folder.aio(&line).refused(&[disk.name(), "is a block device"]);
    assert!(disk.content() == before);
}

#[test]
fn a_device_is_free_again_when_the_program_has_ended() {
    let folder = Folder::new();
    let Some(disk) = Loop::attach(&folder, &[]) else { return };
    for engine in ENGINES.into_iter().filter(|engine| folder.can_run(engine)) {
        for _ in 0..4 {
            let line = disk.line(&format!("--allow-device {}", disk.name()));
            folder.aio(&line.replace("--engine sync", &format!("--engine {engine}"))).code(0);
        }
    }
}

#[test]
fn a_loop_device_that_goes_through_the_page_cache_is_doubtful() {
    let folder = Folder::new();
    let Some(disk) = Loop::attach(&folder, &["--direct-io=off"]) else { return };
    let line = format!("--engine sync --file {} --number-ios 9 --quiet --format json", disk.name());
    let doubts = folder.aio(&line).code(0).direction()["doubts"].to_string();
    assert!(doubts.contains("cached-below"), "{doubts}");
}

#[test]
fn devices_are_read_without_a_flag() {
    let folder = Folder::new();
    let Some(disk) = Loop::attach(&folder, &[]) else { return };
    let before = disk.content();
    let line = format!("--engine sync --quiet --read-file {} --format json", disk.name());
    let ended = folder.aio(&format!("{line} --validate")).code(0);
    assert_eq!(ended.json()["targets"][0]["size_bytes"], BYTES);
    assert!(disk.content() == before);
    let mut bytes = [0; 16];
    File::open(&disk.path).unwrap().read_exact_at(&mut bytes, 0).unwrap();
    assert_eq!(bytes[..], before[..16]);
}

#[test]
fn an_nvme_generic_device_is_guarded_like_its_block_device_and_refused_by_engines_that_read() {
    let folder = Folder::new();
    let (generic, block) = ("/dev/ng0n1", "/dev/nvme0n1");
    if File::open(generic).is_err() {
        return skip("there is no /dev/ng0n1 that may be opened");
    }
    for engine in ENGINES {
        let line = format!("--engine {engine} --quiet --io-size 1M --dry-run --read-file");
        folder.aio(&format!("{line} {generic}")).refused(&["takes commands", "/dev/nvmeXnY"]);
    }
    let line = format!("--engine sync --quiet --write-file {generic} --write-size 1M --dry-run");
    folder.aio(&line).refused(&[&format!("add --allow-device {generic}")]);
    let line = format!("{line} --allow-device {generic}");
    folder.aio(&format!("{line} --buffered")).refused(&["no page cache"]);
    let held = OpenOptions::new().read(true).custom_flags(OFlag::O_EXCL.bits()).open(block);
    folder.aio(&line).refused(&[generic, "is in use"]);
    if held.is_err() {
        return skip("the drive is in use");
    }
    drop(held);
    folder.aio(&line).refused(&["takes commands"]);
}
