//! The figures of the library's values, for every front end; `builders` makes those of plain arrays.
//!
//! | file | figures of |
//! |---|---|
//! | `data` | data |
//! | `fit_frame` | what is drawn of one sample and a model |
//! | `fits` | data with a model's trajectory, an ensemble's band, a discovery |
//! | `losses` | losses by epoch |
//! | `landscapes` | slices of a loss, spectral densities, the parameter path of a run |
//! | `panels` | whether components have panels of their own |
//! | `splines` | a smoothing spline and its derivative |

mod data;
mod fit_frame;
mod fits;
mod landscapes;
mod losses;
mod panels;
mod splines;

pub use data::data;
pub use fits::{FitPanels, FitPlotOptions};
pub use fits::{FittedModel, ensemble_band, fit};
pub use landscapes::{
    LandscapeStyle, density, landscape, landscape_lines, pca_path, side_by_side, spectrum,
};
pub use losses::{ensemble_losses, losses};
pub use splines::spline;
