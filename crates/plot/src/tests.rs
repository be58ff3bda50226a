//! Tests of whole figures: the content of the files, and the errors where nothing can be drawn.

use ndarray::{Array2, array};
use odesync_base::options::{Key, OptionSet, Value};

use super::*;

fn message<T>(result: crate::Result<T>) -> String {
    result.err().expect("an error is due").to_string()
}

/// Returns the points of every stroke of this colour and width in an SVG.
fn strokes(svg: &str, color: &str, width: u32) -> Vec<Vec<(f64, f64)>> {
    let style = format!("stroke=\"{color}\" stroke-width=\"{width}\"");
    svg.lines()
        .filter(|line| line.starts_with("<polyline") && line.contains(&style))
        .filter_map(|line| line.split("points=\"").nth(1)?.split('"').next())
        .map(|points| {
            let number = |s: &str| s.parse::<f64>().expect("a number");
            let point = |p: &str| p.split_once(',').map(|(x, y)| (number(x), number(y)));
            points.split_whitespace().filter_map(point).collect()
        })
        .collect()
}

const BLUE: &str = "#0072B2";

#[test]
fn an_svg_holds_labels_and_lines() {
    let svg = Figure::new()
        .title("Title <1> & more")
        .x_label("time")
        .y_label("angle\u{0}")
        .line(
            [0.0, 1.0, 2.0],
            [0.0, 1.0, 0.0],
            Style::new().label("swing"),
        )
        .and_then(|f| f.to_svg())
        .expect("a figure");
    for text in [
        "Title &lt;1&gt; &amp; more",
        "time",
        "angle ",
        "swing",
        "DejaVu Sans, Verdana",
    ] {
        assert!(svg.contains(text), "{text} is missing");
    }
    let lines = strokes(&svg, BLUE, 20);
    assert_eq!(
        lines.iter().filter(|l| l.len() == 3).count(),
        1,
        "{lines:?}"
    );
    assert!(!svg.contains('\u{0}'));
    assert!(svg.starts_with("<svg width=\"900\" height=\"560\""));
}

#[test]
fn a_gap_in_the_data_is_a_gap_in_the_line() {
    let x: Vec<f64> = (0..9).map(f64::from).collect();
    let mut y = vec![1.0; 9];
    (y[3], y[6], y[8]) = (f64::NAN, f64::INFINITY, f64::NEG_INFINITY);
    let figure = Figure::new().line(&x, &y, Style::new()).expect("a line");
    let svg = figure.to_svg().expect("a figure");
    // 0 to 2 and 4 to 5; the single point 7 is a disc.
    assert_eq!(
        strokes(&svg, BLUE, 20)
            .iter()
            .map(Vec::len)
            .collect::<Vec<_>>(),
        [3, 2]
    );
    assert_eq!(svg.matches("<circle").count(), 1);
}

#[test]
fn a_log_axis_puts_powers_of_ten_at_equal_distances() {
    let figure = Figure::new()
        .log_y()
        .line(
            [0.0, 1.0, 2.0, 3.0, 4.0],
            [1.0, 10.0, 100.0, -5.0, 0.0],
            Style::new(),
        )
        .expect("a line");
    let svg = figure.to_svg().expect("a figure");
    let lines = strokes(&svg, BLUE, 20);
    let [line] = &lines[..] else {
        panic!("one line: {lines:?}")
    };
    let [a, b, c] = line[..] else {
        panic!("the positive points: {line:?}")
    };
    assert!(((a.1 - b.1) - (b.1 - c.1)).abs() <= 1.0);
    assert!(svg.contains("10¹") && !svg.contains("10⁻"));
}

#[test]
fn nothing_to_draw_is_explained() {
    let line = |y: [f64; 2]| Figure::new().title("F").line([1.0, 2.0], y, Style::new());
    assert!(message(Figure::new().to_svg()).contains("add a line"));
    let empty: [f64; 0] = [];
    let none = Figure::new().line(empty, empty, Style::new().label("a"));
    assert!(message(none.and_then(|f| f.to_svg())).contains("empty"));
    let nan = message(line([f64::NAN, f64::INFINITY]).and_then(|f| f.to_png(2.0)));
    assert!(nan.contains("\"F\"") && nan.contains("finite"), "{nan}");
    let log = message(line([0.0, -1.0]).and_then(|f| f.log_y().to_svg()));
    assert!(log.contains("leave out log_y"), "{log}");
    let mark = Figure::new()
        .vline(1.0, Style::new())
        .and_then(|f| f.to_svg());
    assert!(message(mark).contains("nothing to draw"));
}

#[test]
fn lengths_that_differ_are_named() {
    let short = [1.0, 2.0];
    let long = [1.0, 2.0, 3.0];
    let text = message(Figure::new().line(short, long, Style::new().label("prey")));
    for part in ["\"prey\"", "2", "3"] {
        assert!(text.contains(part), "{text}");
    }
    assert!(message(Figure::new().band(long, long, short, Style::new())).contains("half"));
    assert!(message(Figure::new().scatter(long, short, Style::new())).contains("scatter"));
    let u = Array2::zeros((3, 1));
    assert!(message(trajectory(&short, &u, &[])).contains("2 times but 3 rows"));
    assert!(message(fit(&long, &u, &long, &Array2::zeros((3, 2)), None, &[])).contains("2"));
    assert!(message(loss_curve(&long, &[("mse", &short)], None)).contains("\"mse\""));
}

#[test]
fn bad_options_are_refused() {
    assert!(message(Figure::new().size(10, 10)).contains("100"));
    assert!(message(Figure::new().x_range(2.0, 1.0)).contains("x_range"));
    assert!(message(Figure::new().vline(f64::NAN, Style::new())).contains("finite"));
    assert!(message(Figure::new().line([1.0], [1.0], Style::new().alpha(2.0))).contains("alpha"));
    assert!(message(Style::new().set("color", &(-1.0).into())).contains("colour"));
    assert!(message(Style::new().set("dash", &"dotty".into())).contains("dotted"));
    assert!(message(Style::new().set("width", &"wide".into())).contains("should be a number"));
    assert!(message("#12345".parse::<Color>()).contains("six"));
    assert!(message("nowhere".parse::<Legend>()).contains("top-left"));
    assert!(message(Grid::new(0, [Figure::new()])).contains("column"));
    let log = Figure::new().log_y().line([1.0], [1.0], Style::new());
    let log = log
        .and_then(|f| f.y_range(-1.0, 1.0))
        .and_then(|f| f.to_svg());
    assert!(message(log).contains("positive start"));
}

#[test]
fn every_option_can_be_set_by_name() {
    let mut style = Style::new();
    for Key { name, .. } in Style::OPTIONS {
        let value: Value = match *name {
            "label" => "l".into(),
            "color" => "red".into(),
            "dash" => "solid".into(),
            "marker" => "cross".into(),
            _ => 1.0.into(),
        };
        style.set(name, &value).expect(name);
        assert!(style.get(name).is_some(), "{name}");
    }
    let mut figure = Figure::new();
    for Key { name, .. } in Figure::KEYS {
        let value: Value = match *name {
            "log_x" | "log_y" | "log_z" => true.into(),
            "x_range" | "y_range" | "z_range" => [1.0, 2.0][..].into(),
            "size" => [300.0, 200.0][..].into(),
            "size_mm" => [85.0, 60.0][..].into(),
            "size_in" => [3.3, 2.4][..].into(),
            "style" => "paper".into(),
            "dark" => true.into(),
            "font_file" => {
                concat!(env!("CARGO_MANIFEST_DIR"), "/fonts/DejaVuSans-subset.ttf").into()
            }
            "x_date" => "2024-12-31".into(),
            "x_date_unit" => "days".into(),
            "font" => 8.0.into(),
            "dpi" => 300.0.into(),
            "legend" => "outside".into(),
            "azimuth" | "elevation" | "symlog_x" | "symlog_y" | "symlog_z" => 20.0.into(),
            _ => "text".into(),
        };
        figure.set(name, &value).expect(name);
        assert!(figure.get(name).is_some(), "{name}");
    }
}

#[test]
fn the_last_of_log_and_symlog_counts() {
    let mut figure = Figure::new().log_y();
    figure.set("symlog_y", &0.5.into()).unwrap();
    assert_eq!(figure.get("log_y"), Some(false.into()));
    figure.set("log_y", &true.into()).unwrap();
    assert_eq!(figure.get("log_y"), Some(true.into()));
    assert_eq!(figure.get("symlog_y"), Some(Value::Unit));
}

#[test]
fn layers_take_colours_in_turn_and_bands_those_of_their_lines() {
    let x = [0.0, 1.0, 2.0];
    let figure = (0..8).try_fold(Figure::new(), |f, i| {
        f.line(x, [f64::from(i); 3], Style::new())
    });
    let svg = figure.and_then(|f| f.to_svg()).expect("a figure");
    // The eighth line takes the first colour again, dashed: many short strokes.
    let blue = strokes(&svg, BLUE, 20);
    assert!(blue.len() > 10, "{}", blue.len());
    assert_eq!(strokes(&svg, "#D55E00", 20).len(), 1);
    let banded = Figure::new()
        .line(x, x, Style::new())
        .and_then(|f| f.line(x, [2.0, 1.0, 0.0], Style::new()))
        .and_then(|f| f.band(x, [2.0, 1.0, 0.0], [0.1; 3], Style::new()));
    let svg = banded.and_then(|f| f.to_svg()).expect("a figure");
    assert!(svg.contains("<polygon opacity=\"0.2\" fill=\"#D55E00\""));
    let first = Figure::new()
        .band(x, x, [0.1; 3], Style::new())
        .and_then(|f| f.line(x, x, Style::new()));
    let svg = first.and_then(|f| f.to_svg()).expect("a figure");
    assert!(svg.contains(&format!("<polygon opacity=\"0.2\" fill=\"{BLUE}\"")));
    assert_eq!(strokes(&svg, BLUE, 20).len(), 1);
}

#[test]
fn data_outside_a_given_range_stay_inside_the_frame() {
    let x: Vec<f64> = (0..100).map(|i| 0.1 * f64::from(i)).collect();
    let y: Vec<f64> = x.iter().map(|x| 1e12 * (x - 5.0)).collect();
    let figure = Figure::new()
        .line(&x, &y, Style::new())
        .and_then(|f| f.band(&x, &y, &y, Style::new()))
        .and_then(|f| f.scatter(&x, &y, Style::new()))
        .and_then(|f| f.y_range(-1.0, 1.0));
    let svg = figure.and_then(|f| f.to_svg()).expect("a figure");
    let lines = strokes(&svg, BLUE, 20);
    assert_eq!(lines.len(), 1);
    assert!(
        lines
            .concat()
            .iter()
            .all(|p| (0.0..=9000.0).contains(&p.0) && (0.0..=5600.0).contains(&p.1))
    );
}

#[test]
fn the_legend_keeps_off_the_data() {
    let x: Vec<f64> = (0..200).map(|i| 0.05 * f64::from(i)).collect();
    // Of the eight locations only the bottom right corner is free; in the second figure none is.
    let hill: Vec<f64> = x
        .iter()
        .map(|x| if *x < 5.0 { (20.0 * x).sin() } else { 1.0 })
        .collect();
    let full: Vec<f64> = x.iter().map(|x| (20.0 * x).sin()).collect();
    for (name, y) in [("hill", &hill), ("full", &full)] {
        let figure = Figure::new().line(&x, y, Style::new().label("a line with a label"));
        let svg = figure.and_then(|f| f.to_svg()).expect("a figure");
        let boxes = strokes(&svg, "#CCCCCC", 10);
        let [legend] = &boxes[..] else {
            panic!("{name}: one box")
        };
        let (corner, opposite) = (legend[0], legend[2]);
        let sign = |l: &&Vec<(f64, f64)>| l.len() > 2;
        for p in strokes(&svg, BLUE, 20).iter().filter(sign).flatten() {
            let covered = p.0 > corner.0 && p.0 < opposite.0 && p.1 > corner.1 && p.1 < opposite.1;
            assert!(!covered, "{name}: {p:?} is under the legend");
        }
    }
}

#[test]
fn a_png_has_its_signature_and_twice_the_size() {
    let figure = Figure::new()
        .title("T")
        .line([0.0, 1.0], [0.0, 1.0], Style::new());
    let png = figure
        .and_then(|f| f.size(300, 200))
        .and_then(|f| f.to_png(2.0))
        .expect("a figure");
    assert_eq!(&png[..8], b"\x89PNG\r\n\x1a\n");
    let mut reader = png::Decoder::new(std::io::Cursor::new(&png))
        .read_info()
        .expect("a PNG");
    let mut pixels = vec![0; reader.output_buffer_size().expect("a size")];
    let info = reader.next_frame(&mut pixels).expect("pixels");
    assert_eq!((info.width, info.height), (600, 400));
    let count = |color: [u8; 3]| pixels.chunks_exact(3).filter(|p| *p == color).count();
    // A line of 4 by some 400 pixels on a white background.
    assert!(count([0x00, 0x72, 0xb2]) > 1000);
    assert!(count([255, 255, 255]) > 200_000);
    // Pixels of the title, where nothing else is.
    let title = pixels
        .chunks_exact(3)
        .take(600 * 60)
        .filter(|p| p[0] < 100)
        .count();
    assert!(title > 20, "{title} dark pixels in the title's rows");
}

#[test]
fn drawing_twice_gives_the_same_bytes() {
    let t: Vec<f64> = (0..50).map(f64::from).collect();
    let u = Array2::from_shape_fn((50, 2), |(i, j)| ((i * (j + 2)) as f64 * 0.1).sin());
    let draw = || {
        let fit = fit(&t, &u, &t, &u, Some(30.0), &["x", "v"]).expect("a figure");
        let panel = Panel::from(fit);
        (
            panel.to_svg().expect("SVG"),
            panel.to_png(2.0).expect("PNG"),
        )
    };
    assert_eq!(draw(), draw());
}

#[test]
fn saving_makes_folders_and_leaves_no_temporary_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let figure = Figure::new()
        .line([0.0, 1.0], [0.0, 1.0], Style::new())
        .expect("a line");
    for name in ["a/b/one.SVG", "a/b/two.png", "a/b/three.pdf"] {
        figure.save(folder.path().join(name)).expect("saved");
        figure
            .save(folder.path().join(name))
            .expect("saved over the first");
    }
    let mut names: Vec<_> = std::fs::read_dir(folder.path().join("a/b"))
        .expect("the folder")
        .map(|entry| entry.expect("an entry").file_name())
        .collect();
    names.sort();
    assert_eq!(names, ["one.SVG", "three.pdf", "two.png"]);
    for name in ["figure.eps", "figure"] {
        let text = message(figure.save(folder.path().join(name)));
        assert!(
            text.contains(".svg, .png, .pdf") && text.contains(name),
            "{text}"
        );
    }
}

#[test]
fn a_place_that_cannot_be_written_is_an_io_error() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("file");
    std::fs::write(&file, "not a folder").expect("written");
    std::fs::create_dir(folder.path().join("taken.svg")).expect("created");
    let figure = Figure::new()
        .line([0.0, 1.0], [0.0, 1.0], Style::new())
        .expect("a line");
    for path in [file.join("figure.svg"), folder.path().join("taken.svg")] {
        let error = figure.save(&path).expect_err("cannot be written");
        assert!(matches!(error, crate::Error::Io { .. }), "{error}");
    }
    let entries = std::fs::read_dir(folder.path())
        .expect("the folder")
        .count();
    assert_eq!(entries, 2, "a temporary file was left");
}

#[test]
fn stacked_panels_line_up_and_share_their_axis() {
    let epochs: Vec<f64> = (1..=100).map(f64::from).collect();
    let loss: Vec<f64> = epochs.iter().map(|e| 1e-6 + (-e / 10.0).exp()).collect();
    let lambda: Vec<f64> = epochs.iter().map(|e| 1.0 - e / 100.0).collect();
    let grid = loss_curve(&epochs, &[("loss", &loss)], Some(&lambda)).expect("a grid");
    let svg = grid.to_svg().expect("a figure");
    let frames = strokes(&svg, "#222222", 10);
    let frames: Vec<_> = frames.iter().filter(|f| f.len() == 3).collect();
    let [upper, lower] = frames[..] else {
        panic!("two frames: {frames:?}")
    };
    assert_eq!((upper[0].0, upper[2].0), (lower[0].0, lower[2].0));
    assert!(upper[1].1 < lower[0].1);
    assert_eq!(svg.matches("\nepoch\n").count(), 1);
    assert_eq!(svg.matches("\n50\n").count(), 1);
}

#[test]
fn zero_losses_are_drawn_on_a_linear_axis() {
    let grid = loss_curve(&[1.0, 2.0], &[("loss", &[0.0, 0.0])], None).expect("a grid");
    assert!(grid.to_svg().is_ok());
}

#[test]
fn components_get_names() {
    let u = array![[1.0, 2.0, 3.0], [2.0, 3.0, 4.0]];
    let svg = trajectory(&[0.0, 1.0], &u, &["x"])
        .and_then(|f| f.to_svg())
        .expect("a figure");
    assert!(
        svg.contains("\nx\n") && svg.contains("u₁") && svg.contains("u₂") && !svg.contains("u₀")
    );
}

#[test]
fn large_figures_stay_small_files() {
    let x: Vec<f64> = (0..300_000).map(f64::from).collect();
    let y: Vec<f64> = x.iter().map(|x| (x * 1.7).sin()).collect();
    let figure = Figure::new()
        .line(&x, &y, Style::new().dash(Dash::Dotted))
        .and_then(|f| f.scatter(&x, &y, Style::new()));
    let svg = figure.and_then(|f| f.to_svg()).expect("a figure");
    // Without decimation, dashes and markers would take more than 60 MB.
    assert!(svg.len() < 15_000_000, "{} bytes", svg.len());
}

/// Returns the distance of a point from a segment.
fn distance(p: geometry::Point, [a, b]: [geometry::Point; 2]) -> f64 {
    let (dx, dy) = (b.0 - a.0, b.1 - a.1);
    let along = ((p.0 - a.0) * dx + (p.1 - a.1) * dy) / (dx * dx + dy * dy).max(1e-300);
    let s = along.clamp(0.0, 1.0);
    (p.0 - a.0 - s * dx).hypot(p.1 - a.1 - s * dy)
}

/// Lines of 100,000 points: none of the points is farther from the line that is drawn than a third of a pixel, and the file is small.
#[test]
fn thinning_makes_no_visible_difference() {
    let n = 100_000;
    let t: Vec<f64> = (0..n).map(|i| f64::from(i) / f64::from(n)).collect();
    let wave = |s: f64| (40.0 * s).sin() + 0.4 * (2011.0 * s).sin() * (9.0 * s).cos();
    let spiral = |s: f64| (s * (60.0 * s).cos(), s * (60.0 * s).sin());
    let curves: [(Vec<f64>, Vec<f64>); 2] = [
        (t.clone(), t.iter().map(|s| wave(*s)).collect()),
        t.iter().map(|s| spiral(*s)).unzip(),
    ];
    for (x, y) in curves {
        let points: Vec<geometry::Point> = x
            .iter()
            .zip(&y)
            .map(|(x, y)| (800.0 * x, 200.0 * y))
            .collect();
        let kept = geometry::simplify(&geometry::decimate(&points, 0.25), 0.05);
        assert!(kept.len() < 20_000, "{} points", kept.len());
        let mut at = 0;
        for point in &points {
            // The points that are kept are points of the line, in its order.
            if kept.get(at + 1) == Some(point) {
                at += 1;
            }
            let near = at.saturating_sub(6)..(at + 7).min(kept.len() - 1);
            let nearest = near
                .map(|i| distance(*point, [kept[i], kept[i + 1]]))
                .fold(f64::INFINITY, f64::min);
            assert!(nearest < 1.0 / 3.0, "{point:?} is {nearest} pixels away");
        }
        let figure = Figure::new().line(&x, &y, Style::new()).expect("a line");
        let bytes = figure.to_svg().expect("a figure").len();
        assert!(bytes < 300_000, "{bytes} bytes");
    }
    let many = Figure::new().scatter(&t, &t, Style::new().alpha(0.3));
    let bytes = many.and_then(|f| f.to_svg()).expect("a figure").len();
    assert!(bytes < 300_000, "{bytes} bytes");
}

#[test]
fn every_option_of_a_coloured_layer_can_be_set_by_name() {
    fn each(keys: &[Key], set: &mut dyn OptionSet) {
        assert_eq!(keys.len(), set.keys().len());
        for Key { name, .. } in keys {
            let value: Value = match *name {
                "map" => "cividis".into(),
                "label" => "loss".into(),
                "offset" => "height".into(),
                "color" => "red".into(),
                "dash" => "dotted".into(),
                "range" => [0.5, 2.0][..].into(),
                "levels" => [1.0, 0.5][..].into(),
                "symlog" | "density" | "width" | "size" | "alpha" => 1.0.into(),
                _ => true.into(),
            };
            set.set(name, &value).expect(name);
        }
        let text = message(set.set("mop", &true.into()));
        assert!(
            text.contains("did you mean \"map\"") && text.contains("symlog"),
            "{text}"
        );
    }
    each(HeatMap::KEYS, &mut HeatMap::new());
    each(Contour::KEYS, &mut Contour::new());
    each(Surface::KEYS, &mut Surface::new());
    each(Waterfall::KEYS, &mut Waterfall::new());
    each(Arrows::KEYS, &mut Arrows::new());
}

fn wave(n: usize) -> (Vec<f64>, Array2<f64>) {
    let x: Vec<f64> = (0..n).map(|i| i as f64 / n as f64).collect();
    let z = Array2::from_shape_fn((n, n), |(i, j)| (9.0 * x[i]).sin() * (7.0 * x[j]).cos());
    (x, z)
}

#[test]
fn pictures_of_many_cells_stay_small_files() {
    let (x, z) = wave(200);
    for options in [HeatMap::new(), HeatMap::new().smooth()] {
        let figure = Figure::new().heatmap(&x, &x, &z, &options);
        let svg = figure.and_then(|f| f.to_svg()).expect("a figure");
        assert!(svg.len() < 500_000, "{} bytes", svg.len());
        assert_eq!(svg.matches("<image ").count(), 2, "cells and colour bar");
        assert!(!svg.contains("<rect "));
    }
    let figure = Figure::new().surface(&x, &x, &z, &Surface::new());
    let svg = figure.and_then(|f| f.to_svg()).expect("a figure");
    assert!(svg.len() < 1_500_000, "{} bytes", svg.len());
}

#[test]
fn colours_stand_where_their_values_are() {
    let z = array![[0.0, 1.0], [f64::NAN, 0.5]];
    let figure = Figure::new()
        .size(400, 300)
        .and_then(|f| f.heatmap([0.0, 1.0], [0.0, 1.0], &z, &HeatMap::new().bar(false)));
    let png = figure.and_then(|f| f.to_png(1.0)).expect("a figure");
    let mut reader = png::Decoder::new(std::io::Cursor::new(&png))
        .read_info()
        .expect("a PNG");
    let mut pixels = vec![0; reader.output_buffer_size().expect("a size")];
    reader.next_frame(&mut pixels).expect("pixels");
    let at = |x: usize, y: usize| {
        let start = 3 * (y * 400 + x);
        (pixels[start], pixels[start + 1], pixels[start + 2])
    };
    // The first row of z is the lowest, the first column the leftmost.
    let map = ColorMap::Viridis;
    assert_eq!(at(100, 200), map.rgb(0.0));
    assert_eq!(at(300, 200), map.rgb(1.0));
    assert_eq!(at(300, 80), map.rgb(0.5));
    let missing = at(101, 81);
    assert!(
        missing.0.abs_diff(missing.1) < 3 && missing.0 > 180,
        "{missing:?}"
    );
}

#[test]
fn arrays_that_do_not_fit_are_named() {
    let z = Array2::zeros((2, 3));
    let of = |x: &[f64], y: &[f64]| Figure::new().heatmap(x, y, &z, &HeatMap::new());
    assert!(of(&[0.0, 1.0, 2.0], &[0.0, 1.0]).is_ok());
    assert!(
        of(&[0.0, 1.0, 2.0, 3.0], &[0.0, 1.0, 2.0]).is_ok(),
        "borders"
    );
    let text = message(of(&[0.0, 1.0], &[0.0, 1.0, 2.0]));
    assert!(text.contains("a row for each y"), "{text}");
    assert!(message(of(&[0.0, 0.0, 2.0], &[0.0, 1.0])).contains("x should"));
    let log = Figure::new().heatmap([0.0, 1.0, 2.0], [0.0, 1.0], &z, &HeatMap::new().log());
    assert!(message(log).contains("leave out log"));
    let nan = Figure::new().surface(
        [0.0, 1.0, 2.0],
        [0.0, 1.0],
        &(&z * f64::NAN),
        &Surface::new(),
    );
    assert!(message(nan).contains("NaN"));
    let mixed = Figure::new()
        .line([0.0], [0.0], Style::new())
        .and_then(|f| f.line3([0.0], [0.0], [0.0], Style::new()))
        .and_then(|f| f.to_svg());
    assert!(message(mixed).contains("two figures in a grid"));
    assert!(message(Figure::new().symlog_y(0.0)).contains("positive"));
    assert!(message(Figure::new().view(0.0, 91.0)).contains("elevation"));
}

#[test]
fn an_axis_that_decreases_turns_the_values_round() {
    let z = array![[1.0, 2.0], [3.0, 4.0]];
    let turned = array![[2.0, 1.0], [4.0, 3.0]];
    let svg = |x: [f64; 2], z: &Array2<f64>| {
        let figure = Figure::new().heatmap(x, [0.0, 1.0], z, &HeatMap::new());
        figure.and_then(|f| f.to_svg()).expect("a figure")
    };
    assert_eq!(svg([0.0, 1.0], &z), svg([1.0, 0.0], &turned));
}

#[test]
fn what_is_in_front_hides_what_is_behind() {
    // A wall in front of a line, and the same scene viewed from the other side.
    let x = [0.0, 1.0];
    let wall = array![[0.0, 0.0], [1.0, 1.0]];
    let last = |azimuth: f64| {
        let svg = Figure::new()
            .surface(x, [0.0, 0.01], &wall, &Surface::new())
            .and_then(|f| {
                f.line3(
                    x,
                    [1.0, 1.0],
                    [0.5, 0.5],
                    Style::new().color(Color::Rgb(1, 2, 3)),
                )
            })
            .and_then(|f| f.view(azimuth, 10.0))
            .and_then(|f| f.to_svg())
            .expect("a figure");
        let line = svg.rfind("#010203").expect("the line");
        // The wall's colour: the middle of the map, shaded.
        let polygon = svg.rfind("<polygon").expect("the wall");
        line > polygon
    };
    assert!(!last(-90.0), "the wall is nearer than the line");
    assert!(last(90.0), "the line is nearer than the wall");
}

#[test]
fn text_has_axes_title_and_legend_within_its_size() {
    let x: Vec<f64> = (0..100).map(|i| 0.1 * f64::from(i)).collect();
    let y: Vec<f64> = x.iter().map(|x| x.sin()).collect();
    let figure = Figure::new()
        .title("A wave")
        .x_label("time")
        .y_label("height")
        .line(&x, &y, Style::new().label("sin"))
        .and_then(|f| f.scatter([1.0], [0.0], Style::new().label("mark")))
        .expect("a figure");
    let text = figure.to_text(60, 20, false).expect("text");
    for part in [
        "A wave", "time", "height", "sin", "mark", "−1.0", "0.5", "└", "┤",
    ] {
        assert!(text.contains(part), "{part} is missing in\n{text}");
    }
    assert!(!text.contains('\x1b') && text.chars().any(|c| ('\u{2801}'..='\u{28ff}').contains(&c)));
    assert!(text.lines().count() <= 20, "{text}");
    assert!(text.lines().all(|l| l.chars().count() <= 60), "{text}");
    let colored = figure.to_text(60, 20, true).expect("text");
    assert!(colored.contains("\x1b[38;5;") && colored.ends_with('\n'));
    // The wave goes up first: dots in the upper left, none in the lower left.
    let rows: Vec<&str> = text
        .lines()
        .filter(|l| l.contains('│') || l.contains('┤'))
        .collect();
    let dots = |row: &str| {
        row.chars()
            .skip(10)
            .take(8)
            .filter(|c| *c > '\u{2800}' && *c < '\u{2900}')
            .count()
    };
    assert!(
        dots(rows[1]) > 0 && dots(rows[rows.len() - 2]) == 0,
        "{text}"
    );
}

#[test]
fn text_shades_cells_and_draws_space() {
    let (x, z) = wave(20);
    let map = Figure::new()
        .heatmap(&x, &x, &z, &HeatMap::new().label("loss"))
        .expect("a figure");
    let text = map.to_text(50, 16, false).expect("text");
    assert!(
        text.contains('█') && text.contains('·') && text.contains("loss"),
        "{text}"
    );
    assert!(map.to_text(50, 16, true).expect("text").contains('▀'));
    let surface = Figure::new()
        .x_label("a")
        .z_label("loss")
        .surface(&x, &x, &z, &Surface::new())
        .expect("a figure");
    let text = surface.to_text(70, 24, false).expect("text");
    assert!(text.contains("loss") && text.contains('▒'), "{text}");
    let both = Grid::new(2, [map, surface]).expect("a grid").title("Both");
    let text = both.to_text(100, 24, false).expect("text");
    assert!(
        text.contains("Both") && text.lines().count() <= 24,
        "{text}"
    );
    assert!(text.lines().all(|l| l.chars().count() <= 100), "{text}");
}

#[test]
fn neighbours_share_their_axes() {
    let line = |n: f64| {
        Figure::new()
            .line([0.0, n], [0.0, 10.0 * n], Style::new())
            .expect("a line")
    };
    let grid = Grid::new(2, [line(1.0), line(2.0), line(3.0), line(4.0)]).expect("a grid");
    let svg = grid.share_x().share_y().to_svg().expect("a figure");
    // Two vertical axes and two horizontal ones have labels: each has one 0.
    let zeros = svg.matches("\n0\n").count() + svg.matches("\n0.0\n").count();
    assert_eq!(zeros, 4, "{zeros}");
}

/// Returns the SVG without the bitmaps of its heat maps, whose base64 may contain any word.
fn without_cells(svg: &str) -> String {
    let mut parts = svg.split("base64,");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |kept, part| {
        kept + part.split_once('"').map_or("", |(_cells, rest)| rest)
    })
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(300))]

    /// For all numbers a figure is drawn or refused with an error, and the drawn figure's numbers are finite.
    #[test]
    fn no_value_breaks_a_figure(
        values in proptest::collection::vec((proptest::num::f64::ANY, proptest::num::f64::ANY), 0..6),
        scale in (1e-320f64..1e-300, -330..330),
        log in (proptest::bool::ANY, proptest::bool::ANY),
        size in (100u32..500, 100u32..500),
    ) {
        let x: Vec<f64> = values.iter().map(|v| v.0).collect();
        let mut y: Vec<f64> = values.iter().map(|v| v.1).collect();
        y.extend([scale.0, 10f64.powi(scale.1)]);
        let x: Vec<f64> = x.into_iter().chain([1.0, 10f64.powi(-scale.1)]).collect();
        let mut figure = Figure::new()
            .line(&x, &y, Style::new().label("line"))
            .and_then(|f| f.band(&x, &y, &x, Style::new().label("band")))
            .and_then(|f| f.scatter(&y, &x, Style::new().label("points")))
            .and_then(|f| f.size(size.0, size.1))
            .expect("equal lengths");
        if log.0 { figure = figure.log_x(); }
        if log.1 { figure = figure.log_y(); }
        let grid = ndarray::Array2::from_shape_fn((2, y.len()), |(i, j)| if i == 0 { y[j] } else { x[j] });
        let steady: Vec<f64> = (0..y.len()).map(|i| i as f64).collect();
        let spatial = Figure::new().line3(&x, &y, &x, Style::new()).expect("equal lengths");
        let colored = [
            Figure::new().heatmap(&steady, [0.0, 1.0], &grid, &HeatMap::new()),
            Figure::new().contour(&steady, [0.0, 1.0], &grid, &Contour::new().filled()),
            Figure::new().waterfall(&steady, [0.0, 1.0], &grid, &Waterfall::new()),
            spatial.surface(&steady, [0.0, 1.0], &grid, &Surface::new()),
        ];
        for figure in colored.into_iter().flatten() {
            let _ = figure.to_text(40, 12, false);
            if let Ok(svg) = figure.to_svg() {
                let svg = without_cells(&svg);
                proptest::prop_assert!(!svg.contains("NaN") && !svg.contains("\"inf"), "{}", svg);
            }
        }
        let _ = figure.to_text(40, 12, false);
        if let Ok(svg) = figure.to_svg() {
            proptest::prop_assert!(!svg.contains("NaN") && !svg.contains("inf"), "{}", svg);
            proptest::prop_assert!(!svg.contains("2147483647"), "{}", svg);
        }
    }
}

#[test]
fn what_labels_share_stands_with_the_name_of_a_bar_and_of_an_axis_in_space() {
    let x = [0.0, 1.0, 2.0];
    let z = Array2::from_shape_fn((3, 3), |(i, j)| 1e6 * (i as f64 - j as f64));
    let times = |text: &str, part: &str| text.matches(part).count();
    let flat = Figure::new().heatmap(&x, &x, &z, &HeatMap::new().label("loss"));
    let svg = flat.unwrap().to_svg().unwrap();
    assert_eq!((times(&svg, "loss (×10⁶)"), times(&svg, "×10")), (1, 1));
    // A bar without a name has the power alone, and the vertical axis has it with its own.
    let space = Figure::new()
        .z_label("height")
        .surface(&x, &x, &z, &Surface::new());
    let svg = space.unwrap().to_svg().unwrap();
    assert_eq!((times(&svg, "height (×10⁶)"), times(&svg, "×10")), (1, 2));
}
