//! The declaration of one function or one property.

use std::marker::PhantomData;
use std::rc::Rc;

use rhai::{Dynamic, Variant};

use super::argument::{Call, ReturnValue, ScriptType};
use super::body::BindingBody;
use super::{Doc, Registry, read_only};
use crate::script::error::RhaiResult;
use crate::script::keys::Keys;

/// A function or method in the course of its declaration.
///
/// One body is enough where the arguments have one form; of several forms each has a body of its own.
pub struct Function<'a> {
    registry: &'a mut Registry,
    call: Call,
    /// Place of the documentation; `None` where the function is declared elsewhere.
    doc: Option<usize>,
}

impl<'a> Function<'a> {
    pub(super) fn new(registry: &'a mut Registry, name: &'static str, doc: Option<usize>) -> Self {
        let call = Call { name, keys: &[] };
        Function {
            registry,
            call,
            doc,
        }
    }

    /// Declares the keys of the function's option map: of the documentation, of completion, and of the
    /// [`Options`](crate::script::Options) that its bodies take as their last argument.
    #[must_use = "a function needs a body"]
    pub fn options(mut self, keys: Keys) -> Self {
        let docs = &mut self.registry.catalogue.docs;
        if let Some(doc) = self.doc.and_then(|place| docs.get_mut(place)) {
            doc.options = keys;
        }
        self.call.keys = keys;
        self
    }

    /// Registers what the function does with arguments of these types.
    pub fn body<M>(self, body: impl BindingBody<M>) -> Self {
        self.registry.add(self.call, body);
        self
    }

    /// Registers a body whose [`Options`](crate::script::Options) have these keys, some of the function's.
    pub fn body_with<M>(self, keys: Keys, body: impl BindingBody<M>) -> Self {
        let call = Call { keys, ..self.call };
        self.registry.add(call, body);
        self
    }
}

/// A property in the course of its declaration.
#[must_use = "a property needs a getter"]
pub struct Property<'a> {
    registry: &'a mut Registry,
    doc: Doc,
}

impl<'a> Property<'a> {
    pub(super) fn new(registry: &'a mut Registry, doc: Doc) -> Self {
        Property { registry, doc }
    }

    /// Registers how the property of a value is read; the value's type is the one that the documentation names.
    pub fn get<T: ScriptType, R: ReturnValue>(
        self,
        getter: impl Fn(&mut T) -> R + 'static,
    ) -> ReadableProperty<'a, T> {
        let Property { registry, mut doc } = self;
        doc.receiver_type = Some(T::NAME);
        registry.catalogue.docs.push(doc);
        let getter =
            Rc::new(move |value: &mut T| -> RhaiResult<Dynamic> { getter(value).into_result() });
        let kind = registry.type_name::<T>();
        let (of_setter, name, of) = (getter.clone(), doc.name, kind.clone());
        let comparisons = registry.comparisons.clone();
        registry
            .engine
            .register_get(name, move |value: &mut T| getter(value));
        registry
            .engine
            .register_set(name, move |value: &mut T, given: Dynamic| {
                read_only::set(name, &of, &comparisons, || of_setter(value), &given)
            });
        registry.catalogue.properties.push((kind, doc.name));
        ReadableProperty {
            registry,
            name: doc.name,
            of: PhantomData,
        }
    }
}

/// A property of `T` that scripts can read, in the course of its declaration.
pub struct ReadableProperty<'a, T> {
    registry: &'a mut Registry,
    name: &'static str,
    of: PhantomData<T>,
}

impl<T: ScriptType> ReadableProperty<'_, T> {
    /// Registers the assignment of the property: `x.name = value`.
    pub fn set<V: Variant + Clone, R: ReturnValue>(
        self,
        setter: impl Fn(&mut T, V) -> R + 'static,
    ) -> Self {
        let (registry, name) = (&mut *self.registry, self.name);
        let setter = move |value: &mut T, given: V| -> RhaiResult<()> {
            setter(value, given).into_result().map(|_| ())
        };
        registry.engine.register_set(name, setter);
        let [kind, value] = [registry.type_name::<T>(), registry.type_name::<V>()];
        registry.catalogue.setters.push((kind, name, value));
        self
    }
}
