//! The record of what the bindings of an engine are, for documentation, completion and messages.

use crate::script::keys::Keys;

/// The documentation of one function, property or constant.
#[derive(Debug, Clone, Copy)]
pub struct Doc {
    /// Topic of the entry, such as "arrays".
    pub topic: &'static str,
    /// Type that the property belongs to; `None` for a function, a method or a constant.
    pub receiver_type: Option<&'static str>,
    /// Name that a script writes.
    pub name: &'static str,
    /// Signature: `arange(start, stop, step) -> Array`.
    pub signature: &'static str,
    /// Description, in a sentence or two.
    pub text: &'static str,
    /// Example code that can be run unchanged; some examples that read a file need a file of that name.
    pub example: &'static str,
    /// Keys of the option map; empty where the function takes no such map.
    pub options: Keys,
}

/// The documentation, properties and constants of all bindings of an engine.
#[derive(Debug, Clone, Default)]
pub struct Catalogue {
    /// Documentation of functions, properties and constants, in the order in which they were declared.
    pub docs: Vec<Doc>,
    /// Names of functions and operators; a name may occur several times.
    pub functions: Vec<&'static str>,
    /// Properties, as `(type, property)` pairs.
    pub properties: Vec<(String, &'static str)>,
    /// Properties that can be assigned, as `(type, property, type of the value)`.
    pub setters: Vec<(String, &'static str, String)>,
    /// `(type, function)` for every function whose first argument is of a named type: the methods that can be called after a dot.
    pub methods: Vec<(String, &'static str)>,
    /// Names of constants, such as `PI`.
    pub constants: Vec<&'static str>,
}
