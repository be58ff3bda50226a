//! The registration of functions with the engine, and the record of their documentation.

use rhai::{Dynamic, Engine, RhaiNativeFunc, Scope, Variant};

use super::error::RhaiResult;
use super::host::Host;
use super::keys::Keys;

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
    /// Documentation of functions, properties and constants, in the order in which they were described.
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

impl Catalogue {
    /// Returns what scripts can use and no description exists for: functions, properties as `Type.name`, constants. Operators
    /// need no description.
    pub fn undocumented(&self) -> Vec<String> {
        let described = |of: Option<&str>, name: &str| {
            self.docs
                .iter()
                .any(|d| d.receiver_type == of && d.name == name)
        };
        let functions = self
            .functions
            .iter()
            .filter(|name| name.starts_with(|c: char| c.is_alphabetic()));
        let properties = self
            .properties
            .iter()
            .filter(|(of, name)| !described(Some(of), name));
        let mut missing: Vec<String> = functions
            .chain(&self.constants)
            .filter(|name| !described(None, name))
            .map(|name| name.to_string())
            .chain(properties.map(|(of, name)| format!("{of}.{name}")))
            .collect();
        missing.sort();
        missing.dedup();
        missing
    }
}

/// The registry of bindings. The recipe for a new binding is in [`crate::script`].
pub struct Registry {
    engine: Engine,
    topic: &'static str,
    constants: Scope<'static>,
    host: Host,
    catalogue: Catalogue,
}

impl Registry {
    pub(super) fn new(engine: Engine, host: Host) -> Self {
        Self {
            engine,
            topic: "other",
            constants: Scope::new(),
            host,
            catalogue: Catalogue::default(),
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

    /// Registers a constant that is known everywhere, inside functions too.
    pub fn constant(&mut self, name: &'static str, value: impl Into<Dynamic>) -> &mut Self {
        self.constants.push_constant_dynamic(name, value.into());
        self.catalogue.constants.push(name);
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

    pub(super) fn finish(self) -> (Engine, Scope<'static>, Catalogue) {
        (self.engine, self.constants, self.catalogue)
    }
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
mod tests {
    use super::first_argument;

    #[test]
    fn the_first_argument_stands_in_the_name_of_the_tuple() {
        assert_eq!(first_argument("()"), None);
        assert_eq!(first_argument("(i64,)"), Some("i64"));
        assert_eq!(
            first_argument("(rhai::func::register::Mut<a::B>, i64)"),
            Some("a::B")
        );
        assert_eq!(first_argument("(a::B, rhai::Dynamic)"), Some("a::B"));
    }
}
