//! The listing of engines.

use serde_json::Value;

use crate::support::{ENGINES, Folder};

/// The values that an option takes, as far as a test can make some up from the listing.
fn values(option: &Value) -> Vec<String> {
    match &option["accepts"] {
        Value::String(switch) if switch == "switch" => vec!["on".into(), "off".into()],
        other => {
            let range = &other["number"];
            [&range["least"], &range["most"]].map(Value::to_string).into()
        }
    }
}

#[test]
fn what_is_listed_is_what_a_run_takes() {
    let folder = Folder::new();
    let listing = folder.aio("engines --format json").code(0).json();
    let engines = listing["engines"].as_array().expect("a list");
    let names: Vec<_> = engines.iter().map(|one| one["engine"].as_str().unwrap()).collect();
    assert!(ENGINES.iter().all(|name| names.contains(name)), "{names:?}");
    for engine in engines {
        let name = engine["engine"].as_str().unwrap();
        let others = engine["aliases"].as_array().unwrap().iter().map(|one| one.as_str().unwrap());
        let mut specs: Vec<_> = std::iter::once(name).chain(others).map(String::from).collect();
        for option in engine["options"].as_array().unwrap() {
            let key = option["key"].as_str().unwrap();
            specs.extend(values(option).iter().map(|value| format!("{name}:{key}={value}")));
        }
        for spec in specs {
            let line =
                format!("--buffered --dry-run --write-file w --write-size 64M --engine {spec}");
            let stderr = folder.aio(&line).stderr;
            // It may not run here, or make no sense alone; but it is known.
            for word in ["there is no engine", "there is no option", "cannot be '"] {
                assert!(!stderr.contains(word), "{spec}: {stderr}");
            }
        }
    }
    assert_eq!(folder.names(), [""; 0], "asking changes nothing");
}

#[test]
fn whether_an_engine_can_run_is_what_a_run_finds() {
    let folder = Folder::new();
    let listing = folder.aio("engines --format json").code(0).json();
    for engine in listing["engines"].as_array().unwrap() {
        let name = engine["engine"].as_str().unwrap();
        let line = format!("--engine {name} --buffered --dry-run --write-file w --write-size 64M");
        let ended = folder.aio(&line);
        assert_eq!(engine["can_run"], ended.code == 0, "{name}: {}", ended.stderr);
        assert_eq!(engine["reason"].is_null(), ended.code == 0, "{name}: {engine}");
    }
}

#[test]
fn the_text_names_every_option_and_fits_a_page() {
    let folder = Folder::new();
    let listing = folder.aio("engines --format json").code(0).json();
    let text = folder.aio("engines").code(0);
    assert_eq!(text.stderr, "");
    assert!(text.stdout.lines().all(|line| line.chars().count() <= 100), "{}", text.stdout);
    for engine in listing["engines"].as_array().unwrap() {
        for option in engine["options"].as_array().unwrap() {
            let line = format!("\n  {}: ", option["key"].as_str().unwrap());
            assert!(text.stdout.contains(&line), "{line}\n{}", text.stdout);
        }
    }
}

#[test]
fn only_what_was_named_is_listed_with_its_options_in_force() {
    let folder = Folder::new();
    let listing = folder.aio("engines null sync:inline=off --format json").code(0).json();
    let engines = listing["engines"].as_array().unwrap();
    assert_eq!(engines.len(), 2);
    assert_eq!(engines[1]["options"][0]["here"]["granted"], "off");
    folder.aio("engines urinng").refused(&["\"urinng\"", "uring, libaio"]);
    folder.aio("engines sync:x").refused(&["sync:x", "there is no option 'x'"]);
    folder.aio("engines all").refused(&["all", "aio engines lists them all"]);
}

#[test]
fn a_slip_in_the_command_is_answered_with_the_command() {
    let folder = Folder::new();
    folder.aio("enginse").refused(&["'enginse'", "'engines'"]);
    let help = folder.aio("engines --help").code(0).stdout;
    assert!(help.contains("Usage: aio engines") && help.contains("--format"), "{help}");
    assert!(help.lines().all(|line| line.chars().count() <= 100), "{help}");
    assert!(folder.aio("--help").code(0).stdout.contains("\n  engines  "));
}
