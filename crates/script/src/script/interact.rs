//! The binding `interact(f, controls)`: a function whose arguments the user sets by sliders, drawn anew at every change.

use rhai::{Array as List, Dynamic, FnPtr, Map, NativeCallContext};

use super::convert;
use super::error::RhaiResult;
use super::host::Host;
use super::interaction::{Interaction, Interactions, Widget, WidgetKind, WidgetValue};
use super::keys::{Key, Keys};
use super::options::Options;
use super::registry::Registry;
use super::value_display;
use crate::{Error, Result};

/// Number of steps of a slider of floats whose step is not given.
const FLOAT_STEPS: f64 = 100.0;

const CONTROL: Keys = &[&[
    Key::new("min"),
    Key::new("max"),
    Key::new("step"),
    Key::new("value"),
    Key::new("choices"),
]];

/// A control and the values that its choices stand for.
type ReadWidget = (Widget, Vec<Dynamic>);

/// Reads the control of an argument from what the script gives for it.
fn read_control(name: &str, given: &Dynamic) -> Result<ReadWidget> {
    let plain = |kind| {
        let name = name.to_string();
        Ok((Widget { name, kind }, Vec::new()))
    };
    if let Ok(on) = given.as_bool() {
        return plain(WidgetKind::Bool(on));
    }
    if let Some(map) = given.read_lock::<Map>() {
        return read_map(name, map.clone());
    }
    let list = given.read_lock::<List>().map(|list| list.clone());
    let list = match list {
        Some(list) => list,
        // An array of numbers is as good as a list.
        None => match convert::to_vector(given, "interact") {
            Ok(numbers) if convert::to_number(given).is_none() => {
                numbers.into_iter().map(Dynamic::from).collect()
            }
            _ => return Err(wrong_control(name, given)),
        },
    };
    let numbers = list.iter().all(|x| convert::to_number(x).is_some());
    match &list[..] {
        [min, max] if numbers => plain(slider(name, min, max, None, None)?),
        [min, max, step] if numbers => plain(slider(name, min, max, Some(step), None)?),
        [_, ..] if !numbers => choice(name, list, None),
        _ => Err(wrong_control(name, given)),
    }
}

fn wrong_control(name: &str, given: &Dynamic) -> Error {
    Error::invalid(format!(
        "interact: {name} should be [min, max] or [min, max, step] for a slider, true or false for a checkbox, a list of strings or \
         #{{ choices: [1, 2, 5] }} for a choice, not {}",
        convert::describe(given)
    ))
}

fn read_map(name: &str, map: Map) -> Result<ReadWidget> {
    let mut options = Options::new("interact", CONTROL, map);
    let [value, choices, min, max, step] =
        ["value", "choices", "min", "max", "step"].map(|key| options.take(key));
    options.finish()?;
    if let Some(choices) = choices {
        if min.is_some() || max.is_some() || step.is_some() {
            return Err(Error::invalid(format!(
                "interact: {name} has choices, so min, max and step mean nothing; leave them out"
            )));
        }
        let list = choices.read_lock::<List>().map(|list| list.clone());
        let list = list.filter(|list| !list.is_empty()).ok_or_else(|| {
            Error::invalid(format!(
                "interact: the choices of {name} should be a list with a value or more, not {}",
                convert::describe(&choices)
            ))
        })?;
        return choice(name, list, value.as_ref());
    }
    let (Some(min), Some(max)) = (min, max) else {
        return Err(Error::invalid(format!(
            "interact: {name} needs min and max, as in #{{ min: 0.5, max: 2.0, step: 0.1, value: 1.0 }}, or choices"
        )));
    };
    let kind = slider(name, &min, &max, step.as_ref(), value.as_ref())?;
    let name = name.to_string();
    Ok((Widget { name, kind }, Vec::new()))
}

/// Returns a slider: of whole numbers where all that is given is whole, otherwise of floats. Without a value it begins in the
/// middle.
fn slider(
    name: &str,
    min: &Dynamic,
    max: &Dynamic,
    step: Option<&Dynamic>,
    value: Option<&Dynamic>,
) -> Result<WidgetKind> {
    let given = [Some(min), Some(max), step, value];
    let number = |x: &Dynamic, what: &str| {
        convert::to_number(x)
            .filter(|x| x.is_finite())
            .ok_or_else(|| {
                Error::invalid(format!(
                    "interact: the {what} of {name} should be a number, not {}",
                    convert::describe(x)
                ))
            })
    };
    let (low, high) = (number(min, "minimum")?, number(max, "maximum")?);
    let step_number = step.map(|x| number(x, "step")).transpose()?;
    let value_number = value.map(|x| number(x, "value")).transpose()?;
    if low >= high {
        return Err(Error::invalid(format!(
            "interact: the slider of {name} should go from a smaller to a larger number, not from {low} to {high}"
        )));
    }
    if step_number.is_some_and(|step| step <= 0.0) {
        return Err(Error::invalid(format!(
            "interact: the step of {name} should be above 0"
        )));
    }
    if value_number.is_some_and(|value| !(low..=high).contains(&value)) {
        return Err(Error::invalid(format!(
            "interact: the value of {name} should lie between {low} and {high}"
        )));
    }
    let whole = given.into_iter().flatten().all(|x| x.is_int());
    if whole && let (Ok(min), Ok(max)) = (min.as_int(), max.as_int()) {
        let step = step.and_then(|x| x.as_int().ok()).unwrap_or(1);
        // In the middle, on a step; the middle of two numbers far apart does not overflow.
        let middle = || min.saturating_add(max.saturating_sub(min) / 2 / step * step);
        let value = value.and_then(|x| x.as_int().ok()).unwrap_or_else(middle);
        return Ok(WidgetKind::Int {
            min,
            max,
            step,
            value,
        });
    }
    Ok(WidgetKind::Float {
        min: low,
        max: high,
        step: step_number.unwrap_or((high - low) / FLOAT_STEPS),
        value: value_number.unwrap_or(low + (high - low) / 2.0),
    })
}

/// Returns a choice of these values; without a value it begins with the first.
fn choice(name: &str, list: List, value: Option<&Dynamic>) -> Result<ReadWidget> {
    let labels: Vec<String> = list.iter().map(value_display::label).collect();
    let index = match value.map(value_display::label) {
        None => 0,
        Some(wanted) => labels.iter().position(|l| *l == wanted).ok_or_else(|| {
            Error::invalid(format!(
                "interact: the value of {name} should be one of its choices, {}, not {wanted}",
                labels.join(", ")
            ))
        })?,
    };
    let control = Widget {
        name: name.into(),
        kind: WidgetKind::Choice { labels, index },
    };
    Ok((control, list.to_vec()))
}

/// Returns the names of the arguments that a closure still takes, where its definition is known.
fn parameters(context: &NativeCallContext, closure: &FnPtr) -> Option<Vec<String>> {
    let given = closure.curry().len();
    let names = context.iter_namespaces().find_map(|module| {
        let functions = module.iter_script_fn_info();
        let of_name =
            functions.filter(|(_, _, name, n, _)| *name == closure.fn_name() && *n >= given);
        of_name.map(|(_, _, _, _, f)| f.params.clone()).next()
    })?;
    Some(names.iter().skip(given).map(ToString::to_string).collect())
}

fn interact(
    host: &Host,
    interactions: &Interactions,
    context: &NativeCallContext,
    closure: &FnPtr,
    controls: &Map,
) -> RhaiResult<()> {
    let names = parameters(context, closure)
        .unwrap_or_else(|| controls.keys().map(ToString::to_string).collect());
    if names.is_empty() {
        return Err(Error::invalid(
            "interact: the function takes no argument that a control could set; write it as |a, b| plot(…)",
        )
        .into());
    }
    let known = || names.iter().map(String::as_str);
    if let Some(unknown) = controls
        .keys()
        .find(|key| !known().any(|n| n == key.as_str()))
    {
        let unknown = odesync_base::error::unknown("argument", unknown, known());
        return Err(Error::invalid(format!("interact: {unknown}")).into());
    }
    let read = |name: &String| {
        let given = controls.get(name.as_str()).ok_or_else(|| {
            Error::invalid(format!(
                "interact: {name} has no control: give its range, as in #{{ {name}: [0.5, 2.0] }}"
            ))
        })?;
        read_control(name, given)
    };
    let read: Vec<ReadWidget> = names.iter().map(read).collect::<Result<_>>()?;
    let (controls, choices): (Vec<Widget>, Vec<Vec<Dynamic>>) = read.into_iter().unzip();
    let first: Vec<WidgetValue> = controls.iter().map(Widget::first_value).collect();
    let stored = interactions.store(closure.clone(), choices);
    let id = stored.id();
    let interaction = Interaction { id, controls };
    let draw = || {
        let arguments = stored.arguments(&first)?;
        let value: Dynamic = closure.call_within_context(context, arguments)?;
        value_display::display(context.engine(), host, &value)
    };
    if host.interact(&interaction) {
        return host.draw(id, draw);
    }
    // There are no controls here: it is drawn once.
    interactions.remove(id);
    if let Some(display) = draw()? {
        host.display(&display);
    }
    let settings: Vec<String> = interaction
        .controls
        .iter()
        .map(|control| format!("{} = {}", control.name, control.first_text()))
        .collect();
    host.note(&format!(
        "interact: drawn once, with {}; in a notebook of the script kernel (odesync kernel install) there are sliders",
        settings.join(", ")
    ));
    Ok(())
}

pub(super) fn register(reg: &mut Registry) {
    let (host, interactions) = (reg.host(), reg.interactions());
    reg.function(
        "interact(|a, b| plot(…), #{ a: [0.5, 2.0], b: [1, 10] })",
        "Draws what a function returns, and in a notebook draws it anew when a slider of an argument is moved. A control is a slider \
         ([min, max] or [min, max, step], of whole numbers where these are; #{ min, max, step, value }), a checkbox (true or false) \
         or a choice (a list of strings; #{ choices: [1, 2, 5] }). A slider begins in the middle. Elsewhere it is drawn once.",
        "interact(|a, b| plot(solve(lotka_volterra(#{ a: a }), [1, b], linspace(0, 5, 50))), #{ a: [0.5, 2.0], b: [1, 10] })",
    )
    .body(
        move |context: NativeCallContext, f: FnPtr, controls: Map| -> RhaiResult<()> {
            interact(&host, &interactions, &context, &f, &controls)
        },
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    fn control(code: &str) -> Result<Widget> {
        let value = rhai::Engine::new()
            .eval_expression::<Dynamic>(code)
            .unwrap();
        read_control("a", &value).map(|(control, _)| control)
    }

    #[test]
    fn a_range_is_a_slider_of_its_numbers() {
        assert_eq!(
            control("[0.5, 2.5]").unwrap().kind,
            WidgetKind::Float {
                min: 0.5,
                max: 2.5,
                step: 0.02,
                value: 1.5
            }
        );
        assert_eq!(
            control("[1, 10]").unwrap().kind,
            WidgetKind::Int {
                min: 1,
                max: 10,
                step: 1,
                value: 5
            }
        );
        assert_eq!(
            control("#{ min: 0, max: 10, step: 4, value: 8 }")
                .unwrap()
                .kind,
            WidgetKind::Int {
                min: 0,
                max: 10,
                step: 4,
                value: 8
            }
        );
        assert_eq!(
            control("[0, 1, 0.25]").unwrap().kind,
            WidgetKind::Float {
                min: 0.0,
                max: 1.0,
                step: 0.25,
                value: 0.5
            }
        );
        assert_eq!(control("true").unwrap().kind, WidgetKind::Bool(true));
        assert_eq!(
            control("[\"x\", \"y\"]").unwrap().kind,
            WidgetKind::Choice {
                labels: vec!["x".into(), "y".into()],
                index: 0
            }
        );
        assert_eq!(
            control("#{ choices: [1, 2, 5], value: 5 }").unwrap().kind,
            WidgetKind::Choice {
                labels: vec!["1".into(), "2".into(), "5".into()],
                index: 2
            }
        );
        let far = format!("[{}, {}]", i64::MIN + 1, i64::MAX);
        assert!(control(&far).is_ok());
    }

    #[test]
    fn what_is_no_control_is_an_error_that_says_what_is() {
        for (code, word) in [
            ("3", "[min, max]"),
            ("[]", "[min, max]"),
            ("[1]", "[min, max]"),
            ("[1, 2, 3, 4]", "choices"),
            ("[2, 1]", "smaller"),
            ("[0, 1, 0]", "above 0"),
            ("#{ min: 1 }", "needs min and max"),
            ("#{ min: 1, max: 2, value: 3 }", "between"),
            ("#{ choices: [] }", "a value or more"),
            ("#{ choices: [1], value: 2 }", "one of its choices"),
            ("#{ mni: 1, max: 2 }", "min"),
        ] {
            let message = control(code).unwrap_err().to_string();
            assert!(message.contains(word), "{code}: {message}");
        }
    }
}
