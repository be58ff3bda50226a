//! Comms: channels between objects of the kernel and objects of its clients, here those of widgets.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::context::Context;

/// The target of the comms of widgets.
pub(crate) const WIDGET_TARGET: &str = "jupyter.widget";

/// The target of the comm by which a client asks for the states of all widgets at once.
pub(crate) const WIDGET_CONTROL_TARGET: &str = "jupyter.widget.control";

/// The version of the protocol of widgets.
const WIDGET_PROTOCOL: &str = "2.1.0";

/// The models of widgets that exist, each with its state, by the number of its comm.
#[derive(Default)]
pub(crate) struct WidgetModels(BTreeMap<String, Map<String, Value>>);

impl WidgetModels {
    /// Opens a model with this state, and returns its number.
    pub fn open(&mut self, context: &Context, state: Map<String, Value>) -> String {
        let id = Uuid::new_v4().simple().to_string();
        let content = json!({
            "comm_id": id,
            "target_name": WIDGET_TARGET,
            "data": { "state": state, "buffer_paths": [] },
        });
        let header = context.current().header;
        let metadata = json!({ "version": WIDGET_PROTOCOL });
        let publisher = &context.publisher;
        publisher.publish_with("comm_open", content, metadata, &header);
        self.0.insert(id.clone(), state);
        id
    }

    /// Changes one entry of a model's state.
    pub fn update(&mut self, context: &Context, id: &str, key: &str, value: Value) {
        let state = json!({ key: value });
        if let Some(model) = self.0.get_mut(id) {
            model.insert(key.into(), value);
            send(
                context,
                id,
                json!({ "method": "update", "state": state, "buffer_paths": [] }),
            );
        }
    }

    /// Takes over what a client has changed of a model, and tells the other clients; does nothing for an unknown model.
    pub fn changed_by_client(&mut self, context: &Context, id: &str, changes: &Map<String, Value>) {
        if let Some(model) = self.0.get_mut(id) {
            model.extend(changes.clone());
            send(
                context,
                id,
                json!({ "method": "echo_update", "state": changes, "buffer_paths": [] }),
            );
        }
    }

    /// Sends the state of a model to the clients.
    pub fn send_state(&self, context: &Context, id: &str) {
        if let Some(state) = self.0.get(id) {
            send(
                context,
                id,
                json!({ "method": "update", "state": state, "buffer_paths": [] }),
            );
        }
    }

    /// Sends the states of all models over the comm of a client that asked for them.
    pub fn send_all_states(&self, context: &Context, comm: &str) {
        let states: Map<String, Value> = self
            .0
            .iter()
            .map(|(id, state)| {
                let model = json!({
                    "model_name": state.get("_model_name"),
                    "model_module": state.get("_model_module"),
                    "model_module_version": state.get("_model_module_version"),
                    "state": state,
                });
                (id.clone(), model)
            })
            .collect();
        let data = json!({ "method": "update_states", "states": states, "buffer_paths": [] });
        send(context, comm, data);
    }

    /// Forgets a model, and closes its comm.
    pub fn close(&mut self, context: &Context, id: &str) {
        if self.0.remove(id).is_some() {
            context.publish("comm_close", json!({ "comm_id": id, "data": {} }));
        }
    }

    /// Forgets a model that a client has closed.
    pub fn closed_by_client(&mut self, id: &str) {
        self.0.remove(id);
    }

    /// Returns the comms, as the reply to `comm_info_request` lists them.
    pub fn list(&self) -> Value {
        let target = json!({ "target_name": WIDGET_TARGET });
        self.0
            .keys()
            .map(|id| (id.clone(), target.clone()))
            .collect::<Map<_, _>>()
            .into()
    }
}

fn send(context: &Context, id: &str, data: Value) {
    context.publish("comm_msg", json!({ "comm_id": id, "data": data }));
}
