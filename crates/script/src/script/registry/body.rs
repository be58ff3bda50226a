//! The closures of bindings, and their registration for every combination of accepted types.

use std::any::TypeId;
use std::collections::HashSet;
use std::marker::PhantomData;
use std::rc::Rc;

use rhai::{Dynamic, FuncRegistration, Module, NativeCallContext, RhaiNativeFunc, Variant};

use super::argument::{Argument, ArgumentType, Call, ReturnValue};
use crate::Error;
use crate::script::error::RhaiResult;

/// The functions of an engine that are registered by their bodies.
#[derive(Default)]
pub struct Overloads {
    pub(super) module: Module,
    /// The type of the first argument and the name, for every function that has arguments.
    pub(super) first_arguments: Vec<(ArgumentType, &'static str)>,
    /// Names and types of arguments, in debug builds.
    registered: HashSet<(&'static str, Vec<TypeId>)>,
}

impl Overloads {
    /// Registers a function for every combination of its arguments' types.
    fn add<A: 'static, const N: usize, const X: bool, R: Variant + Clone, const F: bool>(
        &mut self,
        name: &'static str,
        arguments: &[Vec<ArgumentType>],
        function: impl RhaiNativeFunc<A, N, X, R, F>,
    ) {
        let function = function.into_rhai_function(true, false);
        for kind in arguments.first().into_iter().flatten() {
            self.first_arguments.push((*kind, name));
        }
        for types in combinations(arguments) {
            let ids: Vec<TypeId> = types.iter().map(|kind| kind.id).collect();
            debug_assert!(
                self.registered.insert((name, ids.clone())),
                "{name} has two bodies for {types:?}"
            );
            FuncRegistration::new(name)
                .in_global_namespace()
                .set_into_module_raw(&mut self.module, ids, function.clone());
        }
    }
}

/// Returns every choice of one type for each argument.
fn combinations(arguments: &[Vec<ArgumentType>]) -> Vec<Vec<ArgumentType>> {
    arguments.iter().fold(vec![vec![]], |all, types| {
        let with = |kind: &ArgumentType| {
            let kind = *kind;
            all.iter()
                .map(move |chosen| [&chosen[..], &[kind]].concat())
        };
        types.iter().flat_map(with).collect()
    })
}

/// The closure of a binding: `|x: ScriptArray, axis: i64| …`, `|x: &mut ScriptArray| …` or
/// `|context: NativeCallContext, f: FnPtr| …`.
///
/// `M` tells these forms apart; the compiler finds it. The type of each argument is an [`Argument`], that of the result a
/// [`ReturnValue`].
pub trait BindingBody<M> {
    /// Registers the closure for every combination of accepted types, and without its last argument if that is optional.
    fn register(self, call: Call, overloads: &mut Overloads);
}

/// The form of a closure that takes its arguments by value.
pub struct ByValue<A>(PhantomData<A>);

/// The form of a closure that takes the context of the call before its arguments.
pub struct InContext<A>(PhantomData<A>);

/// The form of a closure that takes its first argument as `&mut T`.
pub struct Method<T, A>(PhantomData<(T, A)>);

/// Returns the value before the dot.
fn receiver<'a, T: Variant + Clone>(
    value: &'a mut Dynamic,
    call: &Call,
) -> RhaiResult<impl std::ops::DerefMut<Target = T> + 'a> {
    let wrong = || Error::invalid(format!("{}: the value has the wrong type", call.name)).into();
    value.write_lock::<T>().ok_or_else(wrong)
}

/// The type of an argument as the engine hands it over.
macro_rules! dynamic {
    ($name:ident) => {
        Dynamic
    };
}

/// Implements [`BindingBody`] for the closures of one form with these arguments before the last one: the form; generics of its own, and
/// the parameters that come before the arguments; the same parameters of the engine's function, and what is made of them; the
/// types of a receiver.
macro_rules! body_of_form {
    (
        $form:ty, [$($generics:tt)*], ($($prefix:ty)?), |$call:ident, ($($native:ident: $native_type:ty => $given:expr)?)|,
        [$($receiver:expr)?], $($p:ident),*
    ) => {
        #[allow(non_snake_case)]
        impl<Closure, Res: ReturnValue, $($generics)* $($p: Argument,)* Last: Argument> BindingBody<$form> for Closure
        where
            Closure: Fn($($prefix,)? $($p,)* Last) -> Res + 'static,
        {
            fn register(self, $call: Call, overloads: &mut Overloads) {
                let arguments = [$($receiver,)? $($p::types(),)* Last::types()];
                let body = Rc::new(self);
                if let ([before @ .., _], true) = (&arguments[..], Last::OPTIONAL) {
                    let body = Rc::clone(&body);
                    overloads.add($call.name, before, move |$($native: $native_type,)? $($p: dynamic!($p)),*| {
                        let last = Last::read(None, &$call)?;
                        body($($given,)? $($p::read(Some($p), &$call)?,)* last).into_result()
                    });
                }
                overloads.add(
                    $call.name,
                    &arguments,
                    move |$($native: $native_type,)? $($p: dynamic!($p),)* last: Dynamic| {
                        let last = Last::read(Some(last), &$call)?;
                        body($($given,)? $($p::read(Some($p), &$call)?,)* last).into_result()
                    },
                );
            }
        }
    };
}

/// Implements [`BindingBody`] for closures of all forms with these arguments before the last one.
macro_rules! body {
    ($($p:ident),*) => {
        body_of_form!(ByValue<($($p,)* Last,)>, [], (), |call, ()|, [], $($p),*);
        body_of_form!(
            InContext<($($p,)* Last,)>, [], (NativeCallContext<'_>), |call, (context: NativeCallContext => context)|, [], $($p),*
        );
        body_of_form!(
            Method<T, ($($p,)* Last,)>, [T: Argument + Variant + Clone,], (&mut T),
            |call, (value: &mut Dynamic => &mut *receiver::<T>(value, &call)?)|, [T::types()], $($p),*
        );
    };
}

body!();
body!(A);
body!(A, B);
body!(A, B, C);
body!(A, B, C, D);
body!(A, B, C, D, E);

impl<Closure, Res: ReturnValue> BindingBody<ByValue<()>> for Closure
where
    Closure: Fn() -> Res + 'static,
{
    fn register(self, call: Call, overloads: &mut Overloads) {
        overloads.add(call.name, &[], move || self().into_result());
    }
}

impl<Closure, Res: ReturnValue, T: Argument + Variant + Clone> BindingBody<Method<T, ()>>
    for Closure
where
    Closure: Fn(&mut T) -> Res + 'static,
{
    fn register(self, call: Call, overloads: &mut Overloads) {
        overloads.add(call.name, &[T::types()], move |value: &mut Dynamic| {
            self(&mut *receiver::<T>(value, &call)?).into_result()
        });
    }
}
