//! What a figure does not show as it was meant.

use super::drawing_context;
use super::figure::Figure;
use super::font;
use super::grid::Panel;
use super::scale::Scale;
use super::scene::Primitive;
use odesync_base::text::count_of;

/// Most characters that a note lists.
const MAX_LISTED: usize = 12;

/// Returns the notes of a figure or a grid, a sentence each.
pub(super) fn notes(panel: &Panel) -> Vec<String> {
    let mut notes = left_out(panel);
    let Ok(scene) = panel.scene() else {
        return notes;
    };
    let texts = scene.items.iter().filter_map(|item| match item {
        Primitive::Text { text, .. } => Some(text.as_str()),
        _ => None,
    });
    let all: String = texts.collect();
    let missing = drawing_context::with(&scene.context, || font::missing_glyphs(&all));
    if !missing.is_empty() {
        let listed: Vec<String> = missing
            .iter()
            .take(MAX_LISTED)
            .map(|c| format!("{c} (U+{:04X})", u32::from(*c)))
            .collect();
        let more = match missing.len() > MAX_LISTED {
            true => format!(" and {} more", missing.len() - MAX_LISTED),
            false => String::new(),
        };
        let advice = match scene.context.font {
            None => "give one that has them: font_file: \"….ttf\"",
            Some(_) => "give a font_file that has them",
        };
        notes.push(format!(
            "the font has no glyphs for {}{more}, which are boxes in PNG and PDF; {advice}",
            listed.join(", ")
        ));
    }
    let mut unknown = scene.unknown_commands;
    unknown.sort_unstable();
    unknown.dedup();
    if !unknown.is_empty() {
        notes.push(format!(
            "not known in a formula: {}; it is drawn as it is written",
            unknown.join(", ")
        ));
    }
    notes
}

/// Returns a note for each figure of which a logarithmic axis leaves values out.
fn left_out(panel: &Panel) -> Vec<String> {
    match panel {
        Panel::Grid(grid) => grid.parts().2.iter().flat_map(left_out).collect(),
        Panel::Figure(figure) => ["x", "y", "z"]
            .into_iter()
            .enumerate()
            .filter_map(|(axis, name)| left_out_of_axis(figure, axis, name))
            .collect(),
    }
}

fn left_out_of_axis(figure: &Figure, axis: usize, name: &str) -> Option<String> {
    let scale = [
        figure.x_scale.or_linear(),
        figure.y_scale.or_linear(),
        figure.z_scale.or_linear(),
    ];
    if scale.get(axis) != Some(&Scale::Log) {
        return None;
    }
    let finite = |values: &[f64]| values.iter().all(|v| Scale::Linear.in_domain(*v));
    let outside = |values: &[f64]| {
        let value = values.get(axis).copied();
        finite(values) && value.is_some_and(|v| v <= 0.0)
    };
    let flat = figure.layers.iter().map(|layer| {
        let points = layer.points();
        points.iter().filter(|p| outside(&[p.0, p.1])).count()
    });
    let spatial = figure.layers3.iter().map(|layer| {
        let points = layer.points();
        points.iter().filter(|p| outside(&p[..])).count()
    });
    let count: usize = flat.chain(spatial).sum();
    (count > 0).then(|| {
        format!(
            "{}: {} not positive, and the logarithmic {name} axis leaves {} out; symlog_{name} shows them",
            figure.name(),
            match count {
                1 => "1 value is".to_owned(),
                n => format!("{} are", count_of(n, "value")),
            },
            if count == 1 { "it" } else { "them" },
        )
    })
}
