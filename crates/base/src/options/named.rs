//! Types whose values have names.

use crate::error::Result;

/// A type whose values have names.
pub trait Named: Sized {
    /// The names of all values.
    const NAMES: &'static [&'static str];

    /// Returns the value with this name.
    ///
    /// # Errors
    /// No value has this name.
    fn from_name(name: &str) -> Result<Self>;

    /// Returns the name of the value.
    fn to_name(&self) -> &'static str;
}

/// Implements [`Named`] for a type by a table of its values and their names. The text before the table is what an unknown name is called
/// in the message. A variant that holds settings stands with those that it has by default: its name is that of every such value.
///
/// ```
/// use odesync_base::options::Named;
///
/// #[derive(Debug, PartialEq)]
/// enum Edge {
///     Open,
///     Closed,
/// }
/// odesync_base::impl_named!(Edge, "edge", Open = "open", Closed = "closed");
/// assert_eq!(Edge::from_name("closed")?, Edge::Closed);
/// assert_eq!(Edge::Open.to_name(), "open");
/// assert!(Edge::from_name("opne").is_err());
///
/// #[derive(Debug, PartialEq)]
/// enum Window {
///     Box,
///     Gauss(f64),
/// }
/// odesync_base::impl_named!(Window, "window", Box = "box", Gauss(1.0) = "gauss");
/// assert_eq!(Window::from_name("gauss")?, Window::Gauss(1.0));
/// assert_eq!(Window::Gauss(0.5).to_name(), "gauss");
/// # Ok::<(), odesync_base::Error>(())
/// ```
#[macro_export]
macro_rules! impl_named {
    ($type:ty, $what:literal, $($value:ident $(($settings:expr))? = $name:literal),+ $(,)?) => {
        impl $crate::options::Named for $type {
            const NAMES: &'static [&'static str] = &[$($name),+];

            fn from_name(name: &str) -> $crate::error::Result<Self> {
                match name {
                    $($name => Ok(Self::$value $(($settings))?),)+
                    _ => Err($crate::error::unknown($what, name, Self::NAMES.iter().copied())),
                }
            }

            fn to_name(&self) -> &'static str {
                match self {
                    $(Self::$value { .. } => $name,)+
                }
            }
        }
    };
}
