//! Completions and manual pages, as shells and readers of pages take them.

use std::fs;

use crate::support::{AIO, Folder, skip};

/// What `program` says of the script `script`, with `arguments` behind; `None` without the program.
fn run(folder: &Folder, program: &str, arguments: &[&str]) -> Option<String> {
    match folder.program(program).args(arguments).output() {
        Ok(output) => {
            let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
            let (said, complaint) = (text(&output.stdout), text(&output.stderr));
            assert!(output.status.success(), "{program} {arguments:?}: {complaint}");
            assert_eq!(complaint, "", "{program} {arguments:?}");
            Some(said)
        }
        Err(error) => {
            skip(&format!("{program}: {error}"));
            None
        }
    }
}

/// A folder with the completions of a shell in `script`.
fn completions(shell: &str) -> Folder {
    let folder = Folder::new();
    let script = folder.aio(&format!("completions {shell}")).code(0).stdout;
    fs::write(folder.path().join("script"), script).expect("there is room");
    folder
}

#[test]
fn bash_completes_flags_commands_and_values() {
    let folder = completions("bash");
    if run(&folder, "bash", &["-n", "script"]).is_none() {
        return;
    }
    let offered = |words: &[&str]| -> Vec<String> {
        let ask = "source ./script; COMP_WORDS=(\"$@\"); COMP_CWORD=$(($# - 1)); \
                   _aio aio \"${COMP_WORDS[COMP_CWORD]}\" \"${COMP_WORDS[COMP_CWORD-1]}\"; \
                   printf '%s\\n' \"${COMPREPLY[@]}\"";
        let said = run(&folder, "bash", &[&["-c", ask, "bash"], words].concat());
        said.expect("it is there").lines().map(String::from).collect()
    };
    assert_eq!(offered(&["aio", "--qu"]), ["--queue-depth", "--quiet"]);
    assert_eq!(offered(&["aio", "--que"]), ["--queue-depth"]);
    assert_eq!(offered(&["aio", "veri"]), ["verify"]);
    assert_eq!(offered(&["aio", "--format", "j"]), ["json"]);
    assert!(offered(&["aio", "verify", "--"]).contains(&"--all-written".to_owned()));
    assert_eq!(offered(&["aio", "completions", "z"]), ["zsh"]);
}

#[test]
fn zsh_and_fish_read_their_completions() {
    for (shell, arguments) in [("zsh", ["-n", "script"]), ("fish", ["--no-execute", "script"])] {
        let _is_missing = run(&completions(shell), shell, &arguments);
    }
}

#[test]
fn a_shell_that_there_is_nothing_for_is_refused_with_the_list() {
    Folder::new().aio("completions tcsh").refused(&["tcsh", "bash, zsh, fish"]);
    Folder::new().aio("completions").refused(&["<SHELL>"]);
}

#[test]
fn pages_are_well_formed_and_have_what_they_are_about() {
    let folder = Folder::new();
    for (name, words) in [
        ("", ["queue-depth", "aio-compare(1)"]),
        ("run", ["PLAN.toml", "queue-depth"]),
        ("verify", ["all-written", "FILE"]),
        ("engines", ["nothing is read", "format"]),
        ("doctor", ["changes nothing", "PATH"]),
    ] {
        let page = folder.aio(&format!("man {name}")).code(0).stdout;
        fs::write(folder.path().join("page"), page).expect("there is room");
        let Some(text) = run(&folder, "groff", &["-man", "-ww", "-Tutf8", "-P-c", "page"]) else {
            return;
        };
        let plain = plain(&text);
        for word in words {
            assert!(plain.contains(word), "aio man {name}: no {word}\n{plain}");
        }
    }
    folder.aio("man nothing").refused(&["there is no command \"nothing\""]);
}

/// `text` without what a terminal would print over: `x`, a backspace, `x` is a bold x.
fn plain(text: &str) -> String {
    let mut plain = String::new();
    for c in text.chars() {
        if c == '\u{8}' {
            plain.pop();
        } else {
            plain.push(c);
        }
    }
    plain
}

#[test]
fn no_colour_comes_where_none_is_wanted() {
    let folder = Folder::new();
    let lines = [
        "--help",
        "--block-size 0",
        "enginse",
        "--engine sync --buffered --write-file w --write-size 8M --loops 20",
    ];
    for line in lines {
        let mut script = folder.program("script");
        // On a terminal of its own, as which both of the program's outputs are.
        let command = format!("{AIO} {line}");
        let script = script.args(["-qec", &command, "/dev/null"]);
        let Ok(output) = script.env("NO_COLOR", "1").env("TERM", "xterm-256color").output() else {
            return skip("there is no script(1)");
        };
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(said.len() > 20, "{line}: {said}");
        assert_eq!(colours(&said), 0, "aio {line}: {said:?}");
    }
}

/// Sequences that choose a colour or another look: `ESC [ … m`.
fn colours(text: &str) -> usize {
    let is_one = |rest: &&str| {
        rest.trim_start_matches(|c: char| "0123456789;:".contains(c)).starts_with('m')
    };
    text.split("\u{1b}[").skip(1).filter(is_one).count()
}

#[test]
fn a_colour_would_be_seen() {
    assert_eq!(colours("a\u{1b}[31mred\u{1b}[0m \u{1b}[1;38:5:9mb"), 3);
    assert_eq!(colours("\u{1b}[2K\u{1b}[1A\u{1b}[?25l"), 0);
}
