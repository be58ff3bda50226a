//! The text of a value, and its card where the front end shows cards.

use rhai::{Array as List, Dynamic, Engine, Map, Scope};

use super::array::ScriptArray;
use super::convert;
use super::data::ScriptDataset;
use super::discovering::{ScriptDiscovery, ScriptEquations};
use super::ensembles::ScriptEnsemble;
use super::error::RhaiResult;
use super::fields::ScriptField;
use super::figures::note_faults;
use super::frontend::DisplayedValue;
use super::host::Host;
use super::landscape::ScriptHessian;
use super::landscape::paths::ScriptPca;
use super::landscape::slices::ScriptLandscape;
use super::landscape::spectra::ScriptDensity;
use super::solving::ScriptSolution;
use super::synchronizing::{ScriptSchedule, ScriptSmoothingSpline};
use super::tables;
use super::training::ScriptRun;
use crate::cards::{self, Card};
use crate::recipes;
use odesync_base::text::printable;
use odesync_plot::Panel;

/// Largest number of rows of a list of maps that a card shows.
const MAX_ROWS: usize = 100;

/// Returns the text of a value, as `print` shows it.
pub(super) fn text(engine: &Engine, value: &Dynamic) -> RhaiResult<String> {
    let mut scope = Scope::new();
    scope.push_dynamic("value", value.clone());
    let shown = engine.eval_expression_with_scope::<Dynamic>(&mut scope, "value.to_string()")?;
    Ok(printable(&shown.to_string()).into_owned())
}

/// Returns what a front end shows of a value; `None` for `()`.
pub(super) fn display(
    engine: &Engine,
    host: &Host,
    value: &Dynamic,
) -> RhaiResult<Option<DisplayedValue>> {
    if value.is_unit() {
        return Ok(None);
    }
    if let Some(panel) = value.read_lock::<Panel>() {
        note_faults(host, &panel);
        return Ok(Some(DisplayedValue::Figure(Box::new(panel.clone()))));
    }
    let text = text(engine, value)?;
    Ok(Some(
        match host.shows_cards().then(|| card(value)).flatten() {
            Some(card) => DisplayedValue::Card {
                text,
                card: Box::new(card),
            },
            None => DisplayedValue::Text(text),
        },
    ))
}

/// Returns the short text of a value that is one of several to choose from.
pub(super) fn label(value: &Dynamic) -> String {
    convert::to_text(value).unwrap_or_else(|| value.to_string())
}

/// Returns the card of a value; `None` for values that are text only, such as numbers.
pub(super) fn card(value: &Dynamic) -> Option<Card> {
    if let Some(array) = value.read_lock::<ScriptArray>() {
        return Some(cards::array(array.data().view()));
    }
    if let Some(data) = value.read_lock::<ScriptDataset>() {
        return Some(cards::dataset(&data.0));
    }
    if let Some(field) = value.read_lock::<ScriptField>() {
        return Some(cards::field(&field.0));
    }
    if let Some(solution) = value.read_lock::<ScriptSolution>() {
        return Some(cards::solution(&solution.0));
    }
    if let Some(run) = value.read_lock::<ScriptRun>() {
        return Some(with_figure(cards::run(&run.0), recipes::losses(&run.0)));
    }
    if let Some(all) = value.read_lock::<ScriptEnsemble>() {
        let figure = recipes::ensemble_losses(&all.0);
        return Some(with_figure(cards::ensemble(&all.0), figure));
    }
    if let Some(equations) = value.read_lock::<ScriptEquations>() {
        return Some(cards::equations(&equations.0));
    }
    if let Some(found) = value.read_lock::<ScriptDiscovery>() {
        return Some(cards::discovery(&found.0));
    }
    if let Some(spline) = value.read_lock::<ScriptSmoothingSpline>() {
        return Some(cards::spline(spline.spline()));
    }
    if let Some(schedule) = value.read_lock::<ScriptSchedule>() {
        return Some(cards::schedule(&schedule.0));
    }
    if let Some(hessian) = value.read_lock::<ScriptHessian>() {
        return Some(cards::hessian(&hessian.0));
    }
    if let Some(density) = value.read_lock::<ScriptDensity>() {
        return Some(cards::density(&density.0));
    }
    if let Some(landscape) = value.read_lock::<ScriptLandscape>() {
        return Some(cards::landscape(&landscape.0));
    }
    if let Some(pca) = value.read_lock::<ScriptPca>() {
        return Some(cards::pca(&pca.0));
    }
    rows(value)
}

/// Returns the card with a figure below, where there is one: a run of no epochs has none.
fn with_figure<F: Into<Panel>>(card: Card, figure: crate::Result<F>) -> Card {
    match figure {
        Ok(figure) => card.figure(figure),
        Err(_) => card,
    }
}

/// Returns a table of a list of maps, a row each, as `table` prints it.
fn rows(value: &Dynamic) -> Option<Card> {
    let list = value.read_lock::<List>()?;
    let mut columns: Vec<String> = Vec::new();
    for item in list.iter() {
        let row = item.read_lock::<Map>()?;
        let new = row
            .keys()
            .filter(|key| !columns.iter().any(|c| c == key.as_str()));
        let new: Vec<String> = new.map(ToString::to_string).collect();
        columns.extend(new);
    }
    if columns.is_empty() {
        return None;
    }
    let cells = |item: &Dynamic| -> Vec<String> {
        let row = item.read_lock::<Map>();
        let cell = |column: &String| {
            let value = row.as_ref()?.get(column.as_str())?;
            Some(tables::cell(value).rounded(4))
        };
        columns
            .iter()
            .map(|c| cell(c).unwrap_or_default())
            .collect()
    };
    let table: Vec<Vec<String>> = list.iter().take(MAX_ROWS).map(cells).collect();
    let title = match list.len() {
        n if n > MAX_ROWS => format!("The first {MAX_ROWS} of {n} rows"),
        _ => String::new(),
    };
    Some(Card::new(title).table(columns, table))
}
