//! What a shell needs to know: completions and the manual page, both made of the definition of the
//! command line.

use anyhow::{Context, anyhow};
use clap::Command;
use clap_complete::generate;

use crate::args::{self, Completions, Man, Shell, nearest};
use crate::ending::{Ending, Failure};
use crate::output::Output;

/// Prints the completions of a shell.
pub(crate) fn completions(asked: &Completions) -> Result<Ending, Failure> {
    Output::Stdout.write(&script(asked.shell))?;
    Ok(Ending::Done)
}

/// Prints the manual page of aio, or of the command that is named.
pub(crate) fn manual(asked: &Man) -> Result<Ending, Failure> {
    let page = page(asked.command.as_deref())?;
    Output::Stdout.write(&page)?;
    Ok(Ending::Done)
}

fn script(shell: Shell) -> Vec<u8> {
    let shell = match shell {
        Shell::Bash => clap_complete::Shell::Bash,
        Shell::Zsh => clap_complete::Shell::Zsh,
        Shell::Fish => clap_complete::Shell::Fish,
    };
    let mut script = Vec::new();
    generate(shell, &mut shown(&args::definition()), "aio", &mut script);
    script
}

/// What help shows of `command`; the scripts would offer all of it.
fn shown(command: &Command) -> Command {
    let about = command.get_about().cloned().unwrap_or_default();
    let empty = Command::new(command.get_name().to_owned()).about(about);
    let args = command.get_arguments().filter(|arg| !arg.is_hide_set()).cloned();
    let commands = command.get_subcommands().filter(|one| !one.is_hide_set()).map(shown);
    empty.args(args).subcommands(commands)
}

fn page(name: Option<&str>) -> Result<Vec<u8>, Failure> {
    let mut whole = args::definition().disable_help_subcommand(true);
    whole.build();
    let command = match name {
        None => whole,
        // Built, it is named as it is called: aio-run(1), as the pages of git's commands are.
        Some(name) => whole
            .find_subcommand(name)
            .cloned()
            .ok_or_else(|| Failure::refused(anyhow!(no_command(&whole, name))))?,
    };
    let mut page = Vec::new();
    let rendered = clap_mangen::Man::new(command).render(&mut page);
    rendered.context("cannot make the manual page").map_err(Failure::failed)?;
    Ok(in_ascii(&String::from_utf8_lossy(&page)).into_bytes())
}

/// The same page in letters that every troff reads: `…` is `\[u2026]`.
fn in_ascii(page: &str) -> String {
    let escaped = |c: char| {
        if c.is_ascii() { c.to_string() } else { format!("\\[u{:04X}]", u32::from(c)) }
    };
    page.chars().map(escaped).collect()
}

fn no_command(whole: &clap::Command, name: &str) -> String {
    let names: Vec<_> = whole.get_subcommands().map(Command::get_name).collect();
    match nearest(name, names.iter().copied()) {
        Some(near) => format!("there is no command {name:?}; did you mean {near:?}?"),
        None => format!("there is no command {name:?}; give one of {}", names.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_command_has_a_page_with_its_flags() {
        let page = |name| String::from_utf8(page(name).unwrap()).unwrap();
        let whole = page(None);
        assert!(whole.contains(".TH aio 1") && whole.contains("aio\\-compare(1)"), "{whole}");
        assert!(whole.contains("queue\\-depth"), "{whole}");
        let verify = page(Some("verify"));
        assert!(verify.contains(".TH aio-verify 1"), "{verify}");
        assert!(verify.contains("all\\-written"), "{verify}");
    }

    #[test]
    fn a_page_is_ascii() {
        assert_eq!(in_ascii("a … b \u{1F600}"), "a \\[u2026] b \\[u1F600]");
        assert!(page(None).unwrap().is_ascii());
    }

    #[test]
    fn an_unknown_command_has_no_page_and_the_refusal_says_which_have() {
        let refusal = |name| page(Some(name)).unwrap_err().sentence();
        assert_eq!(refusal("verfy"), "there is no command \"verfy\"; did you mean \"verify\"?");
        assert!(refusal("xyz").contains("give one of engines, doctor, verify, run, fio"));
    }

    #[test]
    fn each_shell_has_its_own_script_with_the_flags_and_commands() {
        let scripts = [Shell::Bash, Shell::Zsh, Shell::Fish].map(script);
        for script in &scripts {
            let text = String::from_utf8(script.clone()).unwrap();
            assert!(text.contains("queue-depth") && text.contains("completions"));
            assert!(!text.contains("use-gds"), "hidden flags are not offered");
        }
        assert!(scripts[0] != scripts[1] && scripts[1] != scripts[2]);
    }
}
