//! Checks data after the clock has stopped, through buffered `pread`, which no engine shares.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use thiserror::Error;

use crate::data::DataStream;

const CHUNK_BYTES: usize = 1 << 20;

/// The first byte that is not as it must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Where in the file.
    pub offset_bytes: u64,
}

/// What cannot be read back.
#[derive(Debug, Error)]
#[error("cannot read back {length_bytes} bytes at offset {offset_bytes}")]
pub struct Unreadable {
    /// Where in the file.
    pub offset_bytes: u64,
    /// How many bytes from there on were to be read.
    pub length_bytes: u64,
    /// What the kernel said; `UnexpectedEof` when the file ends there.
    pub source: io::Error,
}

/// Reads as many bytes at `offset_bytes` as `buffer` is long.
pub(crate) fn read_whole(
    file: &File,
    buffer: &mut [u8],
    offset_bytes: u64,
) -> Result<(), Unreadable> {
    let mut done = 0;
    while done < buffer.len() {
        let at = offset_bytes + done as u64;
        let source = match file.read_at(&mut buffer[done..], at) {
            Ok(0) => io::Error::new(io::ErrorKind::UnexpectedEof, "the file ends there"),
            Ok(length) => {
                done += length;
                continue;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => error,
        };
        let length_bytes = (buffer.len() - done) as u64;
        return Err(Unreadable { offset_bytes: at, length_bytes, source });
    }
    Ok(())
}

/// Compares the first `size_bytes` of `file` with what `stream` was in loop `loop_index`.
///
/// # Errors
/// What of the file cannot be read, or is behind its end.
pub fn written_as_told(
    file: &File,
    size_bytes: u64,
    stream: DataStream,
    loop_index: u32,
) -> Result<Option<Difference>, Unreadable> {
    each_chunk(file, size_bytes, |offset_bytes, chunk| {
        stream.first_difference(offset_bytes, loop_index, chunk)
    })
}

/// Compares `memory`, which a run has read from the start of `file`, with what `pread` says.
///
/// # Errors
/// What of the file cannot be read, or is behind its end.
///
/// # Panics
/// Never: offsets in memory fit a `usize`.
pub fn read_back(file: &File, memory: &[u8]) -> Result<Option<Difference>, Unreadable> {
    each_chunk(file, memory.len() as u64, |offset_bytes, chunk| {
        let start = usize::try_from(offset_bytes).expect("an offset in memory fits");
        let there = &memory[start..start + chunk.len()];
        if there == chunk {
            return None;
        }
        let index = there.iter().zip(chunk).position(|(a, b)| a != b)?;
        Some(offset_bytes + index as u64)
    })
}

fn each_chunk(
    file: &File,
    size_bytes: u64,
    check: impl Fn(u64, &[u8]) -> Option<u64>,
) -> Result<Option<Difference>, Unreadable> {
    let mut buffer = vec![0; CHUNK_BYTES];
    let mut at = 0;
    while at < size_bytes {
        let rest = usize::try_from(size_bytes - at).unwrap_or(usize::MAX);
        let chunk = &mut buffer[..rest.min(CHUNK_BYTES)];
        read_whole(file, chunk, at)?;
        if let Some(offset_bytes) = check(at, chunk) {
            return Ok(Some(Difference { offset_bytes }));
        }
        at += chunk.len() as u64;
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_wrong_byte_is_found_and_a_short_file_is_an_error() {
        let stream = DataStream::new(1, 0);
        let mut bytes = vec![0; (1 << 20) + 5000];
        let size = bytes.len() as u64;
        stream.fill(0, 3, &mut bytes);
        let file = tempfile::tempfile().unwrap();
        file.write_all_at(&bytes, 0).unwrap();
        assert_eq!(written_as_told(&file, size, stream, 3).unwrap(), None);
        assert_eq!(read_back(&file, &bytes).unwrap(), None);
        let at = (1 << 20) + 4321;
        file.write_all_at(&[!bytes[at]], at as u64).unwrap();
        let wrong = Some(Difference { offset_bytes: at as u64 });
        assert_eq!(written_as_told(&file, size, stream, 3).unwrap(), wrong);
        assert_eq!(read_back(&file, &bytes).unwrap(), wrong);
        let short = written_as_told(&file, size + 1, stream, 3);
        // The wrong byte comes first; past it, the end of the file does.
        let short = short.unwrap_err();
        assert_eq!((short.offset_bytes, short.length_bytes), (size, 1));
        assert_eq!(short.source.kind(), io::ErrorKind::UnexpectedEof);
    }
}
