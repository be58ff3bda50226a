//! The closures of bindings, and their registration for every combination of accepted types.

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
        for types in combinations(arguments) {
            if let Some(first) = types.first() {
                self.first_arguments.push((*first, name));
            }
            let ids: Vec<_> = types.iter().map(|kind| kind.id).collect();
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

/// The closure of a binding: `|x: ScriptArray, axis: i64| …`, `|x: &mut ScriptArray| …` or `|context: NativeCallContext, f: FnPtr| …`.
///
/// `M` tells these forms apart; the compiler finds it. Arguments are of types that are an [`Argument`], the result of one that is
/// an [`ReturnValue`].
pub trait Body<M> {
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

macro_rules! dynamic {
    ($name:ident) => {
        Dynamic
    };
}

/// Implements `Body` for closures with these arguments before the last one.
macro_rules! body {
    ($($p:ident),*) => {
        #[allow(non_snake_case)]
        impl<Fun, Res: ReturnValue, $($p: Argument,)* Last: Argument> Body<ByValue<($($p,)* Last,)>> for Fun
        where
            Fun: Fn($($p,)* Last) -> Res + 'static,
        {
            fn register(self, call: Call, overloads: &mut Overloads) {
                let arguments = [$($p::types(),)* Last::types()];
                let body = Rc::new(self);
                if let ([before @ .., _], true) = (&arguments[..], Last::OPTIONAL) {
                    let body = Rc::clone(&body);
                    overloads.add(call.name, before, move |$($p: dynamic!($p)),*| {
                        body($($p::read(Some($p), &call)?,)* Last::read(None, &call)?).into_result()
                    });
                }
                overloads.add(call.name, &arguments, move |$($p: dynamic!($p),)* last: Dynamic| {
                    body($($p::read(Some($p), &call)?,)* Last::read(Some(last), &call)?).into_result()
                });
            }
        }

        #[allow(non_snake_case)]
        impl<Fun, Res: ReturnValue, $($p: Argument,)* Last: Argument> Body<InContext<($($p,)* Last,)>> for Fun
        where
            Fun: for<'a> Fn(NativeCallContext<'a>, $($p,)* Last) -> Res + 'static,
        {
            fn register(self, call: Call, overloads: &mut Overloads) {
                let arguments = [$($p::types(),)* Last::types()];
                let body = Rc::new(self);
                if let ([before @ .., _], true) = (&arguments[..], Last::OPTIONAL) {
                    let body = Rc::clone(&body);
                    overloads.add(call.name, before, move |context: NativeCallContext, $($p: dynamic!($p)),*| {
                        body(context, $($p::read(Some($p), &call)?,)* Last::read(None, &call)?).into_result()
                    });
                }
                overloads.add(call.name, &arguments, move |context: NativeCallContext, $($p: dynamic!($p),)* last: Dynamic| {
                    body(context, $($p::read(Some($p), &call)?,)* Last::read(Some(last), &call)?).into_result()
                });
            }
        }

        #[allow(non_snake_case)]
        impl<Fun, Res: ReturnValue, T: Argument + Variant + Clone, $($p: Argument,)* Last: Argument> Body<Method<T, ($($p,)* Last,)>> for Fun
        where
            Fun: Fn(&mut T, $($p,)* Last) -> Res + 'static,
        {
            fn register(self, call: Call, overloads: &mut Overloads) {
                let arguments = [T::types(), $($p::types(),)* Last::types()];
                let body = Rc::new(self);
                if let ([before @ .., _], true) = (&arguments[..], Last::OPTIONAL) {
                    let body = Rc::clone(&body);
                    overloads.add(call.name, before, move |value: &mut Dynamic, $($p: dynamic!($p)),*| {
                        body(&mut *receiver::<T>(value, &call)?, $($p::read(Some($p), &call)?,)* Last::read(None, &call)?).into_result()
                    });
                }
                overloads.add(call.name, &arguments, move |value: &mut Dynamic, $($p: dynamic!($p),)* last: Dynamic| {
                    body(&mut *receiver::<T>(value, &call)?, $($p::read(Some($p), &call)?,)* Last::read(Some(last), &call)?).into_result()
                });
            }
        }
    };
}

body!();
body!(A);
body!(A, B);
body!(A, B, C);
body!(A, B, C, D);
body!(A, B, C, D, E);

impl<Fun, Res: ReturnValue> Body<ByValue<()>> for Fun
where
    Fun: Fn() -> Res + 'static,
{
    fn register(self, call: Call, overloads: &mut Overloads) {
        overloads.add(call.name, &[], move || self().into_result());
    }
}

impl<Fun, Res: ReturnValue, T: Argument + Variant + Clone> Body<Method<T, ()>> for Fun
where
    Fun: Fn(&mut T) -> Res + 'static,
{
    fn register(self, call: Call, overloads: &mut Overloads) {
        overloads.add(call.name, &[T::types()], move |value: &mut Dynamic| {
            self(&mut *receiver::<T>(value, &call)?).into_result()
        });
    }
}
