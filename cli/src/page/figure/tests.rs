use super::*;

fn lines(name: &str) -> Figure {
    let scale = |greatest| Scale::from_zero(greatest, |at| format!("{at:.0}"));
    let point = |x, y, range| Point { x, y, range };
    let line = |name: &str, y: f64| Line {
        name: name.into(),
        points: vec![point(1.0, y, Some((y - 1.0, y + 1.0))), point(2.0, y + 2.0, None)],
    };
    Figure {
        kind: Kind::Rate,
        title: format!("Rate of {name}"),
        description: format!("Two lines, one of {name}."),
        caption: "Higher is better.".into(),
        panels: vec![Panel {
            title: String::new(),
            body: Body::Lines(Lines {
                x: Axis { title: "round".into(), scale: Scale::counted(2) },
                y: Axis { title: "requests per second".into(), scale: scale(8.0) },
                lines: vec![line(name, 3.0), line("sync", 5.0)],
            }),
        }],
    }
}

fn bars(note: &str) -> Figure {
    let bar = |name: &str, lengths: &[f64]| Bar {
        name: name.into(),
        lengths: lengths.into(),
        range: Some((3.0, 5.0)),
        note: note.into(),
    };
    let scale = Scale::from_zero(4.0, |at| format!("{at:.0} µs"));
    Figure {
        kind: Kind::Cpu,
        title: "CPU time".into(),
        description: "Two bars.".into(),
        caption: "Shorter is better.".into(),
        panels: vec![Panel {
            title: "read".into(),
            body: Body::Bars(Bars {
                axis: Axis { title: "CPU time per request".into(), scale },
                parts: vec!["in user mode".into(), "in the kernel".into()],
                bars: vec![bar("uring", &[1.0, 2.0]), bar("sync", &[1.0, 3.0])],
            }),
        }],
    }
}

/// The words of a drawing, in their order.
fn texts(svg: &str) -> Vec<&str> {
    let parts = svg.split("<text").skip(1);
    parts.filter_map(|part| part.split_once('>')?.1.split("</text>").next()).collect()
}

#[test]
fn a_small_figure_looks_like_this() {
    insta::assert_snapshot!(inline(&lines("uring"), Width::Narrow, "f1-1"), @"");
}

#[test]
fn bars_have_their_names_and_numbers_beside_each_other_or_below_where_there_is_no_room() {
    let short = inline(&bars("4 µs"), Width::Wide, "f");
    assert_eq!(texts(&short), [""; 0]);
    let long = "4 µs: user 1 µs and system 3 µs, which has no room beside the name";
    let tall = |width| {
        let svg = inline(&bars(long), width, "f");
        assert_eq!(svg.matches("class=\"bar\"").count(), 3, "two bars and the legend");
        let view = svg.split("viewBox=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
        view.split(' ').nth(3).unwrap().parse::<f64>().unwrap()
    };
    assert!(tall(Width::Narrow) > tall(Width::Wide));
}

#[test]
fn a_figure_has_a_name_and_a_description_that_it_points_to() {
    for figure in [lines("uring"), bars("4 µs")] {
        let svg = inline(&figure, Width::Wide, "f1-1");
        assert!(svg.contains("role=\"img\" aria-labelledby=\"f1-1wide-t f1-1wide-d\""), "{svg}");
        assert!(svg.contains(&format!("<title id=\"f1-1wide-t\">{}</title>", figure.title)));
        assert!(svg.contains(&format!("<desc id=\"f1-1wide-d\">{}</desc>", figure.description)));
        assert!(!svg.contains("style"), "classes only, as the policy of a page wants it");
    }
}

#[test]
fn a_figure_of_its_own_carries_both_schemes_and_its_ground() {
    let svg = standalone(&lines("uring"));
    assert!(svg.starts_with("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<svg xmlns="));
    assert!(svg.contains("<style>") && svg.contains("prefers-color-scheme:dark"));
    assert!(svg.contains("class=\"ground\"") && svg.contains(" width=\"752\""));
    assert_eq!(svg, standalone(&lines("uring")), "the same data, the same bytes");
}

#[test]
fn no_name_can_leave_its_place_in_a_drawing() {
    let evil = "</text><script>alert(1)</script>\"'&\u{1b}\u{202e}";
    for svg in [standalone(&lines(evil)), inline(&lines(evil), Width::Wide, "f")] {
        assert!(!svg.contains("<script") && !svg.contains('\u{1b}') && !svg.contains('\u{202e}'));
        assert!(svg.contains("&lt;script&gt;alert(1)"), "it is there, and it is text");
    }
}

#[test]
fn lines_of_the_same_name_look_the_same_in_all_panels() {
    let mut figure = lines("uring");
    let mut second = figure.panels[0].clone();
    if let Body::Lines(lines) = &mut second.body {
        lines.lines.remove(0);
    }
    figure.panels.push(second);
    let svg = inline(&figure, Width::Wide, "f");
    let groups = |class: &str| svg.matches(&format!("<g class=\"{class}\">")).count();
    assert_eq!((groups("s0"), groups("s1"), groups("s2")), (2, 3, 0), "with the legend");
}

#[test]
fn labels_that_have_no_room_are_left_out_and_none_lies_outside() {
    let mut figure = lines("uring");
    let Body::Lines(lines) = &mut figure.panels[0].body else { panic!("lines") };
    let ticks = (0..100).map(|at| Tick { at: f64::from(at), label: format!("value {at}") });
    lines.x.scale = Scale::between(0.0, 99.0, ticks.collect());
    let svg = inline(&figure, Width::Narrow, "f");
    let shown = texts(&svg).iter().filter(|text| text.starts_with("value")).count();
    assert!((3..=6).contains(&shown), "{shown}");
}
