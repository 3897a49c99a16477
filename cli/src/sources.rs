//! Files that are read as a whole before anything is done: plans, job files, results.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use crate::signals::ends_at_once;

/// How long a FIFO may have nobody who writes to it.
const PATIENCE: Duration = Duration::from_secs(10);
/// Between two looks.
const PAUSE: Duration = Duration::from_millis(20);

/// All that is in `path`, or comes from stdin for `-`, or one byte more than `bytes_max`, so that
/// neither a device nor a pipe without end fills the memory. A signal ends the program meanwhile.
///
/// # Errors
/// It cannot be opened or read.
pub(crate) fn read(path: &Path, bytes_max: u64) -> io::Result<Vec<u8>> {
    ends_at_once(|| {
        if path.as_os_str() == "-" {
            let mut bytes = Vec::new();
            io::stdin().lock().take(bytes_max + 1).read_to_end(&mut bytes)?;
            return Ok(bytes);
        }
        // Opening a FIFO would wait until somebody writes to it.
        let file = File::options().read(true).custom_flags(nix::libc::O_NONBLOCK).open(path)?;
        let is_fifo = file.metadata()?.file_type().is_fifo();
        let wait = if is_fifo { PATIENCE } else { Duration::ZERO };
        whatever_comes(&mut file.take(bytes_max + 1), wait)
    })
}

/// All that comes from `source`, which may have nothing yet; an end before anything came is one
/// only after `wait`.
fn whatever_comes(source: &mut impl Read, wait: Duration) -> io::Result<Vec<u8>> {
    let end = Instant::now() + wait;
    let mut bytes = Vec::new();
    loop {
        match source.read_to_end(&mut bytes) {
            Ok(_) if bytes.is_empty() && Instant::now() < end => thread::sleep(PAUSE),
            Ok(_) => return Ok(bytes),
            // What has come so far is in `bytes`.
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => thread::sleep(PAUSE),
            Err(error) => return Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives what is in the list, in turn.
    struct Slow(Vec<io::Result<&'static [u8]>>);

    impl Read for Slow {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            match self.0.pop() {
                None => Ok(0),
                Some(Err(error)) => Err(error),
                Some(Ok(bytes)) => {
                    buffer[..bytes.len()].copy_from_slice(bytes);
                    Ok(bytes.len())
                }
            }
        }
    }

    #[test]
    fn what_comes_late_and_in_pieces_is_read_to_its_end() {
        let later = || Err(io::ErrorKind::WouldBlock.into());
        let mut slow = Slow(vec![Ok(b"!"), later(), Ok(b"lo"), later(), Ok(b"hel"), Ok(b"")]);
        assert_eq!(whatever_comes(&mut slow, PATIENCE).unwrap(), b"hello!");
        let mut broken = Slow(vec![Err(io::ErrorKind::NotConnected.into()), Ok(b"a")]);
        assert!(whatever_comes(&mut broken, PATIENCE).is_err());
        assert_eq!(whatever_comes(&mut Slow(Vec::new()), Duration::ZERO).unwrap(), b"");
    }

    #[test]
    fn more_than_is_allowed_is_not_read() {
        assert_eq!(read(Path::new("/dev/zero"), 3).unwrap(), [0; 4]);
    }
}
