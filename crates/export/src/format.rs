//! The format of an exported file, by its ending.

use std::path::Path;

use odesync_base::error::unknown;
use odesync_base::files::write_atomically;
use odesync_base::impl_named;
use odesync_base::options::Named;
use odesync_ode::field::VectorField;
use odesync_train::equations::{Equations, field_latex};

use crate::{Error, ExportOptions, Result};

/// A format that a field is exported in, named after the ending of its files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExportFormat {
    /// Python source.
    Python,
    /// Julia source.
    Julia,
    /// C99 source.
    C,
    /// Equations in LaTeX.
    Latex,
    /// An ONNX graph.
    Onnx,
    /// The weights of the network, as PyTorch has them.
    StateDict,
    /// A script of odesync.
    Script,
}

impl_named!(
    ExportFormat,
    "format",
    Python = "py",
    Julia = "jl",
    C = "c",
    Latex = "tex",
    Onnx = "onnx",
    StateDict = "safetensors",
    Script = "rhai",
);

impl ExportFormat {
    /// Returns the format of a file by its ending.
    ///
    /// # Errors
    /// An ending that no format has.
    pub fn of_path(path: &Path) -> Result<Self> {
        let Some(ending) = path.extension() else {
            return Err(Error::invalid(format!(
                "the ending of the file's name says the format, and \"{}\" has none; known: .{}",
                path.display(),
                Self::NAMES.join(", .")
            )));
        };
        let ending = ending.to_string_lossy().to_lowercase();
        Self::from_name(&ending)
            .map_err(|_| unknown("format of an export", &ending, Self::NAMES.iter().copied()))
    }
}

/// Returns a field as the contents of a file.
///
/// ```
/// use odesync_export::{ExportFormat, ExportOptions, field_source};
///
/// let field = odesync_ode::dynamics::lotka_volterra()?;
/// let source = field_source(&field, ExportFormat::C, &ExportOptions::default())?;
/// assert!(String::from_utf8_lossy(&source).contains("void f(double t, const double *u, double *du)"));
/// # Ok::<(), odesync_export::Error>(())
/// ```
///
/// # Errors
/// A synchronised field, whose spline is data; inputs of several samples without a choice of one; what the format cannot hold.
pub fn field_source(
    field: &VectorField,
    format: ExportFormat,
    options: &ExportOptions,
) -> Result<Vec<u8>> {
    field.check_saveable().map_err(|_| {
        Error::invalid(
            "a synchronised field holds its data and is not exported: export the model itself",
        )
    })?;
    let text = match format {
        ExportFormat::Python => crate::python::source(field, options)?,
        ExportFormat::Julia => crate::julia::source(field, options)?,
        ExportFormat::C => crate::c::source(field, options)?,
        ExportFormat::Latex => latex_file(&field_latex(field, &[])?),
        ExportFormat::Script => crate::rhai::source(field, options)?,
        ExportFormat::Onnx => return crate::onnx::model(field, options),
        ExportFormat::StateDict => return crate::state_dict::bytes(field, options),
    };
    Ok(text.into_bytes())
}

/// Returns equations in LaTeX as a file, to be included in a document.
fn latex_file(latex: &str) -> String {
    format!(
        "% Within a display, such as \\[ \\input{{…}} \\], with \\usepackage{{amsmath}}.\n{latex}\n"
    )
}

/// Writes a field into a file, in the format that the file's ending says. The file appears under its name only when it is complete.
///
/// # Errors
/// An unknown ending, the errors of [`field_source`], and a file that cannot be written.
pub fn export_field(
    field: &VectorField,
    path: impl AsRef<Path>,
    options: &ExportOptions,
) -> Result<()> {
    let path = path.as_ref();
    let bytes = field_source(field, ExportFormat::of_path(path)?, options)?;
    write_atomically(path, &bytes)
}

/// Writes equations that were found into a file, in the format that the file's ending says: LaTeX with the names of the data's
/// columns and the standard errors, a script with named constants, or else their field as [`export_field`] does.
///
/// # Errors
/// Those of [`export_field`].
pub fn export_equations(
    equations: &Equations,
    path: impl AsRef<Path>,
    options: &ExportOptions,
) -> Result<()> {
    let path = path.as_ref();
    let text = match ExportFormat::of_path(path)? {
        ExportFormat::Latex => latex_file(&equations.latex()),
        ExportFormat::Script => equations.script()?,
        _ => return export_field(&equations.system, path, options),
    };
    write_atomically(path, text.as_bytes())
}
