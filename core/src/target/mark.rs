//! The mark of files that the tool made, which it may therefore overwrite.
//!
//! An extended attribute. While a run writes the file it says just that; afterwards it holds the
//! size and the time of the last change, so that a file whose contents somebody has replaced since
//! (the attribute survives `> file`) is theirs. Where attributes do not work, files are not marked,
//! and `--overwrite` is needed.

use std::fs::File;
use std::io;
use std::os::unix::fs::MetadataExt;

use xattr::FileExt;

use crate::verify::Layout;

/// The name of the extended attribute.
pub const MARK: &str = "user.aio";

/// The name of the attribute that says how blocks lie in it that were written with `--verify`.
const LAYOUT: &str = "user.aio.verify";

/// What the mark holds while a run writes the file.
const BEING_WRITTEN: &str = "being written";

/// Whose a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner {
    /// The tool made it, and nobody has changed it since.
    Tool,
    /// The tool made it, and somebody has changed it since.
    ToolThenOthers,
    /// The tool did not make it.
    Others,
}

/// Marks a file that a run begins to write.
pub(super) fn begin(file: &File) -> io::Result<()> {
    // What is written now need not lie so.
    let _was_not_there = file.remove_xattr(LAYOUT);
    file.set_xattr(MARK, BEING_WRITTEN.as_bytes())
}

/// Notes on a marked file what it is like now that a run has written it.
///
/// # Errors
/// When the attribute cannot be read or written.
pub(crate) fn seal(file: &File) -> io::Result<()> {
    if file.get_xattr(MARK)?.is_none() {
        return Ok(());
    }
    let sealed = likeness(file)?;
    file.set_xattr(MARK, sealed.as_bytes())
}

/// Notes on a marked file how blocks lie in it that were written with `--verify`.
///
/// # Errors
/// When the attribute cannot be read or written.
pub(crate) fn note_layout(file: &File, layout: Layout) -> io::Result<()> {
    if file.get_xattr(MARK)?.is_none() {
        return Ok(());
    }
    file.set_xattr(LAYOUT, layout.to_text().as_bytes())
}

/// How blocks lie in the file, if a run has noted that and none has written to it since.
pub(crate) fn layout(file: &File) -> Option<Layout> {
    let text = file.get_xattr(LAYOUT).ok()??;
    Layout::of_text(std::str::from_utf8(&text).ok()?)
}

/// Whose the file is.
pub(super) fn owner(file: &File) -> Owner {
    let Ok(Some(mark)) = file.get_xattr(MARK) else { return Owner::Others };
    let unchanged = likeness(file).is_ok_and(|now| now.as_bytes() == mark);
    if unchanged || mark == BEING_WRITTEN.as_bytes() { Owner::Tool } else { Owner::ToolThenOthers }
}

/// What changes when somebody writes to the file, and does not when it is read or marked.
fn likeness(file: &File) -> io::Result<String> {
    let metadata = file.metadata()?;
    let (size, seconds, ns) = (metadata.size(), metadata.mtime(), metadata.mtime_nsec());
    Ok(format!("size {size}, changed {seconds}.{ns:09}"))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::FileExt as _;

    use super::*;
    use crate::testing::skip;

    #[test]
    fn a_file_is_the_tools_until_somebody_else_writes_to_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("f");
        fs::write(&path, "data").unwrap();
        let file = File::options().read(true).write(true).open(&path).unwrap();
        assert_eq!(owner(&file), Owner::Others);
        seal(&file).unwrap_or_default();
        assert_eq!(owner(&file), Owner::Others, "what was not begun is not sealed");
        if begin(&file).is_err() {
            skip("this file system has no extended attributes");
            return;
        }
        assert_eq!(owner(&file), Owner::Tool);
        file.write_all_at(b"more data", 0).unwrap();
        assert_eq!(owner(&file), Owner::Tool, "a run that was killed leaves it so");
        seal(&file).unwrap();
        assert_eq!(owner(&file), Owner::Tool);
        fs::write(&path, "precious").unwrap();
        assert_eq!(owner(&file), Owner::ToolThenOthers);
        let layout = Layout {
            checksum: crate::verify::Checksum::Crc32c,
            block_bytes: 512,
            start_bytes: 0,
            range_bytes: 1024,
            oldest: None,
        };
        note_layout(&file, layout).unwrap();
        assert_eq!(super::layout(&file), Some(layout));
        begin(&file).unwrap();
        assert_eq!(super::layout(&file), None, "the next run need not write so");
    }
}
