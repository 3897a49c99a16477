//! Path templates: one path for many tasklets.

use std::ffi::OsString;
use std::fmt;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A path in which `{tid}`, `{loop}` and `{bytes}` stand for the tasklet's number, the loop's and
/// the tensor's size. Other braces are ordinary characters. Any bytes that a path may have are
/// kept; only its text in reports is made UTF-8.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema)]
pub struct PathTemplate(PathBuf);

impl PathTemplate {
    /// The template `path`.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    /// The template with `suffix` behind it.
    #[must_use]
    pub fn with_suffix(&self, suffix: &str) -> Self {
        let mut path = self.0.clone().into_os_string();
        path.push(suffix);
        Self(path.into())
    }

    /// Whether the placeholder `{name}` is in it.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        let placeholder = format!("{{{name}}}");
        let bytes = self.0.as_os_str().as_bytes();
        bytes.windows(placeholder.len()).any(|window| window == placeholder.as_bytes())
    }

    /// The path of tasklet `tid` with a tensor of `size_bytes` in loop `loop_index`.
    #[must_use]
    pub fn expand(&self, tid: u32, loop_index: u32, size_bytes: u64) -> PathBuf {
        let mut path = Vec::new();
        let mut rest = self.0.as_os_str().as_bytes();
        while let Some((first, behind)) = rest.split_first() {
            let values = [
                ("{tid}", u64::from(tid)),
                ("{loop}", u64::from(loop_index)),
                ("{bytes}", size_bytes),
            ];
            let hit = values.iter().find(|(name, _)| rest.starts_with(name.as_bytes()));
            if let Some((name, value)) = hit {
                path.extend_from_slice(value.to_string().as_bytes());
                rest = &rest[name.len()..];
            } else {
                path.push(*first);
                rest = behind;
            }
        }
        OsString::from_vec(path).into()
    }
}

impl fmt::Display for PathTemplate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.display().fmt(f)
    }
}

impl Serialize for PathTemplate {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0.to_string_lossy())
    }
}

impl<'de> Deserialize<'de> for PathTemplate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::new)
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn placeholders_are_filled_in_and_other_braces_stay() {
        let template = PathTemplate::new("/d/{x}_aio_{bytes}.pt.{tid}_{loop}{");
        assert_eq!(template.expand(3, 1, 4096), Path::new("/d/{x}_aio_4096.pt.3_1{"));
        assert!(template.has("tid") && !template.has("rank"));
    }

    #[test]
    fn a_path_that_is_not_utf_8_is_kept_byte_by_byte() {
        let raw = OsString::from_vec(b"/d/\xff\xfe.{tid}".to_vec());
        let path = PathTemplate::new(raw).expand(7, 0, 0);
        assert_eq!(path.as_os_str().as_bytes(), b"/d/\xff\xfe.7");
    }
}
