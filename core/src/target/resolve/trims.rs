//! Targets that are trimmed.

use std::path::Path;
use std::sync::Arc;

use super::Resolver;
use crate::plan::Blocks;
use crate::target::guard::RefusedTarget;
use crate::target::open::try_folder_of;
use crate::target::tasklet::Source;
use crate::target::trim::trim_of;

impl Resolver<'_> {
    /// Refuses a target that cannot be trimmed, and ranges of which only a part would be gone.
    pub(super) fn can_trim(
        &self,
        path: &Path,
        source: &Source,
        blocks: &Blocks,
    ) -> Result<(), RefusedTarget> {
        let file = match source {
            Source::Open(file) | Source::WriteInPlace(file) => Arc::clone(file),
            // One beside it, because it is yet to be made.
            _ => Arc::new(try_folder_of(path, self.direct())?),
        };
        let trim = trim_of(&file).map_err(|why| {
            RefusedTarget::unfit(path, format!("cannot be trimmed: {}", why.sentence()))
        })?;
        let unit = u64::from(trim.alignment.offset_bytes);
        let sizes = blocks.sizes.iter().map(|one| u64::from(one.bytes));
        let mut all = sizes.chain([self.plan.block_size_bytes, blocks.offset_bytes]);
        if !trim.alignment.told || all.all(|bytes| bytes.is_multiple_of(unit)) {
            return Ok(());
        }
        let what = format!(
            "forgets units of {unit} bytes and keeps the rest of a range; give --block-size and \
             --offset in multiples of that"
        );
        Err(RefusedTarget::unfit(path, what))
    }
}
