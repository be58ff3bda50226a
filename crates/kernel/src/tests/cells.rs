//! Cells: their values, outputs and errors; completion, inspection, history; interrupts; questions.

use std::time::{Duration, Instant};

use serde_json::json;

use super::client::{Client, To, cell, stream};

#[test]
fn a_cell_has_a_value_and_outputs_in_order() {
    let mut client = Client::start();
    let (reply, published) = client.run("print(\"a\"); let x = 20; print(\"b\"); x + 1");
    assert_eq!(
        (&reply["status"], &reply["execution_count"]),
        (&json!("ok"), &json!(1))
    );
    let kinds: Vec<&str> = published.iter().map(|m| m.msg_type()).collect();
    assert_eq!(
        kinds,
        [
            "status",
            "execute_input",
            "stream",
            "execute_result",
            "status"
        ]
    );
    assert_eq!(stream(&published, "stdout"), "a\nb\n");
    assert_eq!(published[3].content["data"]["text/plain"], "21");
    assert_eq!(published[3].content["execution_count"], 1);
    // Variables stay, the last value is ans, a semicolon keeps quiet.
    assert_eq!(client.value("ans + x"), "41");
    let (_, quiet) = client.run("x + 1;");
    assert!(quiet.iter().all(|m| m.msg_type() != "execute_result"));
    // A silent cell says nothing and has no number.
    let (reply, silent) = client.ask(
        "execute_request",
        json!({ "code": "let y = 5; y", "silent": true, "store_history": true, "user_expressions": { "twice": "2 * y", "bad": "zzz" } }),
    );
    assert_eq!(reply["execution_count"], 3);
    assert_eq!(
        reply["user_expressions"]["twice"]["data"]["text/plain"],
        "10"
    );
    assert_eq!(reply["user_expressions"]["bad"]["status"], "error");
    assert!(silent.iter().all(|m| m.msg_type() == "status"));
}

#[test]
fn options_of_quarto_at_the_start_of_a_cell_are_comments() {
    let mut client = Client::start();
    assert_eq!(
        client.value("#| label: fig-a\n#| echo: false\n40 + 2"),
        "42"
    );
    assert_eq!(client.value("#| echo: false\r\n\"#|\""), "#|");
    // Lines keep their numbers, and further down the sign is the mistake that it is.
    for code in [
        "#| echo: false\n\nlet x = nonsense;",
        "let x = 1;\n\n#| echo: false",
    ] {
        let (reply, _) = client.run(code);
        assert_eq!(reply["status"], "error");
        let text = reply["traceback"].to_string();
        assert!(text.contains("3:") || text.contains("line 3"), "{text}");
    }
    assert_eq!(client.run("#| echo: false").0["status"], "ok");
}

#[test]
fn values_are_shown_as_html_and_svg() {
    let mut client = Client::start();
    for (code, mime, part) in [
        ("linspace(0, 1, 5)", "text/html", "Array [5]"),
        (
            "[#{ a: 1, b: \"<x>\" }, #{ a: 2 }]",
            "text/html",
            "&lt;x&gt;",
        ),
        ("lorenz()", "text/html", "sigma"),
        ("plot(dataset([0, 1], [1.0, 2.0]))", "image/svg+xml", "<svg"),
        (
            "train(blackbox([1, 2, 1]), dataset([0, 1], [1.0, 2.0]), vanilla(), #{ epochs: 3 })",
            "text/html",
            "image/svg+xml;base64",
        ),
    ] {
        let (reply, published) = client.run(code);
        assert_eq!(reply["status"], "ok", "{code}: {reply}");
        let value = published
            .iter()
            .find(|m| m.msg_type() == "execute_result")
            .unwrap();
        let data = value.content["data"][mime]
            .as_str()
            .unwrap_or_else(|| panic!("{code}: {}", value.content));
        assert!(data.contains(part), "{code}: {data}");
        assert!(value.content["data"]["text/plain"].is_string());
        if mime == "image/svg+xml" {
            assert!(value.content["metadata"][mime]["width"].as_u64().unwrap() > 100);
        }
    }
    let (_, published) = client.run("show(plot(dataset([0, 1], [1.0, 2.0]))); 1");
    let kinds: Vec<&str> = published.iter().map(|m| m.msg_type()).collect();
    assert_eq!(
        kinds,
        [
            "status",
            "execute_input",
            "display_data",
            "execute_result",
            "status"
        ]
    );
}

#[test]
fn an_error_shows_its_place_and_leaves_waiting_cells_out() {
    let mut client = Client::start();
    // The other cells are there before this one ends.
    client.send(To::Shell, "execute_request", cell("sleep(1.0)"));
    let headers = ["let x = 1;\nsqrt(x) + zzz", "print(\"not this\")", "3"].map(|code| {
        // The third cell waits until the first is answered, as one that a user sends later.
        if code == "3" {
            assert_eq!(client.receive(To::Shell).content["status"], "ok");
            assert_eq!(client.receive(To::Shell).content["status"], "error");
            assert_eq!(client.receive(To::Shell).content["status"], "aborted");
        }
        client.send(To::Shell, "execute_request", cell(code))
    });
    assert_eq!(client.receive(To::Shell).content["status"], "ok");
    let error = client.published_for(&headers[0]);
    let error = error.iter().find(|m| m.msg_type() == "error").unwrap();
    assert!(
        error.content["evalue"].as_str().unwrap().contains("zzz"),
        "{}",
        error.content
    );
    let lines: Vec<&str> = error.content["traceback"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|l| l.as_str())
        .collect();
    let report = lines.join("\n");
    assert!(
        report.contains("In [2]:2:11") && report.contains("sqrt(x) + zzz"),
        "{report}"
    );
    assert!(report.contains("\u{1b}[1m^\u{1b}[0m"), "{report:?}");
    let aborted = client.published_for(&headers[1]);
    assert_eq!(stream(&aborted, "stdout"), "");
    // With stop_on_error off, the next cell runs.
    let mut lenient = cell("zzz");
    lenient["stop_on_error"] = false.into();
    client.send(To::Shell, "execute_request", lenient);
    client.send(To::Shell, "execute_request", cell("1"));
    assert_eq!(client.receive(To::Shell).content["status"], "error");
    assert_eq!(client.receive(To::Shell).content["status"], "ok");
}

#[test]
fn code_is_completed_inspected_and_judged() {
    let mut client = Client::start();
    client.run("let series = linspace(0, 1, 3);");
    let (reply, _) = client.ask(
        "complete_request",
        json!({ "code": "λ + ser", "cursor_pos": 7 }),
    );
    assert_eq!(reply["matches"], json!(["series"]));
    assert_eq!(
        (&reply["cursor_start"], &reply["cursor_end"]),
        (&json!(4), &json!(7))
    );
    let (reply, _) = client.ask(
        "inspect_request",
        json!({ "code": "solve(f", "cursor_pos": 3, "detail_level": 0 }),
    );
    assert_eq!(reply["found"], true);
    assert!(
        reply["data"]["text/plain"]
            .as_str()
            .unwrap()
            .contains("Example"),
        "{reply}"
    );
    assert!(
        reply["data"]["text/html"]
            .as_str()
            .unwrap()
            .contains("<code>")
    );
    let (reply, _) = client.ask("inspect_request", json!({ "code": "qqq", "cursor_pos": 3 }));
    assert_eq!(
        (&reply["status"], &reply["found"]),
        (&json!("ok"), &json!(false))
    );
    for (code, status) in [("1", "complete"), ("f(", "incomplete"), (")", "invalid")] {
        let (reply, _) = client.ask("is_complete_request", json!({ "code": code }));
        assert_eq!(reply["status"], status, "{code}");
    }
}

#[test]
fn earlier_inputs_are_remembered() {
    let mut client = Client::start();
    for code in ["1", "let a = 2", "a"] {
        client.run(code);
    }
    let (reply, _) = client.ask(
        "history_request",
        json!({ "hist_access_type": "tail", "n": 2, "output": true, "raw": true }),
    );
    assert_eq!(
        reply["history"],
        json!([[1, 2, ["let a = 2", null]], [1, 3, ["a", "2"]]])
    );
    let (reply, _) = client.ask(
        "history_request",
        json!({ "hist_access_type": "search", "pattern": "let*", "output": false, "raw": true, "n": 5 }),
    );
    assert_eq!(reply["history"], json!([[1, 2, "let a = 2"]]));
}

#[test]
fn an_interrupt_stops_a_loop_and_keeps_the_run_of_a_training() {
    let mut client = Client::start();
    // Where nothing runs, an interrupt does nothing.
    client.send(To::Control, "interrupt_request", json!({}));
    assert_eq!(client.receive(To::Control).content["status"], "ok");
    assert_eq!(client.value("1"), "1");

    let header = client.send(To::Shell, "execute_request", cell("print(0); loop { }"));
    client.wait_published("stream");
    client.send(To::Control, "interrupt_request", json!({}));
    let reply = client.receive(To::Shell);
    assert_eq!(reply.content["ename"], "Interrupted");
    client.published_for(&header);

    let code = "let run = train(blackbox([1, 2, 1]), dataset([0, 1], [1.0, 2.0]), vanilla(), #{ epochs: 1_000_000 });";
    let header = client.send(To::Shell, "execute_request", cell(code));
    client.wait_published("display_data");
    let waiting = client.send(To::Shell, "execute_request", cell("print(\"not this\")"));
    client.send(To::Control, "interrupt_request", json!({}));
    client.receive(To::Shell);
    client.published_for(&header);
    assert_eq!(client.receive(To::Shell).content["status"], "aborted");
    client.published_for(&waiting);
    assert!(client.value("run").starts_with("Run"));
}

#[test]
fn a_training_is_one_line_that_is_updated() {
    let mut client = Client::start();
    let code = "let run = train(blackbox([1, 2, 1]), dataset([0, 1], [1.0, 2.0]), homotopy(#{ coupling: 1.0, schedule: power_law(3, 500, 0.5) }), #{ epochs: 2000 });";
    let (reply, published) = client.run(code);
    assert_eq!(reply["status"], "ok", "{reply}");
    let lines: Vec<_> = published
        .iter()
        .filter(|m| m.msg_type().ends_with("display_data"))
        .collect();
    assert_eq!(lines[0].msg_type(), "display_data");
    assert!(
        lines[1..]
            .iter()
            .all(|m| m.msg_type() == "update_display_data")
            && lines.len() > 1
    );
    let id = |m: &crate::message::Message| m.content["transient"]["display_id"].clone();
    assert!(id(lines[0]).is_string() && lines.iter().all(|m| id(m) == id(lines[0])));
    let text = |at: usize| lines[at].content["data"]["text/plain"].as_str().unwrap();
    for part in ["λ", "loss", "mse", "left"] {
        assert!(text(0).contains(part), "{}", text(0));
    }
    assert!(
        text(lines.len() - 1).contains("done"),
        "{}",
        text(lines.len() - 1)
    );
    assert_eq!(stream(&published, "stdout"), "");
}

#[test]
fn notes_are_apart_from_what_is_printed() {
    let mut client = Client::start();
    let file = client.folder.path().join("a.svg");
    let code = format!(
        "print(1); figure().line([0, 1], [1, 2]).save({:?});",
        file.display().to_string()
    );
    let (_, published) = client.run(&code);
    assert_eq!(stream(&published, "stdout"), "1\n");
    assert!(stream(&published, "stderr").starts_with("wrote "));
}

#[test]
fn a_script_asks_and_gets_an_answer() {
    let mut client = Client::start();
    let header = client.send(
        To::Shell,
        "execute_request",
        cell("let name = input(\"name? \"); name + \"!\""),
    );
    let question = client.receive(To::Stdin);
    assert_eq!(question.msg_type(), "input_request");
    assert_eq!(
        question.content,
        json!({ "prompt": "name? ", "password": false })
    );
    assert_eq!(question.parent_header, header);
    client.send(To::Stdin, "input_reply", json!({ "value": "Ada" }));
    assert_eq!(client.receive(To::Shell).content["status"], "ok");
    let published = client.published_for(&header);
    let value = published
        .iter()
        .find(|m| m.msg_type() == "execute_result")
        .unwrap();
    assert_eq!(value.content["data"]["text/plain"], "Ada!");

    // An interrupt in place of an answer; what is answered then is not taken for the next question.
    let header = client.send(To::Shell, "execute_request", cell("input(\"?\")"));
    client.receive(To::Stdin);
    let begun = Instant::now();
    client.send(To::Control, "interrupt_request", json!({}));
    assert_eq!(client.receive(To::Shell).content["ename"], "Interrupted");
    assert!(begun.elapsed() < Duration::from_secs(20));
    client.published_for(&header);
    client.send(To::Stdin, "input_reply", json!({ "value": "late" }));
    client.receive(To::Control);

    // Where nobody can be asked.
    let mut unattended = cell("input(\"?\")");
    unattended["allow_stdin"] = false.into();
    let (reply, _) = client.ask("execute_request", unattended);
    assert!(
        reply["evalue"]
            .as_str()
            .unwrap()
            .contains("nobody can be asked"),
        "{reply}"
    );
}
