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
            body: Body::Lines(LinePanel {
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
            body: Body::Bars(BarPanel {
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
    insta::assert_snapshot!(inline(&lines("uring"), Width::Narrow, "f1-1"), @r#"
    <svg xmlns="http://www.w3.org/2000/svg" class="fig narrow" viewBox="0 0 340 292" role="img" aria-labelledby="f1-1narrow-t f1-1narrow-d">
    <title id="f1-1narrow-t">Rate of uring</title>
    <desc id="f1-1narrow-d">Two lines, one of uring.</desc>
    <g class="s0"><path class="line" d="M0 8h30"/>
    <path class="mark" d="M11.8 8a3.2 3.2 0 1 0 6.4 0a3.2 3.2 0 1 0 -6.4 0Z"/>
    </g>
    <text x="37" y="12">uring</text>
    <g class="s1"><path class="line" d="M90 8h30" stroke-dasharray="7 3"/>
    <path class="mark" d="M108 5L108 11L102 11L102 5Z"/>
    </g>
    <text x="127" y="12">sync</text>
    <text class="aside" x="0" y="42">requests per second</text>
    <path class="grid" d="M17.4 244L326 244"/>
    <text x="11.4" y="248" text-anchor="end">0</text>
    <path class="grid" d="M17.4 196.5L326 196.5"/>
    <text x="11.4" y="200.5" text-anchor="end">2</text>
    <path class="grid" d="M17.4 149L326 149"/>
    <text x="11.4" y="153" text-anchor="end">4</text>
    <path class="grid" d="M17.4 101.5L326 101.5"/>
    <text x="11.4" y="105.5" text-anchor="end">6</text>
    <path class="grid" d="M17.4 54L326 54"/>
    <text x="11.4" y="58" text-anchor="end">8</text>
    <path class="axis" d="M17.4 244L326 244"/>
    <path class="axis" d="M94.6 244L94.6 248"/>
    <text x="94.6" y="262" text-anchor="middle">1</text>
    <path class="axis" d="M248.9 244L248.9 248"/>
    <text x="248.9" y="262" text-anchor="middle">2</text>
    <g class="s0"><path class="bound" d="M94.6 196.5L94.6 149"/>
    <path class="bound" d="M91.6 196.5L97.6 196.5"/>
    <path class="bound" d="M91.6 149L97.6 149"/>
    <path class="line" d="M94.6 172.8L248.9 125.2"/>
    <path class="mark" d="M91.4 172.8a3.2 3.2 0 1 0 6.4 0a3.2 3.2 0 1 0 -6.4 0ZM245.7 125.2a3.2 3.2 0 1 0 6.4 0a3.2 3.2 0 1 0 -6.4 0Z"/>
    </g>
    <g class="s1"><path class="bound" d="M94.6 149L94.6 101.5"/>
    <path class="bound" d="M91.6 149L97.6 149"/>
    <path class="bound" d="M91.6 101.5L97.6 101.5"/>
    <path class="line" d="M94.6 125.2L248.9 77.8" stroke-dasharray="7 3"/>
    <path class="mark" d="M97.5 122.3L97.5 128.2L91.6 128.2L91.6 122.3ZM251.8 74.8L251.8 80.7L245.9 80.7L245.9 74.8Z"/>
    </g>
    <text class="aside" x="171.7" y="280" text-anchor="middle">round</text>
    </svg>
    "#);
}

#[test]
fn bars_have_their_names_and_numbers_beside_each_other_or_below_where_there_is_no_room() {
    let short = inline(&bars("4 µs"), Width::Wide, "f");
    assert_eq!(
        texts(&short),
        [
            "in user mode",
            "in the kernel",
            "read",
            "0 µs",
            "1 µs",
            "2 µs",
            "3 µs",
            "4 µs",
            "uring",
            "4 µs",
            "sync",
            "4 µs",
            "CPU time per request",
        ]
    );
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
