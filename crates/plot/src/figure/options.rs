//! Options of a figure that are set by name.

use super::super::legend::Legend;
use super::super::option_value::{OptionValue, unknown_option};
use super::super::scale::{Scale, check_range};
use super::{Figure, checked_size, checked_view};
use odesync_base::error::Result;
use odesync_base::options::{Key, Keys};

impl Figure {
    /// The options of [`Figure::set`].
    pub const OPTIONS: Keys = &[&[
        Key::new("title").doc("Title above the figure."),
        Key::new("x_label").doc("Name of the x axis."),
        Key::new("y_label").doc("Name of the y axis."),
        Key::new("z_label").doc("Name of the z axis."),
        Key::flag("log_x").doc("Logarithmic x axis."),
        Key::flag("log_y").doc("Logarithmic y axis."),
        Key::flag("log_z").doc("Logarithmic z axis."),
        Key::new("symlog_x")
            .doc("Threshold of a symlog x axis: linear below it, logarithmic beyond."),
        Key::new("symlog_y").doc("Threshold of a symlog y axis."),
        Key::new("symlog_z").doc("Threshold of a symlog z axis."),
        Key::new("x_range").doc("Range of the x axis, `[lo, hi]`."),
        Key::new("y_range").doc("Range of the y axis, `[lo, hi]`."),
        Key::new("z_range").doc("Range of the z axis, `[lo, hi]`."),
        Key::new("azimuth").doc("Direction of view of a 3-D figure around the z axis, in degrees."),
        Key::new("elevation").doc("Height of view of a 3-D figure, in degrees."),
        Key::new("size").doc("Width and height in pixels, `[w, h]`."),
        Key::new("legend")
            .doc("Position of the legend.")
            .choices(&Legend::NAMES)
            .default(|| "auto".into(), ""),
    ]];

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
            _ => return Err(unknown_option(name, Self::OPTIONS)),
        }
        Ok(())
    }
}
