//! The option keys of figures and their layers. The plotting code reads the options; a test checks that both agree.

use super::super::keys::{Key, Keys};

const COLORS: &[&str] = &[
    "blue",
    "red",
    "vermilion",
    "green",
    "purple",
    "orange",
    "sky",
    "yellow",
    "black",
    "gray",
    "grey",
    "white",
];

const COLOR: Key = Key::new("color").choices(COLORS);
const WIDTH: Key = Key::new("width");
const ALPHA: Key = Key::new("alpha");
const DASH: Key = Key::new("dash").choices(&["solid", "dashed", "dotted"]);

pub(in crate::script) const FIGURE: Keys = &[&[
    Key::new("title"),
    Key::new("x_label"),
    Key::new("y_label"),
    Key::new("z_label"),
    Key::flag("log_x"),
    Key::flag("log_y"),
    Key::flag("log_z"),
    Key::new("symlog_x"),
    Key::new("symlog_y"),
    Key::new("symlog_z"),
    Key::new("x_range"),
    Key::new("y_range"),
    Key::new("z_range"),
    Key::new("azimuth"),
    Key::new("elevation"),
    Key::new("size"),
    Key::new("legend").choices(&[
        "auto",
        "none",
        "top-left",
        "top-right",
        "bottom-left",
        "bottom-right",
        "outside",
    ]),
]];

pub(super) const STYLE: Keys = &[&[
    Key::new("label"),
    COLOR,
    WIDTH,
    DASH,
    Key::new("marker").choices(&["circle", "square", "triangle", "diamond", "cross", "plus"]),
    Key::new("size"),
    ALPHA,
]];

/// The option keys of a color scale.
const COLOR_SCALE: &[Key] = &[
    Key::new("map").choices(&[
        "viridis",
        "cividis",
        "magma",
        "inferno",
        "blues",
        "greys",
        "blue-red",
        "purple-orange",
    ]),
    Key::flag("log"),
    Key::new("symlog"),
    Key::new("range"),
    Key::new("label"),
    Key::flag("bar"),
];

pub(in crate::script) const HEATMAP: Keys = &[COLOR_SCALE, &[Key::flag("smooth")]];

pub(super) const CONTOUR: Keys = &[
    COLOR_SCALE,
    &[
        Key::new("levels"),
        Key::flag("filled"),
        Key::flag("numbers"),
        COLOR,
        WIDTH,
        DASH,
        ALPHA,
    ],
];

pub(in crate::script) const SURFACE: Keys = &[COLOR_SCALE, &[Key::flag("mesh"), ALPHA]];

pub(super) const WATERFALL: Keys = &[
    COLOR_SCALE,
    &[
        Key::new("offset").choices(&["depth", "height"]),
        WIDTH,
        ALPHA,
    ],
];

pub(super) const ARROWS: Keys = &[
    COLOR_SCALE,
    &[
        Key::flag("normalize"),
        Key::flag("by_speed"),
        Key::new("density"),
        COLOR,
        WIDTH,
        Key::new("size"),
        ALPHA,
    ],
];

pub(super) const GRID: Keys = &[&[
    Key::new("title"),
    Key::flag("share_x"),
    Key::flag("share_y"),
    Key::new("row_heights"),
    Key::new("size"),
]];

#[cfg(test)]
mod tests {
    use super::super::super::keys::distinct;
    use super::*;
    use odesync_plot::{Arrows, Contour, Figure, HeatMap, OptionValue, Style, Surface, Waterfall};

    fn agree(keys: Keys, options: &[&str], mut set: impl FnMut(&str, OptionValue) -> bool) {
        let declared: Vec<&str> = distinct([keys]).into_iter().map(|key| key.name).collect();
        assert_eq!(declared, options);
        for key in distinct([keys]) {
            for name in key.choices {
                assert!(
                    set(key.name, OptionValue::Text(name)),
                    "{}: {name}",
                    key.name
                );
            }
            if key.literals == ["true", "false"] {
                assert!(set(key.name, OptionValue::Flag(true)), "{}", key.name);
            }
        }
    }

    #[test]
    fn what_is_declared_is_what_the_plotting_code_reads() {
        let mut figure = Figure::new();
        agree(FIGURE, &Figure::OPTIONS, |n, v| figure.set(n, v).is_ok());
        let mut style = Style::new();
        agree(STYLE, &Style::OPTIONS, |n, v| style.set(n, v).is_ok());
        let mut map = HeatMap::new();
        agree(HEATMAP, &HeatMap::OPTIONS, |n, v| map.set(n, v).is_ok());
        let mut contour = Contour::new();
        agree(CONTOUR, &Contour::OPTIONS, |n, v| contour.set(n, v).is_ok());
        let mut surface = Surface::new();
        agree(SURFACE, &Surface::OPTIONS, |n, v| surface.set(n, v).is_ok());
        let mut waterfall = Waterfall::new();
        agree(WATERFALL, &Waterfall::OPTIONS, |n, v| {
            waterfall.set(n, v).is_ok()
        });
        let mut arrows = Arrows::new();
        agree(ARROWS, &Arrows::OPTIONS, |n, v| arrows.set(n, v).is_ok());
    }
}
