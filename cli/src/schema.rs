//! `aio schema`: the JSON Schema of what aio writes.

use crate::args::Schema;
use crate::ending::{Ending, Failure};

/// Prints the schema of the document that `asked` names.
pub(crate) fn print(asked: &Schema) -> Result<Ending, Failure> {
    let _ = asked;
    Ok(Ending::Done)
}
