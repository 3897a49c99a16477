//! CPU time per request, in user mode and in the kernel.

use super::{BARS_MAX, Entry, Group, panels, told};
use crate::page::figure::{Axis, Bar, BarPanel, Body, Figure, Kind, Scale};
use crate::page::quantity;

pub(super) fn figure(groups: &[Group]) -> Option<Figure> {
    let panels = panels(groups, |group| body(group))?;
    let told = told(groups, |entry| {
        let (user, system) = costs(entry)?;
        Some(format!("user {}, system {}", quantity::time(user), quantity::time(system)))
    });
    Some(Figure {
        kind: Kind::Cpu,
        title: "CPU time per request".into(),
        description: format!("Bars of CPU time per request: {told}."),
        caption:
            "Shorter is better: it leaves the CPU to others. It is the time of the whole process; \
                  threads of the kernel are in it where the kernel charges them. All rounds count as one, \
                  so these are not the medians of rounds."
                .into(),
        panels,
    })
}

/// In user mode and in the kernel, in nanoseconds.
fn costs(entry: &Entry) -> Option<(f64, f64)> {
    let ratios = &entry.one.ratios;
    ratios.cpu_user_ns_per_request.zip(ratios.cpu_system_ns_per_request)
}

fn body(group: &Group) -> Option<Body> {
    let bar = |entry: &Entry| {
        let (user, system) = costs(entry)?;
        let [all, of_user, of_system] = [user + system, user, system].map(quantity::time);
        Some(Bar {
            name: entry.name.into(),
            lengths: vec![user, system],
            range: None,
            note: format!("{all}: user {of_user}, system {of_system}"),
        })
    };
    let bars: Vec<_> = group.entries.iter().filter_map(bar).collect();
    let longest = bars.iter().map(|bar| bar.lengths.iter().sum()).fold(0.0, f64::max);
    (!bars.is_empty() && bars.len() <= BARS_MAX && longest > 0.0).then(|| {
        Body::Bars(BarPanel {
            axis: Axis {
                title: "CPU time per request".into(),
                scale: Scale::from_zero(longest, quantity::round_time),
            },
            parts: vec!["in user mode".into(), "in the kernel".into()],
            bars,
        })
    })
}
