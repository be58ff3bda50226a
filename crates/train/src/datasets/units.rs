//! Units of times and components.

use super::Dataset;
use odesync_base::error::{Error, Result};
use odesync_base::text::count_of;

/// The units of data, in words; an empty text where a unit is not known. Nothing is converted: they are for labels and files.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DataUnits {
    /// Unit of the times.
    pub time: String,
    /// Unit of each component, `[dof]`; empty where none is known.
    pub state: Vec<String>,
}

impl DataUnits {
    /// Whether no unit is known.
    pub fn is_empty(&self) -> bool {
        self.time.is_empty() && self.state.iter().all(String::is_empty)
    }

    /// Returns the unit of a component, empty where it is not known.
    pub fn of_component(&self, component: usize) -> &str {
        self.state.get(component).map_or("", String::as_str)
    }

    /// Returns a label of a quantity: its name, and its unit in brackets where it is known.
    ///
    /// ```
    /// use odesync_train::datasets::DataUnits;
    /// assert_eq!(DataUnits::label("x", "mm"), "x (mm)");
    /// assert_eq!(DataUnits::label("x", ""), "x");
    /// ```
    pub fn label(name: &str, unit: &str) -> String {
        match unit {
            "" => name.into(),
            unit => format!("{name} ({unit})"),
        }
    }
}

impl Dataset {
    /// Sets the units.
    ///
    /// # Errors
    /// Units of another number of components.
    pub fn with_units(mut self, units: DataUnits) -> Result<Self> {
        if !units.state.is_empty() && units.state.len() != self.dof() {
            return Err(Error::invalid(format!(
                "{} for {}: give one for each",
                count_of(units.state.len(), "unit"),
                count_of(self.dof(), "component")
            )));
        }
        self.units = units;
        Ok(self)
    }

    /// Returns the units.
    pub fn units(&self) -> &DataUnits {
        &self.units
    }
}
