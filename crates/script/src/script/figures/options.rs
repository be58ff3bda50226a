//! The conversion of option maps to options of figures and their layers.

use rhai::{Map, Variant};

use super::super::convert;
use super::super::error::RhaiResult;
use super::super::keys::{Key, Keys, distinct};
use super::super::options::Options;
use super::super::registry::Registry;
use super::keys::FIGURE;
use crate::{Error, Result};
use odesync_plot::{Figure, OptionValue, Panel, Style};

/// Takes the options of these keys out of a call's options.
pub(in crate::script) fn split_options(options: &mut Options, keys: Keys) -> Map {
    let entry = |key: &Key| Some((key.name.into(), options.take(key.name)?));
    distinct([keys]).into_iter().filter_map(entry).collect()
}

/// Applies the figure options of a call to the figure, and checks that no other option is left.
pub(in crate::script) fn apply_figure_options(
    panel: impl Into<Panel>,
    call: &str,
    mut options: Options,
) -> RhaiResult<Panel> {
    let mut panel = panel.into();
    let figure_options = split_options(&mut options, FIGURE);
    options.finish()?;
    set_all(call, &figure_options, |name, value| panel.set(name, value))?;
    Ok(panel)
}

/// Registers `plot(x)`, and `plot(x, options)` with the options of a figure.
pub(in crate::script) fn register_plot<T: Variant + Clone>(
    reg: &mut Registry,
    draw: fn(&T) -> Result<Panel>,
) {
    reg.register_fn("plot", move |x: T| -> RhaiResult<Panel> { Ok(draw(&x)?) });
    reg.register_fn("plot", move |x: T, options: Map| {
        apply_figure_options(draw(&x)?, "plot", Options::new("plot", FIGURE, options))
    });
}

/// Passes every option of a map to `set`.
pub(in crate::script) fn set_all(
    call: &str,
    map: &Map,
    mut set: impl FnMut(&str, OptionValue) -> Result<()>,
) -> Result<()> {
    for (name, value) in map {
        let with_call = |e: Error| Error::invalid(format!("{call}: {e}"));
        if let Some(text) = convert::to_text(value) {
            set(name, OptionValue::Text(&text)).map_err(with_call)?;
        } else if let Some(x) = convert::to_number(value) {
            set(name, OptionValue::Number(x)).map_err(with_call)?;
        } else if let Ok(flag) = value.as_bool() {
            set(name, OptionValue::Flag(flag)).map_err(with_call)?;
        } else {
            let numbers = convert::to_vector(value, &format!("{call}: option \"{name}\""))?;
            set(name, OptionValue::Numbers(&numbers)).map_err(with_call)?;
        }
    }
    Ok(())
}

pub(super) fn style(call: &str, options: &Map) -> Result<Style> {
    let mut style = Style::new();
    set_all(call, options, |name, value| style.set(name, value))?;
    Ok(style)
}

/// Returns the figure that a layer is added to.
pub(super) fn figure_of(panel: &Panel, call: &str) -> Result<Figure> {
    match panel {
        Panel::Figure(figure) => Ok(figure.clone()),
        Panel::Grid(_) => Err(Error::invalid(format!(
            "{call} goes on one figure, not on a grid of them"
        ))),
    }
}

/// Registers `figure.name(args…)` with and without options; both call `draw(panel, [args…], options)`.
macro_rules! register_layer {
    ($reg:expr, $name:expr, $draw:expr, [$($arg:ident),+]) => {{
        let (name, draw) = ($name, $draw);
        $reg.register_fn(name, move |p: &mut odesync_plot::Panel, $($arg: rhai::Dynamic),+| draw(p, [$(&$arg),+], &rhai::Map::new()));
        $reg.register_fn(name, move |p: &mut odesync_plot::Panel, $($arg: rhai::Dynamic),+, o: rhai::Map| draw(p, [$(&$arg),+], &o));
    }};
}
pub(super) use register_layer;
