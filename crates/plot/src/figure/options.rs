//! Options of a figure that are set by name.

use super::super::legend::Legend;
use super::super::option_value::OptionValue;
use super::super::scale::{Scale, check_range};
use super::{Figure, checked_size, checked_view};
use odesync_base::error::{Result, unknown};

impl Figure {
    /// The names of the options of [`Figure::set`].
    pub const OPTIONS: [&'static str; 17] = [
        "title",
        "x_label",
        "y_label",
        "z_label",
        "log_x",
        "log_y",
        "log_z",
        "symlog_x",
        "symlog_y",
        "symlog_z",
        "x_range",
        "y_range",
        "z_range",
        "azimuth",
        "elevation",
        "size",
        "legend",
    ];

    /// Sets an option of the figure by its name (see [`Figure::OPTIONS`]).
    ///
    /// ```
    /// use odesync_plot::Figure;
    /// let mut figure = Figure::new();
    /// figure.set("title", "Losses")?;
    /// figure.set("log_y", true)?;
    /// figure.set("size", &[600.0, 400.0][..])?;
    /// assert!(figure.set("titel", "Losses").unwrap_err().to_string().contains("title"));
    /// # Ok::<(), odesync_plot::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// An unknown name (the known ones are listed) or a value that does not fit.
    pub fn set<'a>(&mut self, name: &str, value: impl Into<OptionValue<'a>>) -> Result<()> {
        let value = value.into();
        let log = |value: OptionValue| -> Result<Scale> {
            Ok(if value.flag(name)? {
                Scale::Log
            } else {
                Scale::Linear
            })
        };
        let symlog = |value: OptionValue| Scale::symlog(name, value.number(name)?);
        match name {
            "title" => self.title = value.text(name)?.to_owned(),
            "x_label" => self.x_label = value.text(name)?.to_owned(),
            "y_label" => self.y_label = value.text(name)?.to_owned(),
            "z_label" => self.z_label = value.text(name)?.to_owned(),
            "log_x" => self.x_scale = log(value)?,
            "log_y" => self.y_scale = log(value)?,
            "log_z" => self.z_scale = log(value)?,
            "symlog_x" => self.x_scale = symlog(value)?,
            "symlog_y" => self.y_scale = symlog(value)?,
            "symlog_z" => self.z_scale = symlog(value)?,
            "x_range" | "y_range" | "z_range" => {
                let (lo, hi) = value.pair(name)?;
                check_range(name, lo, hi)?;
                match name {
                    "x_range" => self.x_range = Some((lo, hi)),
                    "y_range" => self.y_range = Some((lo, hi)),
                    _ => self.z_range = Some((lo, hi)),
                }
            }
            "azimuth" => {
                (self.azimuth, self.elevation) = checked_view(value.number(name)?, self.elevation)?;
            }
            "elevation" => {
                (self.azimuth, self.elevation) = checked_view(self.azimuth, value.number(name)?)?;
            }
            "size" => {
                let (width, height) = value.pair(name)?;
                self.size = checked_size(width, height)?;
            }
            "legend" => {
                self.legend = match value {
                    OptionValue::Flag(true) => Legend::Auto,
                    OptionValue::Flag(false) => Legend::None,
                    other => other.text(name)?.parse()?,
                };
            }
            _ => return Err(unknown("option", name, Self::OPTIONS)),
        }
        Ok(())
    }
}
