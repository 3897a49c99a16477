//! Programs of `ci/lab` that play what a machine seldom has.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Compiles `name`.c of the lab, or says why that cannot be done here.
pub(crate) fn compile(name: &str) -> Result<PathBuf, String> {
    let source = format!("{}/../ci/lab/{name}.c", env!("CARGO_MANIFEST_DIR"));
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    // Made beside and renamed: another process may be running the one that is there.
    let beside = folder.join(format!("{name}.{}", std::process::id()));
    let mut compiler = Command::new(env::var_os("CC").unwrap_or_else(|| "cc".into()));
    compiler.env("LC_ALL", "C").args(["-Wall", "-Wextra", "-pthread", &source, "-o"]);
    let output =
        compiler.arg(&beside).output().map_err(|error| format!("a C compiler: {error}"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    if said.contains("No such file or directory") {
        return Err(format!("the headers of C and Linux: {said}"));
    }
    assert!(output.status.success(), "{source} does not compile:\n{said}");
    let path = folder.join(name);
    fs::rename(&beside, &path).map_err(|error| error.to_string())?;
    Ok(path)
}
