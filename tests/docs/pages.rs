//! The pages, taken apart: fenced blocks, links, headings.

use std::fs;
use std::path::{Path, PathBuf};

/// A page of Markdown.
pub(super) struct Page {
    /// From the root of the repository on.
    pub(super) name: String,
    pub(super) path: PathBuf,
    pub(super) text: String,
}

/// README.md, and all that lies in docs/ and its folders.
pub(super) fn pages() -> Vec<Page> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let root = root.canonicalize().expect("the repository is there");
    let mut paths = vec![root.join("README.md")];
    let mut folders = vec![root.join("docs")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("the pages are there") {
            let path = entry.expect("it can be listed").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "md") {
                paths.push(path);
            }
        }
    }
    paths.sort();
    let page = |path: PathBuf| Page {
        name: path.strip_prefix(&root).expect("it lies below").display().to_string(),
        text: fs::read_to_string(&path).expect("pages are UTF-8"),
        path,
    };
    paths.into_iter().map(page).collect()
}

impl Page {
    /// The lines of all blocks that are marked as `language`. Those that end in a backslash go on
    /// in the next one; comments and empty lines are left out.
    pub(super) fn commands(&self, language: &str) -> Vec<String> {
        let mut commands = Vec::new();
        let mut begun = String::new();
        for line in self.lines(|kind| kind == Some(language)) {
            match line.strip_suffix('\\') {
                Some(part) => begun.push_str(part),
                None => commands.push(std::mem::take(&mut begun) + line.trim_end()),
            }
        }
        commands.retain(|line| !line.trim().is_empty() && !line.starts_with('#'));
        commands
    }

    /// The places that it links to and that are no addresses of the web.
    pub(super) fn links(&self) -> Vec<String> {
        let prose: Vec<_> = self.lines(|kind| kind.is_none()).collect();
        let prose = prose.join("\n");
        let links = prose.split("](").skip(1).filter_map(|rest| rest.split(')').next());
        links.filter(|link| !link.contains("://")).map(Into::into).collect()
    }

    /// What this page calls `file`.
    pub(super) fn beside(&self, file: &str) -> PathBuf {
        self.path.parent().expect("a page lies in a folder").join(file)
    }

    /// Lines of the kind that is wanted: a block's language, or `None` outside of all blocks.
    fn lines(&self, wanted: impl Fn(Option<&str>) -> bool) -> impl Iterator<Item = &str> {
        let mut inside: Option<&str> = None;
        self.text.lines().filter(move |line| {
            if let Some(mark) = line.strip_prefix("```") {
                inside = inside.is_none().then(|| mark.trim());
                return false;
            }
            wanted(inside)
        })
    }
}

/// What can stand behind the `#` of a link to a page: its headings, as GitHub spells them.
pub(super) fn anchors(text: &str) -> Vec<String> {
    let headings = text.lines().filter_map(|line| line.strip_prefix('#'));
    let spelt = |heading: &str| {
        let words = heading.trim_start_matches('#').trim().to_lowercase();
        let kept = words.chars().filter(|one| one.is_alphanumeric() || " -_".contains(*one));
        kept.collect::<String>().replace(' ', "-")
    };
    headings.map(spelt).collect()
}
