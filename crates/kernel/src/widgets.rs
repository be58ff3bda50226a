//! The sliders, checkboxes and choices of `interact`, as models of Jupyter's widgets (ipywidgets 8).

use odesync_script::script::{Interaction, Widget, WidgetKind, WidgetValue};
use serde_json::{Map, Value, json};

use crate::comms::WidgetModels;
use crate::context::Context;
use crate::mime::Bundle;

/// Module and version of the models of controls.
const CONTROLS: (&str, &str) = ("@jupyter-widgets/controls", "2.0.0");

/// Module and version of the models of layouts.
const BASE: (&str, &str) = ("@jupyter-widgets/base", "2.0.0");

/// The MIME type of the view of a widget.
const VIEW: &str = "application/vnd.jupyter.widget-view+json";

/// The widgets of a kernel.
#[derive(Default)]
pub(crate) struct Widgets {
    pub models: WidgetModels,
    shown: Vec<ShownInteraction>,
}

/// An interaction and the models that show it.
struct ShownInteraction {
    id: u64,
    controls: Vec<ShownControl>,
    /// Model of the picture.
    picture: String,
    /// Model of the box around everything.
    root: String,
    /// All models, to close them.
    models: Vec<String>,
    /// Whether the view was shown.
    displayed: bool,
}

struct ShownControl {
    model: String,
    control: Widget,
    value: WidgetValue,
}

/// What a change by a client asks for: the values with which to draw an interaction.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Redraw {
    pub id: u64,
    pub values: Vec<WidgetValue>,
}

impl Widgets {
    /// Opens the models of an interaction. Its view is shown with its first picture.
    pub fn open(&mut self, context: &Context, interaction: &Interaction) {
        let mut models = Vec::new();
        let controls = interaction
            .controls
            .iter()
            .map(|control| ShownControl {
                model: self.open_control(context, control, &mut models),
                value: control.first_value(),
                control: control.clone(),
            })
            .collect::<Vec<_>>();
        let picture = model("HTML", CONTROLS, json!({ "value": "", "placeholder": "" }));
        let picture = self.open_with_layout(context, picture, &mut models);
        let children: Vec<Value> = controls
            .iter()
            .map(|control| &control.model)
            .chain([&picture])
            .map(|id| reference(id))
            .collect();
        let root = model(
            "VBox",
            CONTROLS,
            json!({ "children": children, "box_style": "" }),
        );
        let root = self.open_with_layout(context, root, &mut models);
        self.shown.push(ShownInteraction {
            id: interaction.id,
            controls,
            picture,
            root,
            models,
            displayed: false,
        });
    }

    fn open_control(
        &mut self,
        context: &Context,
        control: &Widget,
        models: &mut Vec<String>,
    ) -> String {
        let (name, style, mut state) = match &control.kind {
            WidgetKind::Float {
                min,
                max,
                step,
                value,
            } => (
                "FloatSlider",
                "SliderStyle",
                json!({ "min": min, "max": max, "step": step, "value": value, "readout_format": ".4~g" }),
            ),
            WidgetKind::Int {
                min,
                max,
                step,
                value,
            } => (
                "IntSlider",
                "SliderStyle",
                json!({ "min": min, "max": max, "step": step, "value": value, "readout_format": "d" }),
            ),
            WidgetKind::Bool(on) => (
                "Checkbox",
                "CheckboxStyle",
                json!({ "value": on, "indent": true }),
            ),
            WidgetKind::Choice { labels, index } => (
                "Dropdown",
                "DescriptionStyle",
                json!({ "_options_labels": labels, "index": index }),
            ),
        };
        if style == "SliderStyle" {
            extend(
                &mut state,
                json!({ "orientation": "horizontal", "readout": true, "continuous_update": true, "behavior": "drag-tap" }),
            );
        }
        let mut style_state = model(style, CONTROLS, json!({ "description_width": "" }));
        style_state.insert("_view_name".into(), "StyleView".into());
        style_state.insert("_view_module".into(), BASE.0.into());
        style_state.insert("_view_module_version".into(), BASE.1.into());
        let style = self.models.open(context, style_state);
        models.push(style.clone());
        extend(
            &mut state,
            json!({ "description": control.name, "description_allow_html": false, "disabled": false, "style": reference(&style) }),
        );
        self.open_with_layout(context, model(name, CONTROLS, state), models)
    }

    /// Opens a model with a layout of its own.
    fn open_with_layout(
        &mut self,
        context: &Context,
        mut state: Map<String, Value>,
        models: &mut Vec<String>,
    ) -> String {
        let layout = self.models.open(context, model("Layout", BASE, json!({})));
        state.insert("layout".into(), reference(&layout));
        let id = self.models.open(context, state);
        models.extend([layout, id.clone()]);
        id
    }

    /// Shows a picture in place of the one before; the first one brings the view, with the picture beside it for pages without
    /// widgets.
    pub fn set_picture(&mut self, context: &Context, id: u64, html: &str) {
        let Some(shown) = self.shown.iter_mut().find(|shown| shown.id == id) else {
            return;
        };
        self.models
            .update(context, &shown.picture, "value", html.into());
        if !std::mem::replace(&mut shown.displayed, true) {
            let mut bundle = Bundle::text(
                "interact: sliders and a picture, where the notebook shows widgets (ipywidgets)",
            );
            bundle.insert("text/html", html.into());
            let view = json!({ "version_major": 2, "version_minor": 0, "model_id": shown.root });
            bundle.insert(VIEW, view);
            context.publish("display_data", bundle.content());
        }
    }

    /// Closes an interaction that was never shown, because its first picture failed.
    pub fn close_unshown(&mut self, context: &Context, id: u64) {
        let models = &mut self.models;
        self.shown.retain(|shown| {
            let keep = shown.id != id || shown.displayed;
            if !keep {
                shown
                    .models
                    .iter()
                    .for_each(|model| models.close(context, model));
            }
            keep
        });
    }

    /// Takes over what a client has changed of a model; returns what is to be drawn, if a control has a new value.
    pub fn change(
        &mut self,
        context: &Context,
        model: &str,
        changes: &Map<String, Value>,
    ) -> Option<Redraw> {
        self.models.changed_by_client(context, model, changes);
        let shown = self
            .shown
            .iter_mut()
            .find(|shown| shown.controls.iter().any(|c| c.model == model))?;
        let control = shown.controls.iter_mut().find(|c| c.model == model)?;
        let value = read_value(&control.control.kind, changes)?;
        if value == control.value {
            return None;
        }
        control.value = value;
        Some(Redraw {
            id: shown.id,
            values: shown.controls.iter().map(|c| c.value).collect(),
        })
    }

    /// Returns whether the model is a control of the interaction.
    pub fn is_control_of(&self, id: u64, model: &str) -> bool {
        self.shown
            .iter()
            .filter(|shown| shown.id == id)
            .any(|shown| shown.controls.iter().any(|c| c.model == model))
    }

    /// Forgets a model that a client has closed; returns the interaction that has ended with it.
    pub fn closed_by_client(&mut self, model: &str) -> Option<u64> {
        self.models.closed_by_client(model);
        let ended = self.shown.iter().position(|shown| shown.root == model)?;
        Some(self.shown.remove(ended).id)
    }
}

/// Returns the state of a model of this name.
fn model(name: &str, (module, version): (&str, &str), state: Value) -> Map<String, Value> {
    let mut all = json!({
        "_model_module": module,
        "_model_module_version": version,
        "_model_name": format!("{name}Model"),
        "_view_module": module,
        "_view_module_version": version,
        "_view_name": format!("{name}View"),
        "_view_count": null,
    });
    extend(&mut all, state);
    match all {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

fn extend(to: &mut Value, more: Value) {
    if let (Some(to), Value::Object(more)) = (to.as_object_mut(), more) {
        to.extend(more);
    }
}

/// Returns the value by which a state names another model.
fn reference(id: &str) -> Value {
    format!("IPY_MODEL_{id}").into()
}

/// Reads the value of a control from a client's changes: within its range, since a client may send anything.
fn read_value(kind: &WidgetKind, changes: &Map<String, Value>) -> Option<WidgetValue> {
    match kind {
        WidgetKind::Float { min, max, .. } => {
            let value = changes.get("value")?.as_f64()?;
            Some(WidgetValue::Float(value.clamp(*min, *max)))
        }
        WidgetKind::Int { min, max, .. } => {
            let value = changes.get("value")?.as_i64()?;
            Some(WidgetValue::Int(value.clamp(*min, *max)))
        }
        WidgetKind::Bool(_) => Some(WidgetValue::Bool(changes.get("value")?.as_bool()?)),
        WidgetKind::Choice { labels, .. } => {
            let index = usize::try_from(changes.get("index")?.as_u64()?).ok()?;
            (index < labels.len()).then_some(WidgetValue::Choice(index))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(kind: &WidgetKind, changes: Value) -> Option<WidgetValue> {
        read_value(kind, changes.as_object().unwrap())
    }

    #[test]
    fn values_of_clients_stay_within_the_range() {
        let float = WidgetKind::Float {
            min: 0.0,
            max: 2.0,
            step: 0.1,
            value: 1.0,
        };
        assert_eq!(
            read(&float, json!({ "value": 1 })),
            Some(WidgetValue::Float(1.0))
        );
        assert_eq!(
            read(&float, json!({ "value": 9.5 })),
            Some(WidgetValue::Float(2.0))
        );
        let int = WidgetKind::Int {
            min: 1,
            max: 3,
            step: 1,
            value: 2,
        };
        assert_eq!(
            read(&int, json!({ "value": -4 })),
            Some(WidgetValue::Int(1))
        );
        let choice = WidgetKind::Choice {
            labels: vec!["a".into()],
            index: 0,
        };
        assert_eq!(
            read(&choice, json!({ "index": 0 })),
            Some(WidgetValue::Choice(0))
        );
        for (kind, changes) in [
            (&float, json!({ "value": "x" })),
            (&float, json!({ "min": 1 })),
            (&int, json!({ "value": 1.5 })),
            (&choice, json!({ "index": 1 })),
            (&choice, json!({ "index": -1 })),
            (&WidgetKind::Bool(true), json!({ "value": 1 })),
        ] {
            assert_eq!(read(kind, changes.clone()), None, "{changes}");
        }
    }
}
