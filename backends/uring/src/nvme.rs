//! NVMe namespaces behind generic character devices (`/dev/ng0n1`), and the commands to them.
//!
//! Layouts and numbers are those of `linux/nvme_ioctl.h` and of the NVM Express base and NVM
//! command set specifications, 2.0.
#![expect(unsafe_code, reason = "asks a device what it is by ioctl")]

use std::ffi::{c_int, c_ulong};
use std::fs::{self, File, Metadata};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::PathBuf;

use aio_core::engine::{Operation, Request, Unsupported};
use aio_core::target::namespace_id;

/// `NVME_IOCTL_ADMIN_CMD`, which takes a `struct nvme_admin_cmd`.
const IOCTL_ADMIN_CMD: c_ulong = 0xc048_4e41;
/// `NVME_URING_CMD_IO`, which takes a `struct nvme_uring_cmd`.
pub(crate) const URING_CMD_IO: u32 = 0xc048_4e80;

/// Opcodes of the NVM command set.
const FLUSH: u8 = 0x00;
const WRITE: u8 = 0x01;
const READ: u8 = 0x02;
/// The admin command that asks what something is.
const IDENTIFY: u8 = 0x06;
/// Bytes that it answers with.
const IDENTIFY_BYTES: usize = 4096;
/// The most blocks of one command, whose number of them has 16 bits.
const BLOCKS_MAX: u32 = 1 << 16;

/// `struct nvme_uring_cmd` and `struct nvme_admin_cmd`, which differ only in what is left 0 here,
/// in the room that an entry of 128 bytes has.
#[derive(Clone, Copy)]
#[repr(C, align(8))]
pub(crate) struct Command(pub(crate) [u8; 80]);

impl Command {
    fn new(opcode: u8, namespace_id: u32) -> Self {
        let mut command = Self([0; 80]);
        command.0[0] = opcode;
        command.put(4, namespace_id);
        command
    }

    fn with_data(mut self, address: usize, length_bytes: u32) -> Self {
        self.0[24..32].copy_from_slice(&(address as u64).to_ne_bytes());
        self.put(36, length_bytes);
        self
    }

    /// Sets command double word `number`, one of 10 to 15.
    fn with_word(mut self, number: usize, value: u32) -> Self {
        self.put(number * 4, value);
        self
    }

    fn put(&mut self, at: usize, value: u32) {
        self.0[at..at + 4].copy_from_slice(&value.to_ne_bytes());
    }
}

/// What is known of a namespace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Namespace {
    id: u32,
    block_bytes: u32,
    /// The longest command that the device and its driver take.
    largest_bytes: u32,
}

impl Namespace {
    /// Asks the device that is open as `file`.
    ///
    /// # Errors
    /// When it is no NVMe generic device, or its format is not supported.
    pub(crate) fn of(file: &File) -> Result<Self, Unsupported> {
        let metadata = file.metadata().map_err(|source| failed("cannot be looked at", source))?;
        if !metadata.file_type().is_char_device() {
            return Err(not_generic(None));
        }
        let id = namespace_id(file).map_err(|error| not_generic(Some(error)))?;
        let Some(id) = u32::try_from(id).ok().filter(|id| *id > 0) else {
            return Err(not_generic(None));
        };
        let identity = identify(file, id).map_err(|source| failed("does not identify", source))?;
        let queue = block_device_of(&metadata).map(|device| device.join("queue"));
        let largest_kib = queue
            .and_then(|queue| fs::read_to_string(queue.join("max_hw_sectors_kb")).ok())
            .and_then(|text| text.trim().parse::<u32>().ok());
        let Some(largest_kib) = largest_kib else {
            return Err(Unsupported::new(
                "sysfs does not tell how much one command of this NVMe device may move",
                "give its block device and leave out passthrough",
            ));
        };
        let block_bytes = block_bytes(&identity)?;
        let largest_bytes = largest_kib.saturating_mul(1024);
        Ok(Self { id, block_bytes, largest_bytes })
    }

    /// Refuses blocks that are longer than one command may be.
    ///
    /// # Errors
    /// With the length that one command may have.
    pub(crate) fn check(&self, largest_block_bytes: u32) -> Result<(), Unsupported> {
        let most = self.largest_bytes.min(self.block_bytes.saturating_mul(BLOCKS_MAX));
        if largest_block_bytes <= most {
            return Ok(());
        }
        Err(Unsupported::new(
            format!(
                "blocks of {largest_block_bytes} bytes are longer than the {most} that one command \
                 to this NVMe device may move, and passthrough splits nothing"
            ),
            format!("ask for --block-size {most} or less"),
        ))
    }

    /// The command for `request` with its memory at `address`; none when its range is not whole
    /// blocks, or too long for one.
    pub(crate) fn command(&self, request: &Request, address: usize) -> Option<Command> {
        let opcode = match request.operation {
            Operation::Read => READ,
            Operation::Write => WRITE,
            Operation::Fsync | Operation::Fdatasync => return Some(Command::new(FLUSH, self.id)),
            _ => return None,
        };
        let block_bytes = u64::from(self.block_bytes);
        let length_bytes = request.length_bytes;
        let is_whole = request.offset_bytes.is_multiple_of(block_bytes)
            && length_bytes.is_multiple_of(self.block_bytes)
            && (1..=self.largest_bytes).contains(&length_bytes);
        let last_block = (length_bytes / self.block_bytes).checked_sub(1)?;
        if !is_whole || last_block >= BLOCKS_MAX {
            return None;
        }
        let first_block = request.offset_bytes / block_bytes;
        let half = |bits| u32::try_from(bits).expect("32 of 64 bits");
        let command = Command::new(opcode, self.id)
            .with_data(address, length_bytes)
            .with_word(10, half(first_block & u64::from(u32::MAX)))
            .with_word(11, half(first_block >> 32))
            .with_word(12, last_block);
        Some(command)
    }
}

/// The answer of *identify namespace*.
fn identify(file: &File, namespace_id: u32) -> io::Result<Box<[u8; IDENTIFY_BYTES]>> {
    let mut answer = Box::new([0; IDENTIFY_BYTES]);
    let length = u32::try_from(IDENTIFY_BYTES).expect("a page");
    // Word 10 is 0: what the namespace is.
    let mut command =
        Command::new(IDENTIFY, namespace_id).with_data(answer.as_mut_ptr() as usize, length);
    // SAFETY: the descriptor is open; the kernel reads and writes the command, which is long and
    // aligned enough, and writes the answer, which has as many bytes as the command says.
    let status = unsafe { libc::ioctl(file.as_raw_fd(), IOCTL_ADMIN_CMD as _, &raw mut command) };
    match status {
        0 => Ok(answer),
        c_int::MIN..0 => Err(io::Error::last_os_error()),
        _status_of_nvme => Err(io::Error::from_raw_os_error(libc::EIO)),
    }
}

/// The size of a logical block, out of what a namespace says of itself.
fn block_bytes(identity: &[u8; IDENTIFY_BYTES]) -> Result<u32, Unsupported> {
    let formatted = identity[26];
    // The upper bits are 0 where there are no more than 16 formats.
    let format = usize::from(formatted & 0x0f | (formatted & 0x60) >> 1);
    let description = &identity[128 + 4 * format..][..4];
    let metadata_bytes = u16::from_le_bytes([description[0], description[1]]);
    if metadata_bytes != 0 {
        return Err(Unsupported::new(
            format!("the NVMe namespace is formatted with {metadata_bytes} metadata bytes a block"),
            "give its block device and leave out passthrough, or another namespace",
        ));
    }
    match description[2] {
        bits @ 9..=16 => Ok(1 << bits),
        bits => {
            let reason = format!("the NVMe namespace has blocks of 2^{bits} bytes");
            Err(Unsupported { reason, cure: None, source: None })
        }
    }
}

fn not_generic(source: Option<io::Error>) -> Unsupported {
    let reason = "passthrough sends commands to an NVMe generic device, and the target is none";
    let cure = "give the character device (/dev/ng0n1) beside the block device (/dev/nvme0n1)";
    Unsupported { source, ..Unsupported::new(reason, cure) }
}

fn failed(what: &str, source: io::Error) -> Unsupported {
    let name = crate::open::errno_name(&source);
    let cure = "run as root; from Linux 6.2 on, a device file that may be written is enough";
    Unsupported {
        reason: format!("the NVMe device {what} ({name})"),
        cure: Some(cure.into()),
        source: Some(source),
    }
}

/// The folder in sysfs of the block device (`nvme0n1`) of the namespace that a generic character
/// device (`ng0n1`) stands for.
pub(crate) fn block_device_of(character_device: &Metadata) -> Option<PathBuf> {
    let number = character_device.rdev();
    let name = format!("/sys/dev/char/{}:{}", libc::major(number), libc::minor(number));
    let device = fs::canonicalize(name).ok()?;
    let namespace = device.file_name()?.to_str()?.strip_prefix("ng")?;
    let block_device = fs::canonicalize(format!("/sys/class/block/nvme{namespace}")).ok()?;
    block_device.is_dir().then_some(block_device)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DISK: Namespace = Namespace { id: 3, block_bytes: 512, largest_bytes: 1 << 19 };

    fn request(operation: Operation, offset_bytes: u64, length_bytes: u32) -> Request {
        Request {
            offset_bytes,
            block: None,
            length_bytes,
            block_start_bytes: 0,
            tag: 0,
            target: 0,
            operation,
        }
    }

    fn words(command: &Command) -> Vec<u32> {
        let word = |bytes: &[u8]| u32::from_ne_bytes(bytes.try_into().unwrap());
        command.0.chunks(4).map(word).collect()
    }

    #[test]
    fn a_command_says_where_how_much_and_from_which_memory() {
        let offset_bytes = (5_u64 << 32 | 9) * 512;
        let write = request(Operation::Write, offset_bytes, 8192);
        let words = words(&DISK.command(&write, 0x1_2345_6000).unwrap());
        assert_eq!(words[..2], [1, 3], "opcode and namespace");
        assert_eq!(words[6..8], [0x2345_6000, 1], "address");
        assert_eq!(words[8..13], [0, 8192, 9, 5, 15], "length, first block, last of the blocks");
        assert!(words[2..6].iter().chain(&words[13..]).all(|word| *word == 0));
        let read = DISK.command(&request(Operation::Read, 0, 512), 0).unwrap();
        assert_eq!((read.0[0], read.0[48]), (2, 0), "one block is counted as 0");
        let flush = DISK.command(&request(Operation::Fsync, 0, 0), 0).unwrap();
        assert_eq!(self::words(&flush)[..2], [0, 3]);
    }

    #[test]
    fn what_is_not_whole_blocks_or_is_too_long_is_no_command() {
        let none =
            |offset, length| DISK.command(&request(Operation::Write, offset, length), 0).is_none();
        assert!(none(1, 512) && none(0, 513) && none(0, 0) && none(0, (1 << 19) + 512));
        assert!(!none(512, 1 << 19));
        assert!(DISK.check(1 << 19).is_ok());
        let refused = DISK.check(1 << 20).unwrap_err().sentence();
        assert!(refused.ends_with("ask for --block-size 524288 or less"), "{refused}");
        let huge = Namespace { largest_bytes: u32::MAX, ..DISK };
        assert!(huge.check(512 << 16).is_ok() && huge.check((512 << 16) + 512).is_err());
    }

    #[test]
    fn the_format_in_use_tells_the_size_of_blocks_and_metadata_is_refused() {
        let mut identity = [0; IDENTIFY_BYTES];
        identity[128 + 2] = 9;
        identity[132..136].copy_from_slice(&[0, 0, 12, 0]);
        identity[136..140].copy_from_slice(&[8, 0, 12, 0]);
        assert_eq!(block_bytes(&identity).unwrap(), 512);
        identity[26] = 1;
        assert_eq!(block_bytes(&identity).unwrap(), 4096);
        identity[26] = 2;
        assert!(block_bytes(&identity).unwrap_err().reason.contains("8 metadata bytes"));
        identity[26] = 3;
        assert!(block_bytes(&identity).unwrap_err().reason.contains("2^0"));
        identity[26] = 0x20;
        identity[128 + 4 * 16 + 2] = 12;
        assert_eq!(block_bytes(&identity).unwrap(), 4096, "the 17th format");
    }

    #[test]
    fn a_file_and_another_character_device_are_refused_in_a_sentence() {
        for path in ["/proc/self/exe", "/dev/null"] {
            let refused = Namespace::of(&File::open(path).unwrap()).unwrap_err().sentence();
            assert!(refused.contains("/dev/ng0n1"), "{path}: {refused}");
        }
    }
}
