//! A figure with three axes as text.

use super::super::figure::Figure;
use super::super::geometry::{Point, Rect};
use super::super::legend_handle::LayerKind;
use super::super::math;
use super::super::panel_layout3::PanelLayout3;
use super::super::scene::{Pen, Scene};
use super::super::style::Dash;
use super::cell::{TextBlock, plain};
use super::centred;
use super::flat::one_dot_styles;
use super::legend::{colorbar_line, legend};
use super::screen::TextCanvas;
use odesync_base::error::Result;

pub(super) fn block(
    figure: &Figure,
    columns: usize,
    rows: usize,
    colour: bool,
) -> Result<TextBlock> {
    let (right, bottom) = figure.page_dimensions()?.layout;
    let area = Rect {
        left: 0.0,
        top: 0.0,
        right,
        bottom,
    };
    let mut layout = PanelLayout3::new(figure, &area)?;
    let entries = figure.legend_handles();
    layout.styles = one_dot_styles(layout.styles);
    for (style, entry) in layout.styles.iter_mut().zip(&entries) {
        if entry.kind() == LayerKind::GridData {
            style.width = 0.0;
        }
    }
    let mut below = TextBlock::new();
    if let Some(color_scale) = &layout.color_scale {
        below.push(colorbar_line(color_scale, columns, colour));
    }
    below.extend(legend(&entries, &layout.styles, columns));
    let title = usize::from(!figure.title.is_empty());
    let height = rows.saturating_sub(title + below.len()).max(6);
    let mut screen = TextCanvas::new(columns, height);
    // Margins for the labels, in dots.
    let rect = screen.rect();
    let view = layout.view(&Rect {
        left: rect.left + 16.0,
        top: rect.top + 2.0,
        right: rect.right - 16.0,
        bottom: rect.bottom - 9.0,
    });
    let mut scene = Scene::part();
    let frame = layout.frame();
    let grey = Pen {
        color: ((0x88, 0x88, 0x88), 1.0),
        width: 1.0,
        dash: Dash::Solid,
    };
    for axis in frame.axis_lines(&view) {
        scene.line(&[axis.from, axis.to], grey);
    }
    let mut queue = layout.depth_queue(&view);
    queue.sort();
    // The cells of a surface are small areas too.
    screen.outline_small_areas = !queue.has_occlusion;
    scene.items.extend(queue.items().cloned());
    screen.paint(&scene);
    for axis in frame.axis_lines(&view) {
        for (at, text) in axis.labels {
            write(&mut screen, at, axis.outward, &math::to_plain(&text));
        }
    }
    let mut lines = TextBlock::new();
    if title == 1 {
        lines.push(plain(&centred(&math::to_plain(&figure.title), columns)));
    }
    lines.extend(screen.block(colour));
    lines.extend(below);
    Ok(lines)
}

/// Writes text beside a point, in the direction of `outward`.
fn write(screen: &mut TextCanvas, (x, y): Point, outward: Point, text: &str) {
    let size = text.chars().count() as i64;
    let (column, row) = ((x / 2.0).floor() as i64, (y / 4.0).floor() as i64);
    match outward.0 {
        ..=-0.5 => screen.write(column - size - 1, row, text),
        0.5.. => screen.write(column + 2, row + i64::from(outward.1 > 0.2), text),
        _ => screen.write(
            column - size / 2,
            row + if outward.1 > 0.0 { 1 } else { -1 },
            text,
        ),
    }
}
