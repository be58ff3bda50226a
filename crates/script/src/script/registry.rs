//! The declaration of functions, properties and constants, which registers them with the engine and records their documentation.
//!
//! | file | content |
//! |---|---|
//! | `function` | [`Function`], [`Property`]: one declaration |
//! | `argument` | [`Argument`], [`ReturnValue`]: what the closures of declarations take and return |
//! | `body` | [`BindingBody`]: the forms of these closures, and their registration for all combinations of types |
//! | `read_only` | changes to what a property returned |
//! | `catalogue` | [`Catalogue`], [`Doc`]: what is recorded |

mod argument;
mod body;
mod catalogue;
mod function;
mod read_only;

use rhai::{Dynamic, Engine, Scope};

use super::host::Host;
use super::interaction::Interactions;
pub use argument::{
    Argument, ArgumentType, Call, Number, Numbers, Operand, ReturnValue, ScriptType,
};
pub use body::BindingBody;
use body::Overloads;
pub use catalogue::{Catalogue, Doc};
pub use function::{Function, Property, ReadableProperty};
use read_only::Comparisons;
pub(in crate::script) use read_only::{check_unchanged, same_number};

/// The registry of bindings, to which they are declared. The recipe for a new binding is in [`crate::script`].
pub struct Registry {
    engine: Engine,
    topic: &'static str,
    constants: Scope<'static>,
    host: Host,
    interactions: Interactions,
    catalogue: Catalogue,
    overloads: Overloads,
    /// Names of the functions that got another body outside their declarations.
    overloaded: Vec<&'static str>,
    comparisons: Comparisons,
}

impl Registry {
    pub(super) fn new(engine: Engine, host: Host, interactions: Interactions) -> Self {
        Self {
            engine,
            topic: "other",
            constants: Scope::new(),
            host,
            interactions,
            catalogue: Catalogue::default(),
            overloads: Overloads::default(),
            overloaded: vec![],
            comparisons: Comparisons::default(),
        }
    }

    /// Sets the topic of all later declarations.
    pub fn topic(&mut self, topic: &'static str) -> &mut Self {
        self.topic = topic;
        self
    }

    /// Returns the host of the session, to be moved into a binding's closure.
    pub fn host(&self) -> Host {
        self.host.clone()
    }

    /// Returns the interactions of the session.
    pub(super) fn interactions(&self) -> Interactions {
        self.interactions.clone()
    }

    /// Returns the engine, for everything that this type has no method for.
    pub fn engine(&mut self) -> &mut Engine {
        &mut self.engine
    }

    /// Declares a function, or a method, whose signature has a dot before the name. The name is read from the signature. The text
    /// is a sentence or more; the example runs as a test.
    ///
    /// ```
    /// use odesync_script::script::{Number, Registry};
    ///
    /// fn register(reg: &mut Registry) {
    ///     reg.function("cube(x) -> float", "x · x · x.", "cube(2)")
    ///         .body(|x: Number| x.0 * x.0 * x.0);
    /// }
    /// ```
    #[must_use = "a function needs a body"]
    pub fn function(
        &mut self,
        signature: &'static str,
        text: &'static str,
        example: &'static str,
    ) -> Function<'_> {
        let doc = self.doc(signature, text, example);
        let place = self.catalogue.docs.len();
        self.catalogue.docs.push(doc);
        Function::new(self, doc.name, Some(place))
    }

    /// Adds bodies to an operator such as `+`, or for other types to a function that is declared elsewhere.
    #[must_use = "an overload needs a body"]
    pub fn overload(&mut self, name: &'static str) -> Function<'_> {
        self.overloaded.push(name);
        Function::new(self, name, None)
    }

    fn add<M>(&mut self, call: Call, body: impl BindingBody<M>) {
        self.catalogue.functions.push(call.name);
        body.register(call, &mut self.overloads);
    }

    /// Declares a property, with a text and an example as of a function; its name stands after the dot of the signature: `run.best_mse -> float`.
    #[must_use = "a property needs a getter"]
    pub fn property(
        &mut self,
        signature: &'static str,
        text: &'static str,
        example: &'static str,
    ) -> Property<'_> {
        let doc = self.doc(signature, text, example);
        Property::new(self, doc)
    }

    fn doc(&self, signature: &'static str, text: &'static str, example: &'static str) -> Doc {
        let name = name_of(signature);
        debug_assert!(!text.is_empty(), "{name} has no description");
        debug_assert!(!example.is_empty(), "{name} has no example");
        Doc {
            topic: self.topic,
            receiver_type: None,
            name,
            signature,
            text,
            example,
            options: &[],
        }
    }

    /// Registers a type under the name that scripts and messages use, and how a value is printed.
    pub fn script_type<T: ScriptType>(&mut self) -> &mut Self {
        self.comparisons.add::<T>();
        self.engine
            .register_type_with_name::<T>(T::NAME)
            .register_fn("to_string", |value: &mut T| value.show())
            .register_fn("to_debug", |value: &mut T| value.show());
        self
    }

    fn type_name<T: 'static>(&self) -> String {
        let name = std::any::type_name::<T>();
        self.engine.map_type_name(name).to_string()
    }

    /// Declares a constant that is known everywhere, inside functions too.
    pub fn constant(
        &mut self,
        signature: &'static str,
        text: &'static str,
        example: &'static str,
        value: impl Into<Dynamic>,
    ) -> &mut Self {
        let doc = self.doc(signature, text, example);
        self.catalogue.docs.push(doc);
        self.constants.push_constant_dynamic(doc.name, value.into());
        self.catalogue.constants.push(doc.name);
        self
    }

    pub(super) fn finish(mut self) -> (Engine, Scope<'static>, Catalogue) {
        for name in &self.overloaded {
            let operator = !name.starts_with(|c: char| c.is_alphabetic());
            let described = self.catalogue.docs.iter().any(|doc| doc.name == *name);
            debug_assert!(
                operator || described,
                "{name} has bodies and no declaration"
            );
        }
        for (kind, name) in &self.overloads.first_arguments {
            let kind = self.engine.map_type_name(kind.name).to_string();
            self.catalogue.methods.push((kind, name));
        }
        self.engine
            .register_global_module(self.overloads.module.into());
        (self.engine, self.constants, self.catalogue)
    }
}

/// Returns the name in a signature: `history` in `run.history("mse") -> Array`.
pub(super) fn name_of(signature: &'static str) -> &'static str {
    let path = signature.split(['(', ' ']).next().unwrap_or(signature);
    path.rsplit('.').next().unwrap_or(path)
}

#[cfg(test)]
mod tests;
