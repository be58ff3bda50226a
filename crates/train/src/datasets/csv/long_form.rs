//! Tables in long form: a row for each value, with a column of names and one of values.

use std::collections::HashMap;

use super::options::Column;
use super::reader::{CsvReader, SampleRows};
use crate::datasets::data_error;
use odesync_base::error::{Result, unknown};

/// Values of one sample of a table in long form: line, time, index of the variable, value.
type LongValues = Vec<(usize, f64, usize, f64)>;

impl<'a> CsvReader<'a> {
    /// Reads a table in long form, with a row for each value.
    pub fn read_long(&mut self, variable: usize, value: usize) -> Result<Vec<SampleRows<'a>>> {
        let mut samples: Vec<(&str, LongValues)> = vec![];
        let mut places = HashMap::new();
        let mut last: HashMap<(usize, usize), f64> = HashMap::new();
        let wanted = self.wanted_variables();
        for (line, row) in &self.table.rows {
            let name = row[variable].as_str();
            if wanted
                .as_ref()
                .is_some_and(|wanted| !wanted.iter().any(|w| w == name))
            {
                continue;
            }
            let sample = self.sample_name(*line, row)?;
            let place = *places.entry(sample).or_insert_with(|| {
                samples.push((sample, vec![]));
                samples.len() - 1
            });
            let index = match self.names.iter().position(|own| own == name) {
                Some(index) => index,
                None => {
                    self.names.push(name.to_string());
                    self.names.len() - 1
                }
            };
            let before = last.get(&(place, index)).copied();
            let time = match (self.columns.time, self.options.dt) {
                (None, Some(dt)) => before.map_or(0.0, |before| before + dt),
                (column, _) => {
                    self.time(*line, column.unwrap_or_default(), row, before.as_ref())?
                }
            };
            last.insert((place, index), time);
            let number = self.number(*line, value, &row[value])?;
            samples[place]
                .1
                .push((*line, time, index, number.unwrap_or(f64::NAN)));
        }
        if let Some(wanted) = wanted {
            if let Some(missing) = wanted.iter().find(|name| !self.names.contains(name)) {
                let all = self
                    .table
                    .rows
                    .iter()
                    .map(|(_, row)| row[variable].as_str());
                let mut known: Vec<&str> = all.collect();
                known.sort_unstable();
                known.dedup();
                let message = unknown("variable", missing, known).to_string();
                return Err(data_error(self.path, None, None, message));
            }
            let order: Vec<usize> = (self.names.iter())
                .map(|name| wanted.iter().position(|w| w == name).unwrap_or_default())
                .collect();
            for (_, values) in &mut samples {
                values
                    .iter_mut()
                    .for_each(|(_, _, index, _)| *index = order[*index]);
            }
            self.names = wanted;
        }
        let dof = self.names.len();
        let rows = samples
            .into_iter()
            .map(|(name, values)| wide_rows(name, values, dof));
        Ok(rows.collect())
    }

    /// Returns the names of the variables that `state` asks for, of a table in long form.
    fn wanted_variables(&self) -> Option<Vec<String>> {
        let columns = self.options.state.as_ref()?;
        let name = |column: &Column| match column {
            Column::Name(name) => name.clone(),
            Column::Index(index) => index.to_string(),
        };
        Some(columns.iter().map(name).collect())
    }
}

/// Returns the values of one sample as rows, one for each time, NaN where a variable has no value.
fn wide_rows(name: &str, mut long: LongValues, dof: usize) -> SampleRows<'_> {
    long.sort_by(|a, b| a.1.total_cmp(&b.1));
    let (mut times, mut values): (Vec<f64>, Vec<f64>) = (vec![], vec![]);
    let last_line = long
        .iter()
        .map(|(line, ..)| *line)
        .max()
        .unwrap_or_default();
    for (_, time, index, value) in long {
        if times.last() != Some(&time) {
            times.push(time);
            values.extend(std::iter::repeat_n(f64::NAN, dof));
        }
        let row = values.len() - dof;
        values[row + index] = value;
    }
    SampleRows {
        name,
        last_line,
        times,
        values,
    }
}
