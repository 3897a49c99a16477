//! Commands that a reader can paste.

use std::path::Path;

/// For whom commands are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shell {
    /// Whether the reader is root already; a small container has no `sudo`.
    pub(crate) is_root: bool,
}

impl Shell {
    /// A command that needs root.
    pub(crate) fn as_root(self, command: impl AsRef<str>) -> String {
        let sudo = if self.is_root { "" } else { "sudo " };
        format!("{sudo}{}", command.as_ref())
    }

    /// Writes `text` to files of the kernel. `paths` may have wildcards.
    pub(crate) fn write(self, text: &str, paths: &str) -> String {
        let text = if text.contains(' ') { format!("'{text}'") } else { text.to_owned() };
        format!("echo {text} | {}", self.as_root(format!("tee {paths}")))
    }
}

/// `path` as one word of a shell, whatever bytes it has.
pub(crate) fn quoted(path: &Path) -> String {
    let text = path.to_string_lossy();
    let text = if text.starts_with('-') { format!("./{text}") } else { text.into_owned() };
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-+=:@%,".contains(c);
    if !text.is_empty() && text.chars().all(is_plain) {
        return text;
    }
    if text.chars().all(|c| !c.is_control()) {
        return format!("'{}'", text.replace('\'', r"'\''"));
    }
    let escaped: String = text.chars().map(escaped).collect();
    format!("$'{escaped}'")
}

/// As bash, zsh and ksh read it between `$'` and `'`.
fn escaped(c: char) -> String {
    match c {
        '\'' | '\\' => format!("\\{c}"),
        c if c.is_control() => {
            // All of them have one byte or two.
            let mut buffer = [0; 4];
            let bytes = c.encode_utf8(&mut buffer).bytes();
            bytes.fold(String::new(), |text, byte| format!("{text}\\{byte:03o}"))
        }
        c => c.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn root_needs_no_sudo() {
        let (user, root) = (Shell { is_root: false }, Shell { is_root: true });
        assert_eq!(user.as_root("sysctl -w a=1"), "sudo sysctl -w a=1");
        assert_eq!(root.as_root("sysctl -w a=1"), "sysctl -w a=1");
        assert_eq!(user.write("none", "/sys/x"), "echo none | sudo tee /sys/x");
        assert_eq!(root.write("a b", "/sys/x"), "echo 'a b' | tee /sys/x");
    }

    #[test]
    fn a_path_is_one_word_whatever_is_in_it() {
        for (path, word) in [
            ("/a/b-1.c", "/a/b-1.c"),
            ("-f", "./-f"),
            ("a b", "'a b'"),
            ("it's", r"'it'\''s'"),
            ("$(rm)", "'$(rm)'"),
            ("a\n'b", r"$'a\012\'b'"),
            ("", "''"),
        ] {
            assert_eq!(quoted(Path::new(path)), word);
        }
    }

    #[test]
    fn a_shell_reads_a_quoted_path_as_it_was() {
        for path in ["a b", "it's", "$(echo no)", "a\\b", "*"] {
            let line = format!("printf %s {}", quoted(Path::new(path)));
            let output = std::process::Command::new("sh").args(["-c", &line]).output().unwrap();
            assert_eq!(String::from_utf8(output.stdout).unwrap(), path);
        }
    }
}
