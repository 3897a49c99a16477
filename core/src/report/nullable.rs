//! What was not measured is null in a document. In memory it is the value of nothing, and what else
//! the document says tells that it is none: a direction that failed, an engine that moves no data.

use serde::{Deserialize, Deserializer};

/// Reads null as the default.
pub(super) fn null_as_default<'de, D, T>(from: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Ok(Option::deserialize(from)?.unwrap_or_default())
}
