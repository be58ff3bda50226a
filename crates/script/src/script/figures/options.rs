//! The conversion of option maps to options of figures and their layers.

use rhai::Map;

use super::super::convert;
use super::super::keys::{Key, Keys, distinct};
use super::super::options::Options;
use super::super::registry::{Registry, ScriptType};
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
) -> Result<Panel> {
    let mut panel = panel.into();
    let figure_options = split_options(&mut options, FIGURE);
    options.finish()?;
    set_all(call, &figure_options, |name, value| panel.set(name, value))?;
    Ok(panel)
}

/// Registers `plot(x)` with the options of a figure.
pub(in crate::script) fn register_plot<T: ScriptType>(
    reg: &mut Registry,
    draw: fn(&T) -> Result<Panel>,
) {
    reg.overload("plot")
        .body_with(FIGURE, move |x: T, options: Options| {
            apply_figure_options(draw(&x)?, "plot", options)
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

/// Reads the style of a layer.
pub(super) fn style(call: &str, options: Option<Map>) -> Result<Style> {
    let mut style = Style::new();
    set_all(call, &options.unwrap_or_default(), |name, value| {
        style.set(name, value)
    })?;
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
