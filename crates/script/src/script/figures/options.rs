//! The conversion of option maps to options of figures and their layers.

use rhai::Map;

use super::super::keys::Keys;
use super::super::options::Options;
use super::super::registry::{Registry, ScriptType};
use super::keys::FIGURE;
use crate::{Error, Result};
use odesync_base::options::OptionSet;
use odesync_plot::{Figure, Panel};

/// Applies the figure options of a call to the figure, and checks that no other option is left.
pub(in crate::script) fn apply_figure_options(
    panel: impl Into<Panel>,
    mut options: Options,
) -> Result<Panel> {
    let mut panel = panel.into();
    options.read_set(&mut panel)?;
    options.finish()?;
    Ok(panel)
}

/// Registers `plot(x)` with the options of a figure.
pub(in crate::script) fn register_plot<T: ScriptType>(
    reg: &mut Registry,
    draw: fn(&T) -> Result<Panel>,
) {
    reg.overload("plot")
        .body_with(FIGURE, move |x: T, options: Options| {
            apply_figure_options(draw(&x)?, options)
        });
}

/// Reads the options of a figure or a layer.
pub(super) fn read_options<S: OptionSet + Default>(
    call: &str,
    keys: Keys,
    options: Option<Map>,
) -> Result<S> {
    let mut set = S::default();
    let mut options = Options::new(call, keys, options.unwrap_or_default());
    options.read_set(&mut set)?;
    options.finish()?;
    Ok(set)
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
