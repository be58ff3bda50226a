//! Colour scales: the user's options, and the colours that follow from them for given values.

use super::colormap::ColorMap;
use super::option_kinds::Range;
use super::scale::{Axis, Scale};
use super::scale_options::ColorsScale;
use odesync_base::error::{Error, Result};
use odesync_base::option_set;
use odesync_base::options::{Flag, Key, Maybe, OneOf, Text, join};

option_set! {
    /// The options of a colour scale. Options that are unset are chosen to suit the values.
    #[derive(Debug, Clone, PartialEq)]
    pub(super) struct ColorScaleOptions {
        /// Colour map.
        pub map: ColorMap as OneOf<ColorMap> = ColorMap::default();
        /// Values of the first and the last colour, `[lo, hi]`.
        pub range: Option<(f64, f64)> as Maybe<Range> = None, "that of the data";
        /// Name of the values, beside the colour bar.
        pub label: String as Text = String::new(), "none";
        /// Draw a colour bar.
        pub bar: Option<bool> as Maybe<Flag> = None, "the first coloured layer has one";
    }
    sets {
        /// Scale of the values along the colours.
        pub scale: ColorsScale;
    }
    others {
        /// Range of the colours where the user gives none and the largest values are so far above the others that the full range
        /// would leave these one colour.
        pub robust_range: Option<(f64, f64)> = None;
    }
}

impl ColorScaleOptions {
    /// Descriptions of all options.
    pub const KEYS: &'static [Key] = &join::<6>(&[Self::OPTIONS, ColorsScale::OPTIONS]);

    /// Returns the colour scale of these values; `call` is named in errors.
    pub fn resolve(
        &self,
        call: &str,
        values: impl Iterator<Item = f64> + Clone,
    ) -> Result<ColorScale> {
        let named = |e: Error| Error::invalid(format!("{call}: {e}"));
        let scale = self.scale.or_linear();
        let all = Axis::fit(scale, values.clone(), 0.0);
        let axis = match (self.range.or(self.robust_range), all) {
            (Some(range), _) => Axis::from_range(scale, "range", range).map_err(named)?,
            (None, None) => return Err(self.no_values(call, values)),
            (None, Some(mut axis)) => {
                if self.map.is_diverging()
                    && axis.lo < 0.0
                    && axis.hi > 0.0
                    && axis.scale != Scale::Log
                {
                    let most = axis.hi.max(-axis.lo);
                    (axis.lo, axis.hi) = (-most, most);
                }
                axis
            }
        };
        let all = all.unwrap_or(axis);
        Ok(ColorScale {
            map: self.map,
            axis,
            label: self.label.clone(),
            bar: self.bar,
            levels: Vec::new(),
            has_user_range: self.range.is_some(),
            extent: (all.lo, all.hi),
        })
    }

    fn no_values(&self, call: &str, values: impl Iterator<Item = f64> + Clone) -> Error {
        let count = values.clone().count();
        let finite = values.filter(|v| Scale::Linear.in_domain(*v)).count();
        Error::invalid(match (count, finite) {
            (0, _) => format!("{call}: there are no values"),
            (n, 0) => format!(
                "{call}: none of its {n} values is finite; look for where the NaN come from"
            ),
            (n, _) => format!(
                "{call}: none of its {n} values is positive; leave out log, or give symlog a threshold"
            ),
        })
    }
}

/// Implements the colour options' methods for the options type of a layer whose values have colours.
macro_rules! impl_color_options {
    ($type:ty) => {
        impl $type {
            /// Sets the colour map; viridis by default.
            pub fn map(mut self, map: $crate::ColorMap) -> Self {
                self.color_options.map = map;
                self
            }

            /// Colours by the logarithm of the values; values that are not positive have no colour.
            pub fn log(mut self) -> Self {
                self.color_options.scale.0 = Some($crate::scale::Scale::Log);
                self
            }

            /// Colours on a symlog scale: linear within ±`threshold` and by the logarithm beyond.
            ///
            /// # Errors
            ///
            /// A threshold that is not positive and finite.
            pub fn symlog(mut self, threshold: f64) -> $crate::Result<Self> {
                let scale = $crate::scale::Scale::symlog("symlog", threshold)?;
                self.color_options.scale.0 = Some(scale);
                Ok(self)
            }

            /// Sets the values of the first and the last colour; values beyond have the nearest. The default is the range of the
            /// data, symmetric about 0 for a diverging map.
            ///
            /// # Errors
            ///
            /// Not two finite numbers with `lo < hi`.
            pub fn range(mut self, lo: f64, hi: f64) -> $crate::Result<Self> {
                $crate::scale::check_range("range", lo, hi)?;
                self.color_options.range = Some((lo, hi));
                Ok(self)
            }

            /// Sets the name of the values, which is written beside the colour bar.
            pub fn label(mut self, label: impl Into<String>) -> Self {
                self.color_options.label = label.into();
                self
            }

            /// Sets whether there is a colour bar; by default the first coloured layer of a figure has one.
            pub fn bar(mut self, bar: bool) -> Self {
                self.color_options.bar = Some(bar);
                self
            }
        }
    };
}
pub(super) use impl_color_options;

/// A colour scale: the mapping from values to colours, with all options resolved.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct ColorScale {
    pub map: ColorMap,
    pub axis: Axis,
    pub label: String,
    pub bar: Option<bool>,
    /// Values at which one colour ends and the next begins; empty where the colours change continuously.
    pub levels: Vec<f64>,
    /// Whether the user gave the range.
    pub has_user_range: bool,
    /// The least and the largest of the values, in the coordinate of the scale (logarithms on a logarithmic scale).
    pub extent: (f64, f64),
}

impl ColorScale {
    /// Whether values lie below the range.
    pub fn extends_below(&self) -> bool {
        self.extent.0 < self.axis.lo - 1e-9 * (self.axis.hi - self.axis.lo)
    }

    /// Whether values lie above the range.
    pub fn extends_above(&self) -> bool {
        self.extent.1 > self.axis.hi + 1e-9 * (self.axis.hi - self.axis.lo)
    }

    /// Returns the colour of a value; `None` for NaN or a value outside the scale's domain.
    pub fn rgb(&self, v: f64) -> Option<(u8, u8, u8)> {
        // An infinite value (a loss that overflowed) is unknown rather than large.
        self.axis
            .scale
            .in_domain(v)
            .then(|| self.map.rgb(self.axis.fraction(v)))
    }

    /// Returns the colour of a value, quantized to one part in 64: neighbouring segments of a curve then often have the same.
    pub fn quantized_rgb(&self, v: f64) -> (u8, u8, u8) {
        let fraction = match self.axis.scale.in_domain(v) {
            true => self.axis.fraction(v).clamp(0.0, 1.0),
            false => 0.0,
        };
        self.map.rgb((fraction * 64.0).round() / 64.0)
    }

    /// Returns the colour scale over the range of the vertical axis of a 3-D figure; unchanged where the user gave a range.
    pub fn for_z_range(&self, range: Option<(f64, f64)>) -> ColorScale {
        let mut color_scale = self.clone();
        if let (Some((lo, hi)), false) = (range, self.has_user_range)
            && (self.axis.scale != Scale::Log || lo > 0.0)
        {
            let range = (self.axis.scale.forward(lo), self.axis.scale.forward(hi));
            if range != (self.axis.lo, self.axis.hi) {
                // Values beyond the axis are cut off, so the bar has no arrowheads for them.
                color_scale.extent = range;
            }
            (color_scale.axis.lo, color_scale.axis.hi) = range;
        }
        color_scale
    }

    /// Returns the colour at a position along the colour bar, 0 to 1.
    pub fn rgb_at(&self, fraction: f64) -> (u8, u8, u8) {
        if self.levels.is_empty() {
            return self.map.rgb(fraction);
        }
        let fractions: Vec<f64> = self.levels.iter().map(|v| self.axis.fraction(*v)).collect();
        let next = fractions.partition_point(|p| *p <= fraction);
        self.map.rgb(self.band_center(next))
    }

    /// Returns the position along the colour bar of the colour between level `i` − 1 and level `i`.
    pub fn band_center(&self, i: usize) -> f64 {
        let fraction = |i: usize| {
            self.levels
                .get(i)
                .map(|v| self.axis.fraction(*v).clamp(0.0, 1.0))
        };
        let low = i.checked_sub(1).and_then(fraction).unwrap_or(0.0);
        let high = fraction(i).unwrap_or(1.0);
        0.5 * (low + high)
    }
}
