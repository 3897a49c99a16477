//! Plans that come out of files of results, and path templates.

use std::os::unix::ffi::{OsStrExt, OsStringExt};

use super::*;
use crate::testing::{fuzz, fuzz_text, one_sentence};

#[test]
fn fuzzed_plans_are_read_back_as_they_were_and_checked() {
    let group = TensorGroup {
        path: PathTemplate::new("f.{tid}"),
        tasklets: 2,
        sizes_bytes: vec![1 << 20, 4096],
        origin: Origin::Made,
    };
    let plan = Plan::tensor_swap(vec![Phase::of_tensors(Direction::Read, vec![group])]);
    let tensors = serde_json::to_string(&plan).unwrap();
    let blocks =
        r#"{"blocks":{"pattern":"random","requests":9,"distribution":{"zipf":{"theta":1.1}}}}"#;
    let blocks = tensors.replace("\"tensor\"", blocks);
    assert!(serde_json::from_str::<Plan>(&blocks).unwrap().phases[0].access.blocks().is_some());
    let words =
        ["null", "true", "[]", "{}", "1e308", "-0.0", "\"read\"", "\"blocks\"", "\"random\""];
    fuzz_text("plans", &[&tensors, &blocks], &words, |text| {
        let plan: Plan = match serde_json::from_str(text) {
            Ok(plan) => plan,
            Err(error) => return error.to_string(),
        };
        let again: Plan = serde_json::from_str(&serde_json::to_string(&plan).unwrap()).unwrap();
        assert_eq!(again, plan);
        match check(&plan) {
            Ok(()) => "fine".into(),
            Err(refused) => {
                one_sentence(&refused.to_string());
                refused.to_string()
            }
        }
    });
}

#[test]
fn fuzzed_templates_are_filled_in_and_keep_what_they_do_not_know() {
    let corpus: [&[u8]; 2] = [b"/d/{x}_aio_{bytes}.pt.{tid}_{loop}{", b"/d/\xff\xfe.{tid}"];
    fuzz("path templates", &corpus, &["{tid}", "{loop}", "{bytes}", "{", "}", "{rank}"], |bytes| {
        let template = PathTemplate::new(std::ffi::OsString::from_vec(bytes.to_vec()));
        let path = template.expand(u32::MAX, 0, u64::MAX);
        let names = ["tid", "loop", "bytes"];
        let has: Vec<_> = names.into_iter().filter(|name| template.has(name)).collect();
        if has.is_empty() {
            assert_eq!(path.as_os_str().as_bytes(), bytes);
        }
        has.join(" ")
    });
}
