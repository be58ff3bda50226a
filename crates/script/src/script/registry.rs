//! The registration of functions with the engine, and the record of their documentation.

mod argument;
mod body;
mod catalogue;
mod function;

use rhai::{Dynamic, Engine, RhaiNativeFunc, Scope, Variant};

use super::error::RhaiResult;
use super::host::Host;
use super::keys::Keys;
pub use argument::{
    Argument, ArgumentType, Call, Number, Numbers, Operand, ReturnValue, ScriptType,
};
pub use body::Body;
use body::Overloads;
pub use catalogue::{Catalogue, Doc};
pub use function::{Function, Property};

/// The registry of bindings. The recipe for a new binding is in [`crate::script`].
pub struct Registry {
    engine: Engine,
    topic: &'static str,
    constants: Scope<'static>,
    host: Host,
    catalogue: Catalogue,
    overloads: Overloads,
    /// Names of the functions that got another body outside their declarations.
    overloaded: Vec<&'static str>,
}

impl Registry {
    pub(super) fn new(engine: Engine, host: Host) -> Self {
        Self {
            engine,
            topic: "other",
            constants: Scope::new(),
            host,
            catalogue: Catalogue::default(),
            overloads: Overloads::default(),
            overloaded: vec![],
        }
    }

    /// Sets the topic of all later descriptions.
    pub fn topic(&mut self, topic: &'static str) -> &mut Self {
        self.topic = topic;
        self
    }

    /// Returns the host of the session, to be moved into a binding's closure.
    pub fn host(&self) -> Host {
        self.host.clone()
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

    fn add<M>(&mut self, call: Call, body: impl Body<M>) {
        self.catalogue.functions.push(call.name);
        body.register(call, &mut self.overloads);
    }

    /// Declares a property; its name stands after the dot of the signature: `run.best_mse -> float`.
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
        self.register_type::<T>(T::NAME).display::<T>(T::show)
    }

    fn type_name<T: 'static>(&self) -> String {
        let name = std::any::type_name::<T>();
        self.engine.map_type_name(name).to_string()
    }

    /// Registers a function under `name` for one combination of argument types.
    pub fn register_fn<
        A: 'static,
        const N: usize,
        const X: bool,
        R: Variant + Clone,
        const F: bool,
    >(
        &mut self,
        name: &'static str,
        function: impl RhaiNativeFunc<A, N, X, R, F> + 'static,
    ) -> &mut Self {
        self.engine.register_fn(name, function);
        self.catalogue.functions.push(name);
        if let Some(of) = first_argument(std::any::type_name::<A>()) {
            let kind = self.engine.map_type_name(of).to_string();
            self.catalogue.methods.push((kind, name));
        }
        self
    }

    /// Registers a type under the name that scripts and messages use.
    pub fn register_type<T: Variant + Clone>(&mut self, name: &'static str) -> &mut Self {
        self.engine.register_type_with_name::<T>(name);
        self
    }

    /// Registers how a value is printed, both by itself and inside lists and maps.
    pub fn display<T: Variant + Clone>(&mut self, show: fn(&T) -> String) -> &mut Self {
        self.engine
            .register_fn("to_string", move |x: &mut T| show(x))
            .register_fn("to_debug", move |x: &mut T| show(x));
        self
    }

    /// Registers a readable property: `x.name`.
    pub fn register_get<T: Variant + Clone, R: Variant + Clone>(
        &mut self,
        name: &'static str,
        getter: impl Fn(&mut T) -> RhaiResult<R> + 'static,
    ) -> &mut Self {
        self.engine.register_get(name, getter);
        let kind = self.engine.map_type_name(std::any::type_name::<T>());
        self.catalogue.properties.push((kind.to_string(), name));
        self
    }

    /// Registers an assignable property: `x.name = value`. It needs a getter too.
    pub fn register_set<T: Variant + Clone, V: Variant + Clone>(
        &mut self,
        name: &'static str,
        setter: impl Fn(&mut T, V) -> RhaiResult<()> + 'static,
    ) -> &mut Self {
        self.engine.register_set(name, setter);
        let [of, value] = [std::any::type_name::<T>(), std::any::type_name::<V>()]
            .map(|kind| self.engine.map_type_name(kind).to_string());
        self.catalogue.setters.push((of, name, value));
        self
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

    /// Records the documentation of a function, a method or a constant. The example runs as a test.
    pub fn describe(
        &mut self,
        name: &'static str,
        signature: &'static str,
        text: &'static str,
        example: &'static str,
    ) -> &mut Self {
        self.document(None, name, signature, text, example)
    }

    /// Records the option keys of the function that was described last.
    pub fn option_keys(&mut self, keys: Keys) -> &mut Self {
        if let Some(doc) = self.catalogue.docs.last_mut() {
            doc.options = keys;
        }
        self
    }

    /// Records the documentation of a property of the type `of`; the signature has the property's name after the dot, as in
    /// `run.best_mse -> float`.
    pub fn describe_property(
        &mut self,
        of: &'static str,
        signature: &'static str,
        text: &'static str,
        example: &'static str,
    ) -> &mut Self {
        let path = signature.split(' ').next().unwrap_or(signature);
        let name = path.rsplit('.').next().unwrap_or(path);
        self.document(Some(of), name, signature, text, example)
    }

    fn document(
        &mut self,
        of: Option<&'static str>,
        name: &'static str,
        signature: &'static str,
        text: &'static str,
        example: &'static str,
    ) -> &mut Self {
        self.catalogue.docs.push(Doc {
            topic: self.topic,
            receiver_type: of,
            name,
            signature,
            text,
            example,
            options: &[],
        });
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

/// Returns the type of the first argument in the name of rhai's tuple of argument types, such as `(rhai::…::Mut<crate::A>, i64)`.
fn first_argument(tuple: &str) -> Option<&str> {
    let inside = tuple.strip_prefix('(')?.strip_suffix(')')?;
    let first = inside.split(", ").next()?.trim_end_matches(',');
    let inner = first
        .split_once("::Mut<")
        .and_then(|(_, inner)| inner.strip_suffix('>'));
    Some(inner.unwrap_or(first)).filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests;
