//! What stamps blocks before they are written.

use twox_hash::XxHash3_64;

use super::header::{self, HEADER_BYTES};
use super::sector::{LOOP_SHIFT, SECTOR_BYTES, STAMP_BYTES};
use super::{Checksum, Generation, Header, Stamp};

/// Stamps the blocks of one lane in one loop.
#[derive(Clone, Debug)]
pub struct Writer {
    header: Header,
    header_bytes: [u8; HEADER_BYTES],
    name: u32,
    checksum: Checksum,
    compress_percent: u8,
}

impl Writer {
    /// For blocks with this `header`. A share of `compress_percent` of the content of a pattern is
    /// constant; that of checksums is left as it is.
    ///
    /// # Panics
    /// When blocks are no whole sectors.
    #[must_use]
    pub fn new(header: Header, checksum: Checksum, compress_percent: u8) -> Self {
        let length = header.length_bytes as usize;
        assert!(length > 0 && length.is_multiple_of(SECTOR_BYTES), "blocks are whole sectors");
        Self {
            header,
            header_bytes: header.to_bytes(),
            name: Self::name_of(&header),
            checksum,
            compress_percent: compress_percent.min(100),
        }
    }

    /// The hash that names who writes.
    fn name_of(header: &Header) -> u32 {
        let Header { generation: Generation { run, loop_number }, tid, lane, seed, .. } = *header;
        let mut bytes = [0; 28];
        bytes[..8].copy_from_slice(&run.to_le_bytes());
        bytes[8..16].copy_from_slice(&seed.to_le_bytes());
        for (field, number) in bytes[16..].chunks_exact_mut(4).zip([loop_number, tid, lane]) {
            field.copy_from_slice(&number.to_le_bytes());
        }
        (XxHash3_64::oneshot(&bytes) >> 32) as u32
    }

    /// The name that stamps carry.
    #[must_use]
    pub fn name(&self) -> u32 {
        self.name
    }

    /// The sequence of write `number` of the loop.
    #[must_use]
    pub fn sequence(&self, number: u64) -> u64 {
        u64::from(self.header.generation.loop_number) << LOOP_SHIFT | number
    }

    /// Stamps what of `bytes`, at `offset_bytes` of a file that is being filled, lies in the range:
    /// each block as a write of its own.
    pub(crate) fn stamp_filling(&self, offset_bytes: u64, bytes: &mut [u8]) {
        let Header { length_bytes, range_start_bytes: start, range_bytes, .. } = self.header;
        let block_bytes = u64::from(length_bytes);
        let end = (offset_bytes + bytes.len() as u64).min(start + range_bytes);
        let mut at = offset_bytes.max(start);
        while at < end {
            let number = (at - start) / block_bytes;
            let next = end.min(start + (number + 1) * block_bytes);
            let place = |at: u64| usize::try_from(at - offset_bytes).expect("it is in memory");
            self.stamp(at, self.sequence(number), &mut bytes[place(at)..place(next)]);
            at = next;
        }
    }

    /// Stamps `bytes`, which are to be written at `offset_bytes` with this `sequence`: whole
    /// sectors of blocks that lie side by side from the start of the range on.
    ///
    /// # Panics
    /// When `bytes` are no whole sectors.
    pub fn stamp(&self, offset_bytes: u64, sequence: u64, bytes: &mut [u8]) {
        assert!(bytes.len().is_multiple_of(SECTOR_BYTES), "blocks are whole sectors");
        let block_bytes = u64::from(self.header.length_bytes);
        let within = (offset_bytes - self.header.range_start_bytes) % block_bytes;
        let in_sectors = |bytes: u64| u32::try_from(bytes / SECTOR_BYTES as u64);
        let mut index = in_sectors(within).expect("a block has less than 2^32 sectors");
        let sectors = in_sectors(block_bytes).expect("a block has less than 2^32 sectors");
        let mut stamp = Stamp {
            offset_bytes,
            sequence,
            writer: self.name,
            index,
            checksum: self.checksum,
            compress_percent: self.compress_percent,
        };
        for sector in bytes.chunks_exact_mut(SECTOR_BYTES) {
            if index == 0 {
                sector[STAMP_BYTES..header::END].copy_from_slice(&self.header_bytes);
            }
            stamp.index = index;
            stamp.put(sector);
            stamp.offset_bytes += SECTOR_BYTES as u64;
            index = if index + 1 == sectors { 0 } else { index + 1 };
        }
    }
}
