//! Sockets, signatures, messages that are none, and the end of a kernel.

use std::time::{Duration, Instant};

use bytes::Bytes;
use serde_json::json;

use super::client::{Client, To, cell};
use crate::message::{Message, Signer};

#[test]
fn a_kernel_says_who_it_is_beats_and_ends() {
    for transport in ["tcp", "ipc"] {
        let mut client = Client::start_over(transport);
        let (info, published) = client.ask("kernel_info_request", json!({}));
        assert_eq!(info["status"], "ok");
        assert_eq!(info["language_info"]["file_extension"], ".rhai");
        assert_eq!(info["protocol_version"], "5.4");
        let states: Vec<&str> = published
            .iter()
            .filter_map(|m| m.content["execution_state"].as_str())
            .collect();
        assert_eq!(states, ["busy", "idle"]);
        assert_eq!(&client.beat("beat")[..], b"beat");
        assert_eq!(&client.beat("again")[..], b"again");
        assert_eq!(
            client.shut_down(),
            json!({ "status": "ok", "restart": true })
        );
    }
}

#[test]
fn control_answers_while_a_cell_runs_and_a_shutdown_stops_it() {
    let mut client = Client::start();
    client.send(To::Shell, "execute_request", cell("print(1); loop { }"));
    client.wait_published("stream");
    client.send(To::Control, "kernel_info_request", json!({}));
    assert_eq!(client.receive(To::Control).content["status"], "ok");
    let begun = Instant::now();
    client.shut_down();
    assert!(begun.elapsed() < Duration::from_secs(30));
}

#[test]
fn forged_and_broken_messages_are_ignored() {
    let mut client = Client::start();
    let request = || Message::new("client", "execute_request", cell("1"), &json!({}));
    // Signed with another key, or not at all.
    for key in ["another key", ""] {
        client.send_frames(To::Shell, request().encode(&Signer::new(key)));
        client.send_frames(To::Control, request().encode(&Signer::new(key)));
    }
    // Cut short.
    let frames = request().encode(&client.signer);
    for n in 1..frames.len() {
        for to in [To::Shell, To::Control, To::Stdin] {
            client.send_frames(to, frames[..n].to_vec());
        }
    }
    // Signed, and with content that makes no sense.
    let mut sensible = 0;
    for msg_type in [
        "execute_request",
        "complete_request",
        "inspect_request",
        "is_complete_request",
        "history_request",
        "comm_info_request",
        "no_such_request",
        "comm_open",
        "comm_msg",
        "comm_close",
        "input_reply",
        "no_such_message",
        "interrupt_request",
    ] {
        for content in [
            json!({}),
            json!({ "code": 3, "cursor_pos": -1 }),
            json!({ "comm_id": 7, "target_name": [], "data": "x", "value": {} }),
            json!({ "comm_id": "x", "data": { "method": "update", "state": { "value": 1 } } }),
        ] {
            for to in [To::Shell, To::Stdin] {
                client.send(to, msg_type, content.clone());
            }
            if msg_type.ends_with("_request") {
                let reply = client.receive(To::Shell);
                assert_eq!(
                    reply.msg_type().strip_suffix("_reply"),
                    msg_type.strip_suffix("_request")
                );
                sensible += 1;
            }
        }
    }
    assert_eq!(sensible, 32);
    client.send_frames(To::Shell, vec![Bytes::from_static(b"<IDS|MSG>")]);
    // Nothing of this was executed.
    let (reply, _) = client.run("1 + 1");
    assert_eq!(reply["execution_count"], 1);
}

#[test]
fn an_unknown_request_on_control_gets_an_answer() {
    let mut client = Client::start();
    client.send(To::Control, "debug_request", json!({}));
    let reply = client.receive(To::Control);
    assert_eq!(reply.msg_type(), "debug_reply");
    assert_eq!(reply.content["status"], "error");
}
