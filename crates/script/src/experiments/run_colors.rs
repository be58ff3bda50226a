//! The colours of many runs' curves, by a setting in which the runs differ.

use odesync_base::tables::TableCell;
use odesync_plot::{Color, ColorMap};

/// Largest number of values that the legend names; of more of them, some that are evenly spread.
const MAX_NAMED: usize = 7;

/// The lightest colours of the map are hardly visible on white.
const DARKEST_PART: f64 = 0.92;

/// The colour of each run's curve, and its name in the legend: only the first run of a value has one.
pub(super) struct RunColors {
    pub colors: Vec<Color>,
    pub labels: Vec<Option<String>>,
}

/// Returns the setting by which runs are coloured: the first one that differs, unless it is the seed and there are others.
pub(super) fn swept_setting(
    rows: &[(String, Vec<TableCell>)],
) -> Option<&(String, Vec<TableCell>)> {
    let other = rows.iter().find(|(key, _)| !key.ends_with("seed"));
    other.or_else(|| rows.first())
}

/// Returns the colours of runs that have these values of a setting: numbers in their order from dark to light, texts by the palette.
pub(super) fn run_colors(key: &str, values: &[TableCell]) -> RunColors {
    let texts: Vec<String> = values.iter().map(text).collect();
    let numbers: Option<Vec<f64>> = values.iter().map(number).collect();
    let mut distinct: Vec<usize> = Vec::new();
    for i in 0..values.len() {
        if distinct.iter().all(|other| texts[*other] != texts[i]) {
            distinct.push(i);
        }
    }
    if let Some(numbers) = &numbers {
        distinct.sort_by(|a, b| numbers[*a].total_cmp(&numbers[*b]));
    }
    let last = distinct.len().saturating_sub(1);
    let color = |rank: usize| match &numbers {
        Some(_) if last > 0 => {
            let (r, g, b) = ColorMap::Viridis.rgb(DARKEST_PART * rank as f64 / last as f64);
            Color::Rgb(r, g, b)
        }
        _ => Color::Palette(rank),
    };
    let rank = |i: usize| distinct.iter().position(|d| texts[*d] == texts[i]);
    let named: Vec<usize> = match last < MAX_NAMED {
        true => (0..=last).collect(),
        false => (0..MAX_NAMED).map(|i| i * last / (MAX_NAMED - 1)).collect(),
    };
    let label = |i: usize| {
        let rank = rank(i).filter(|rank| named.contains(rank) && distinct[*rank] == i);
        rank.map(|_| format!("{key} = {}", texts[i]))
    };
    RunColors {
        colors: (0..values.len())
            .map(|i| color(rank(i).unwrap_or(0)))
            .collect(),
        labels: (0..values.len()).map(label).collect(),
    }
}

fn number(cell: &TableCell) -> Option<f64> {
    match cell {
        TableCell::Count(n) => Some(*n as f64),
        TableCell::Number(x) => Some(*x),
        TableCell::Text(_) | TableCell::Empty => None,
    }
}

fn text(cell: &TableCell) -> String {
    match cell {
        TableCell::Count(n) => n.to_string(),
        TableCell::Number(x) => x.to_string(),
        TableCell::Text(text) => text.clone(),
        TableCell::Empty => "none".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_values_have_one_colour_and_one_name() {
        let rates = [0.1, 0.01, 0.1, 1.0].map(TableCell::Number);
        let of = run_colors("lr", &rates);
        let (r, g, b) = ColorMap::Viridis.rgb(0.0);
        assert_eq!(of.colors[0], of.colors[2]);
        assert_eq!(
            of.colors[1],
            Color::Rgb(r, g, b),
            "the least is the darkest"
        );
        let names: Vec<&str> = of.labels.iter().flatten().map(String::as_str).collect();
        assert_eq!(names, ["lr = 0.1", "lr = 0.01", "lr = 1"]);

        let methods = ["a", "b", "a"].map(|m| TableCell::Text(m.into()));
        let of = run_colors("method", &methods);
        assert_eq!(
            of.colors,
            [Color::Palette(0), Color::Palette(1), Color::Palette(0)]
        );

        let many: Vec<TableCell> = (0..100).map(TableCell::Count).collect();
        let of = run_colors("n", &many);
        let names: Vec<&str> = of.labels.iter().flatten().map(String::as_str).collect();
        assert_eq!((names.len(), names[0], names[6]), (7, "n = 0", "n = 99"));
    }

    #[test]
    fn the_seed_is_the_last_choice() {
        let rows = |keys: &[&str]| -> Vec<(String, Vec<TableCell>)> {
            keys.iter().map(|key| (key.to_string(), vec![])).collect()
        };
        let key = |keys: &[&str]| swept_setting(&rows(keys)).map(|(key, _)| key.clone());
        assert_eq!(
            key(&["random_seed", "training.lr"]).as_deref(),
            Some("training.lr")
        );
        assert_eq!(key(&["random_seed"]).as_deref(), Some("random_seed"));
        assert_eq!(key(&[]), None);
    }
}
