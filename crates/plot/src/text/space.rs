//! A figure of three axes as text.

use super::super::entry::Kind;
use super::super::figure::Figure;
use super::super::geometry::{Point, Rect};
use super::super::scene::{Pen, Scene};
use super::super::space_plan::SpacePlan;
use super::super::style::Dash;
use super::cell::{Block, plain};
use super::centred;
use super::flat::in_dots;
use super::legend::{bar, legend};
use super::screen::Screen;
use odesync_base::error::Result;

pub(super) fn block(figure: &Figure, columns: usize, rows: usize, colour: bool) -> Result<Block> {
    let area = Rect {
        left: 0.0,
        top: 0.0,
        right: f64::from(figure.size.0),
        bottom: f64::from(figure.size.1),
    };
    let mut plan = SpacePlan::new(figure, &area)?;
    let entries = figure.entries();
    plan.looks = in_dots(plan.looks);
    for (look, entry) in plan.looks.iter_mut().zip(&entries) {
        if entry.kind() == Kind::Field {
            look.width = 0.0;
        }
    }
    let mut below = Block::new();
    if let Some(tint) = &plan.tint {
        below.push(bar(tint, columns, colour));
    }
    below.extend(legend(&entries, &plan.looks, columns));
    let title = usize::from(!figure.title.is_empty());
    let height = rows.saturating_sub(title + below.len()).max(6);
    let mut screen = Screen::new(columns, height);
    // Room for the marks, in dots.
    let rect = screen.rect();
    let view = plan.view(&Rect {
        left: rect.left + 16.0,
        top: rect.top + 2.0,
        right: rect.right - 16.0,
        bottom: rect.bottom - 9.0,
    });
    let mut scene = Scene::new((0, 0));
    let frame = plan.frame();
    let grey = Pen {
        ink: ((0x88, 0x88, 0x88), 1.0),
        width: 1.0,
        dash: Dash::Solid,
    };
    for axis in frame.axes_only(&view) {
        scene.line(&[axis.from, axis.to], grey);
    }
    let mut pieces = plan.pieces(&view);
    pieces.sort();
    // The cells of a surface are small areas too.
    screen.outlines = !pieces.solid;
    scene.items.extend(pieces.items().cloned());
    screen.paint(&scene);
    for axis in frame.axes_only(&view) {
        for (at, text) in axis.marks {
            write(&mut screen, at, axis.outward, &text);
        }
    }
    let mut lines = Block::new();
    if title == 1 {
        lines.push(plain(&centred(&figure.title, columns)));
    }
    lines.extend(screen.block(colour));
    lines.extend(below);
    Ok(lines)
}

/// Writes text beside a point, on the side that `outward` says.
fn write(screen: &mut Screen, (x, y): Point, outward: Point, text: &str) {
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
