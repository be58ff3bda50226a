//! The widgets of `interact`.

use serde_json::{Value, json};

use super::client::{Client, To, cell};
use crate::message::Message;

/// Returns the models that were opened: name, number, state.
fn opened(published: &[Message]) -> Vec<(String, String, Value)> {
    let opens = published.iter().filter(|m| m.msg_type() == "comm_open");
    opens
        .map(|m| {
            assert_eq!(m.content["target_name"], "jupyter.widget");
            assert_eq!(m.metadata["version"], "2.1.0");
            let state = m.content["data"]["state"].clone();
            let text = |value: &Value| value.as_str().unwrap().to_string();
            (
                text(&state["_model_name"]),
                text(&m.content["comm_id"]),
                state,
            )
        })
        .collect()
}

fn one<'a>(models: &'a [(String, String, Value)], name: &str) -> &'a (String, String, Value) {
    models
        .iter()
        .find(|(model, _, _)| model == name)
        .unwrap_or_else(|| panic!("no {name}"))
}

/// Returns the pictures that were set, oldest first.
fn pictures<'a>(published: &'a [Message], picture: &str) -> Vec<&'a str> {
    published
        .iter()
        .filter(|m| m.msg_type() == "comm_msg" && m.content["comm_id"] == picture)
        .filter_map(|m| m.content["data"]["state"]["value"].as_str())
        .collect()
}

fn slide(value: impl Into<Value>, key: &str, comm: &str) -> Value {
    json!({ "comm_id": comm, "data": { "method": "update", "state": { key: value.into() }, "buffer_paths": [] } })
}

const CODE: &str = "let scale = 100;
    fn times(x, n) { x * n }
    interact(|a, b, on, kind| { print(kind); times(a, b) + scale }, #{ a: [0.5, 2.5], b: [1, 9], on: true, kind: [\"x\", \"y\"] })";

#[test]
fn a_slider_draws_anew_in_place() {
    let mut client = Client::start();
    let (reply, published) = client.run(CODE);
    assert_eq!(reply["status"], "ok", "{reply}");
    let models = opened(&published);
    let (_, slider, state) = one(&models, "FloatSliderModel");
    assert_eq!(
        (&state["min"], &state["max"], &state["value"]),
        (&json!(0.5), &json!(2.5), &json!(1.5))
    );
    assert_eq!(state["description"], "a");
    assert_eq!(state["_view_module"], "@jupyter-widgets/controls");
    let (_, whole, state) = one(&models, "IntSliderModel");
    assert_eq!(state["value"], 5);
    one(&models, "CheckboxModel");
    let (_, choice, state) = one(&models, "DropdownModel");
    assert_eq!(state["_options_labels"], json!(["x", "y"]));
    let (_, picture, _) = one(&models, "HTMLModel");
    let (_, root, state) = one(&models, "VBoxModel");
    assert_eq!(state["children"].as_array().unwrap().len(), 5);
    // Every model that another names was opened before it.
    for (at, (_, _, state)) in models.iter().enumerate() {
        for named in state.to_string().split("IPY_MODEL_").skip(1) {
            let id = &named[..32];
            assert!(models[..at].iter().any(|(_, known, _)| known == id));
        }
    }
    let view = published
        .iter()
        .find(|m| m.msg_type() == "display_data")
        .unwrap();
    let data = &view.content["data"];
    assert_eq!(
        data["application/vnd.jupyter.widget-view+json"]["model_id"],
        *root
    );
    assert_eq!(
        pictures(&published, picture),
        ["<pre>x</pre><pre>107.5</pre>"]
    );
    assert_eq!(data["text/html"], "<pre>x</pre><pre>107.5</pre>");

    let mut drawn = |content: Value| {
        let header = client.send(To::Shell, "comm_msg", content);
        let published = client.published_for(&header);
        pictures(&published, picture)
            .last()
            .map(|html| html.to_string())
    };
    assert_eq!(
        drawn(slide(2.0, "value", slider)).unwrap(),
        "<pre>x</pre><pre>110.0</pre>"
    );
    assert_eq!(
        drawn(slide(9, "value", whole)).unwrap(),
        "<pre>x</pre><pre>118.0</pre>"
    );
    assert_eq!(
        drawn(slide(1, "index", choice)).unwrap(),
        "<pre>y</pre><pre>118.0</pre>"
    );
    // The same value again draws nothing; neither does a model that is none.
    assert_eq!(drawn(slide(9, "value", whole)), None);
    assert_eq!(drawn(slide(9, "value", "zzz")), None);

    // A page that is opened later finds the models and their states.
    let (reply, _) = client.ask(
        "comm_info_request",
        json!({ "target_name": "jupyter.widget" }),
    );
    assert_eq!(reply["comms"].as_object().unwrap().len(), models.len());
    let header = client.send(
        To::Shell,
        "comm_msg",
        json!({ "comm_id": slider, "data": { "method": "request_state" } }),
    );
    let states = client.published_for(&header);
    let state = states.iter().find(|m| m.msg_type() == "comm_msg").unwrap();
    assert_eq!(state.content["data"]["state"]["value"], 2.0);
    client.send(
        To::Shell,
        "comm_open",
        json!({ "comm_id": "c", "target_name": "jupyter.widget.control", "data": {} }),
    );
    let header = client.send(
        To::Shell,
        "comm_msg",
        json!({ "comm_id": "c", "data": { "method": "request_states" } }),
    );
    let states = client.published_for(&header);
    let all = states.iter().find(|m| m.msg_type() == "comm_msg").unwrap();
    assert_eq!(all.content["data"]["states"][whole]["state"]["value"], 9);
    // A comm that nobody here knows is closed.
    let header = client.send(
        To::Shell,
        "comm_open",
        json!({ "comm_id": "z", "target_name": "zzz", "data": {} }),
    );
    assert!(
        client
            .published_for(&header)
            .iter()
            .any(|m| m.msg_type() == "comm_close")
    );
}

#[test]
fn late_values_are_dropped() {
    let mut client = Client::start();
    let (_, published) = client.run("interact(|a| { sleep(0.05); a }, #{ a: [0, 1000] })");
    let models = opened(&published);
    let (_, slider, _) = one(&models, "IntSliderModel");
    let (_, picture, _) = one(&models, "HTMLModel");
    let headers: Vec<Value> = (1..=40)
        .map(|n| client.send(To::Shell, "comm_msg", slide(n, "value", slider)))
        .collect();
    let mut drawn = Vec::new();
    for header in &headers {
        let published = client.published_for(header);
        drawn.extend(
            pictures(&published, picture)
                .iter()
                .map(ToString::to_string),
        );
    }
    assert_eq!(drawn.last().unwrap(), "<pre>40</pre>");
    assert!(drawn.len() < 20, "{} pictures", drawn.len());
}

#[test]
fn an_error_stands_in_the_picture_and_the_next_value_mends_it() {
    let mut client = Client::start();
    let (_, published) =
        client.run("interact(|a| if a > 6 { throw \"too far\" } else { a }, #{ a: [0, 10] })");
    let models = opened(&published);
    let (_, slider, _) = one(&models, "IntSliderModel");
    let (_, picture, _) = one(&models, "HTMLModel");
    let mut drawn = |value: i64| {
        let header = client.send(To::Shell, "comm_msg", slide(value, "value", slider));
        let published = client.published_for(&header);
        pictures(&published, picture)
            .last()
            .map(|html| html.to_string())
            .unwrap()
    };
    assert!(drawn(8).contains("too far"));
    assert_eq!(drawn(3), "<pre>3</pre>");
}

#[test]
fn what_fails_at_once_is_the_error_of_the_cell() {
    let mut client = Client::start();
    for (code, word) in [
        ("interact(|a| a.b.c, #{ a: [0, 1] })", "b"),
        ("interact(|a, b| a, #{ a: [0, 1] })", "b has no control"),
        ("interact(|a| a, #{ a: [0, 1], c: [0, 1] })", "c"),
        ("interact(|| 1, #{})", "takes no argument"),
        ("interact(|a| a, #{ a: 3 })", "[min, max]"),
    ] {
        let (reply, published) = client.run(code);
        assert_eq!(reply["status"], "error", "{code}");
        assert!(
            reply["evalue"].as_str().unwrap().contains(word),
            "{code}: {reply}"
        );
        assert!(
            published.iter().all(|m| m.msg_type() != "display_data"),
            "{code}"
        );
    }
    let (reply, _) = client.ask("comm_info_request", json!({}));
    assert_eq!(reply["comms"], json!({}));
    client.send(To::Shell, "execute_request", cell("1"));
    assert_eq!(client.receive(To::Shell).content["status"], "ok");
}
