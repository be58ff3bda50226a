//! Load: much output, large messages, several clients, clients that read slowly or not at all, bytes that are no protocol.

use std::io::{Read, Write};
use std::time::Duration;

use serde_json::json;

use super::client::{Client, To, cell, stream};
use super::raw::RawPeer;

#[test]
fn many_lines_come_in_few_messages_and_in_order() {
    let mut client = Client::start();
    let (reply, published) = client.run("for i in 0..100_000 { print(i); }");
    assert_eq!(reply["status"], "ok");
    let text = stream(&published, "stdout");
    let numbers: Vec<usize> = text.lines().map(|line| line.parse().unwrap()).collect();
    assert!(
        numbers.iter().copied().eq(0..100_000),
        "{} lines",
        numbers.len()
    );
    assert!(published.len() < 1000, "{} messages", published.len());
}

/// Code that prints `n` lines of a megabyte, each begun with its number.
fn megabytes(n: usize) -> String {
    format!(
        "let s = \"x\"; for i in 0..20 {{ s += s; }} for i in 0..{n} {{ print(`${{i}} ${{s}}`); }}"
    )
}

/// The numbers with which the lines of a text begin. Each line has to be whole.
fn numbers(text: &str) -> Vec<usize> {
    let lines = text.lines();
    lines
        .map(|line| {
            let (number, rest) = line.split_once(' ').unwrap();
            assert_eq!(rest.len(), 1 << 20);
            number.parse().unwrap()
        })
        .collect()
}

#[test]
fn thirty_megabytes_arrive_whole_both_ways() {
    for transport in ["tcp", "ipc"] {
        let mut client = Client::start_over(transport);
        let code = format!("/*{}*/ 42", "x".repeat(30_000_000));
        let (reply, published) = client.run(&code);
        assert_eq!(reply["status"], "ok", "{reply}");
        // The code comes back to all clients.
        let echo = published.iter().find(|m| m.msg_type() == "execute_input");
        assert!(echo.unwrap().content["code"] == code);
        assert_eq!(client.value("ans"), "42");
    }
}

#[test]
fn two_clients_see_everything_and_get_their_own_replies() {
    let mut first = Client::start();
    let mut second = first.join("second");
    let code = "for i in 0..1000 { print(i); } let a = 20;";
    let header = first.send(To::Shell, "execute_request", cell(code));
    let own = second.send(To::Shell, "execute_request", cell("a + 1"));
    // The reply goes to who asked, what is published to both, in the same order.
    assert_eq!(first.receive(To::Shell).parent_header, header);
    assert_eq!(second.receive(To::Shell).parent_header, own);
    let lines: String = (0..1000).map(|i| format!("{i}\n")).collect();
    for client in [&mut first, &mut second] {
        assert_eq!(stream(&client.published_for(&header), "stdout"), lines);
        let published = client.published_for(&own);
        let value = published.iter().find(|m| m.msg_type() == "execute_result");
        assert_eq!(value.unwrap().content["data"]["text/plain"], "21");
    }
    // A question is asked of the client whose cell it is.
    let header = second.send(To::Shell, "execute_request", cell("input(\"?\")"));
    assert_eq!(second.receive(To::Stdin).parent_header, header);
    second.send(To::Stdin, "input_reply", json!({ "value": "here" }));
    assert_eq!(second.receive(To::Shell).content["status"], "ok");
    // One that goes leaves the other its kernel.
    drop(second);
    assert_eq!(first.value("a"), "20");
    let mut third = first.join("third");
    assert_eq!(third.value("a + 2"), "22");
}

#[test]
fn a_client_that_reads_slowly_loses_nothing() {
    let mut client = Client::start();
    let mut slow = client.join("slow");
    // More than waits for one client: the kernel has to wait for it.
    let header = client.send(To::Shell, "execute_request", cell(&megabytes(60)));
    let reading = std::thread::spawn(move || {
        let mut text = String::new();
        loop {
            let message = slow.receive_published();
            text += message.content["text"].as_str().unwrap_or_default();
            if message.content["execution_state"] == "idle" {
                return text;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    });
    assert_eq!(client.receive(To::Shell).content["status"], "ok");
    let published = client.published_for(&header);
    let all: Vec<usize> = (0..60).collect();
    assert_eq!(numbers(&stream(&published, "stdout")), all);
    assert_eq!(numbers(&reading.join().unwrap()), all);
}

#[test]
fn a_client_that_does_not_read_holds_up_nobody() {
    let mut client = Client::start();
    let mut deaf: Vec<RawPeer> = (0..3)
        .map(|_| RawPeer::subscribed(&client.connection.iopub))
        .collect();
    client.run("1");
    let (reply, published) = client.run(&megabytes(100));
    assert_eq!(reply["status"], "ok");
    let all: Vec<usize> = (0..100).collect();
    assert_eq!(numbers(&stream(&published, "stdout")), all);
    // They were sent away: what was under way for them ends.
    for peer in &mut deaf {
        let mut left = Vec::new();
        peer.0.read_to_end(&mut left).unwrap();
        assert!(left.len() < 100 << 20);
    }
    // Who comes back is let in.
    assert_eq!(client.join("again").value("1 + 1"), "2");
}

/// Pseudo-random numbers (a linear congruential generator, Knuth's constants).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6364136223846793005)
            .wrapping_add(1442695040888963407);
        (self.0 >> 33) as usize % n
    }
}

#[test]
fn ten_thousand_connections_that_speak_nonsense_do_no_harm() {
    let mut client = Client::start();
    let addresses = [
        client.connection.shell.clone(),
        client.connection.control.clone(),
        client.connection.stdin.clone(),
        client.connection.iopub.clone(),
        client.connection.heartbeat.clone(),
    ];
    let message =
        crate::message::Message::new("x", "execute_request", cell("forged = 1"), &json!({}));
    let forged =
        crate::zmtp::encode(&message.encode(&crate::message::Signer::new("forged"))).concat();
    let mut numbers = Numbers(17);
    for case in 0..10_000 {
        let at = numbers.below(addresses.len());
        let kind = ["DEALER", "DEALER", "DEALER", "SUB", "REQ"][at];
        let mut bytes = RawPeer::hello(kind);
        match numbers.below(4) {
            0 => bytes.extend(&forged),
            // Subscriptions and what is no subscription.
            1 => (0..5).for_each(|_| bytes.extend([0, 1, numbers.below(256) as u8])),
            // A frame that announces any length.
            2 => {
                bytes.push(2);
                bytes.extend(
                    (numbers.below(usize::MAX) as u64)
                        .wrapping_mul(1 << 33)
                        .to_be_bytes(),
                );
                bytes.extend(&forged);
            }
            _ => {}
        }
        // Truncated, parts exchanged, bytes changed.
        match numbers.below(4) {
            0 => bytes.truncate(numbers.below(bytes.len())),
            1 => bytes.rotate_left(64),
            2 => {
                for _ in 0..1 + numbers.below(8) {
                    let place = numbers.below(bytes.len());
                    bytes[place] = numbers.below(256) as u8;
                }
            }
            _ => {}
        }
        let mut peer = RawPeer::connect(&addresses[at]);
        // The kernel may have hung up already.
        let _ = peer.0.write_all(&bytes);
        if case % 1000 == 0 {
            assert_eq!(client.value("1 + 1"), "2");
        }
    }
    assert_eq!(client.value("is_def_var(\"forged\")"), "false");
    assert_eq!(&client.beat("beat")[..], b"beat");
}
