//! Tests of the REPL at a pseudo-terminal.

use std::io::{Read, Write};
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};

/// Timeout of every wait, far longer than any step of the tests takes.
const TIMEOUT: Duration = Duration::from_secs(120);

const PROMPT: &str = "odesync> ";

/// The output that the program has written.
struct Seen {
    screen: vt100::Parser,
    bytes: Vec<u8>,
    ended: bool,
}

struct Terminal {
    child: Box<dyn Child + Send + Sync>,
    keys: Arc<Mutex<Box<dyn Write + Send>>>,
    seen: Arc<Mutex<Seen>>,
    // Dropping the master closes the terminal.
    _master: Box<dyn MasterPty + Send>,
}

impl Terminal {
    fn start(folder: &Path, set: &[(&str, &str)]) -> Self {
        let size = PtySize {
            rows: 40,
            cols: 120,
            ..PtySize::default()
        };
        let pair = native_pty_system().openpty(size).unwrap();
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_odesync"));
        command.cwd(folder);
        command.env("TERM", "xterm-256color");
        command.env("HOME", folder);
        command.env("ODESYNC_HISTORY", folder.join("history"));
        for name in [
            "NO_COLOR",
            "TERM_PROGRAM",
            "KITTY_WINDOW_ID",
            "ODESYNC_GRAPHICS",
            "TMUX",
        ] {
            command.env_remove(name);
        }
        for (name, value) in set {
            command.env(name, value);
        }
        let child = pair.slave.spawn_command(command).unwrap();
        drop(pair.slave);
        let (rows, columns) = (NonZero::new(40).unwrap(), NonZero::new(120).unwrap());
        let keys = Arc::new(Mutex::new(pair.master.take_writer().unwrap()));
        let seen = Arc::new(Mutex::new(Seen {
            screen: vt100::Parser::new(rows, columns, 0),
            bytes: Vec::new(),
            ended: false,
        }));
        let mut output = pair.master.try_clone_reader().unwrap();
        let (there, answers) = (Arc::clone(&seen), Arc::clone(&keys));
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            loop {
                let n = output.read(&mut buffer).unwrap_or(0);
                let mut seen = there.lock().unwrap();
                if n == 0 {
                    seen.ended = true;
                    return;
                }
                // The line editor queries the position of the cursor, which a terminal must answer.
                for byte in &buffer[..n] {
                    seen.screen.process(&[*byte]);
                    seen.bytes.push(*byte);
                    if seen.bytes.ends_with(b"\x1b[6n") {
                        let (row, column) = seen.screen.screen().cursor_position();
                        let answer = format!("\x1b[{};{}R", row + 1, column + 1);
                        let _ = answers.lock().unwrap().write_all(answer.as_bytes());
                    }
                }
            }
        });
        let terminal = Self {
            child,
            keys,
            seen,
            _master: pair.master,
        };
        terminal.until(|screen| screen.trim_end().ends_with(PROMPT.trim_end()));
        terminal
    }

    fn screen(&self) -> String {
        let seen = self.seen.lock().unwrap();
        let all = seen.screen.screen().contents();
        all.trim_end().to_string()
    }

    /// Waits until the screen satisfies `wanted`; returns its text.
    fn until(&self, wanted: impl Fn(&str) -> bool) -> String {
        let start = Instant::now();
        loop {
            let screen = self.screen();
            if wanted(&screen) {
                return screen;
            }
            assert!(start.elapsed() < TIMEOUT, "still waiting before:\n{screen}");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    fn shows(&self, text: &str) -> String {
        self.until(|screen| screen.contains(text))
    }

    fn press(&self, keys: &str) {
        self.keys
            .lock()
            .unwrap()
            .write_all(keys.as_bytes())
            .unwrap();
    }

    /// The text of the rows up to the cursor, without line breaks.
    fn before_cursor(&self) -> String {
        let seen = self.seen.lock().unwrap();
        let screen = seen.screen.screen();
        let (row, column) = screen.cursor_position();
        let text = screen.contents_between(0, 0, row, column);
        text.replace('\n', "")
    }

    /// Types a line and waits for the next prompt.
    fn enter(&self, line: &str) -> String {
        self.press(line);
        // The line ends only when all of it stands on the screen, so that what is drawn afterwards belongs to its answer.
        let last_row = line.rsplit('\n').next().unwrap_or(line).trim();
        self.until(|_| self.before_cursor().ends_with(last_row));
        let before = self.seen.lock().unwrap().bytes.len();
        self.press("\r");
        let (start, mut empty_since) = (Instant::now(), None);
        loop {
            let screen = self.screen();
            let is_ended = self.seen.lock().unwrap().bytes[before..].contains(&b'\n');
            // An empty prompt on the last row. The editor empties the line before it draws it anew, so the prompt above must be that of
            // the line just typed, or have left the screen some time ago.
            let mut rows = screen.lines().rev();
            let is_empty_prompt = rows
                .next()
                .is_some_and(|last| last.trim_end() == PROMPT.trim_end());
            let is_above = rows
                .find(|row| row.contains(PROMPT))
                .is_some_and(|row| line.starts_with(row.trim_start_matches(PROMPT).trim_end()));
            if is_ended && is_empty_prompt {
                let since = *empty_since.get_or_insert_with(Instant::now);
                if is_above || since.elapsed() > Duration::from_secs(1) {
                    return screen;
                }
            } else {
                empty_since = None;
            }
            assert!(
                start.elapsed() < TIMEOUT,
                "no prompt after {line}:\n{screen}"
            );
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Clears the line with Ctrl-C.
    fn cancel(&self) {
        self.press("\x03");
        // Waits, because the line editor drops keys that are typed together with Ctrl-C.
        self.until(|screen| {
            screen
                .lines()
                .last()
                .is_some_and(|last| last.trim_end() == PROMPT.trim_end())
        });
    }

    /// Waits for the program to end; returns its exit code.
    fn ends(mut self) -> u32 {
        let start = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.exit_code();
            }
            assert!(
                start.elapsed() < TIMEOUT,
                "does not end:\n{}",
                self.screen()
            );
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    fn leaves(self) {
        self.press("\x04");
        assert_eq!(self.ends(), 0);
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
    }
}

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

/// Writes a long experiment with its own folder of configurations; returns the script.
fn script(folder: &Path) -> PathBuf {
    let file = folder.join("short.rhai");
    let code = "let e = experiment(config(\"lotka_volterra\"));\nlet run = e.run();\nprint(`lr ${e.config.get(\"training.lr\")} epochs ${run.epochs}`);\n";
    std::fs::write(&file, code).unwrap();
    file
}

#[test]
fn values_mistakes_and_unfinished_inputs() {
    let folder = folder();
    let t = Terminal::start(folder.path(), &[]);
    assert!(t.screen().contains(":help"));
    t.enter("1 + 1");
    assert!(t.screen().contains("\n2\n"), "{}", t.screen());
    t.enter("ans * 21;");
    t.enter("ans + 0.5");
    assert!(t.screen().contains("42.5") && !t.screen().contains("\n42\n"));

    // An open bracket, and a function over several lines.
    t.press("fn area(r) {\r");
    t.shows("\n     ...");
    t.press("PI * r ** 2\r");
    let screen = t.enter("}");
    assert!(!screen.contains("error"), "{screen}");
    assert!(t.enter("area(2)").contains("12.566"));

    // The message points at the error.
    let screen = t.enter("let y = arange(0, 1, 0.1) + unknwn");
    let at = screen
        .find("error: unknown variable \"unknwn\"")
        .unwrap_or_else(|| panic!("{screen}"));
    let lines: Vec<&str> = screen[at..].lines().collect();
    assert!(lines[1].contains("--> input"), "{screen}");
    let (code, pointer) = (lines[3], lines[4]);
    let column = pointer.find('^').unwrap();
    assert!(code[column..].starts_with("unknwn"), "{screen}");

    // Ctrl-C clears the line.
    t.press("let half = ");
    t.shows("let half =");
    t.cancel();
    assert!(t.enter("7 * 6 + 0").contains("\n42\n"));

    let screen = t.enter(":vars");
    assert!(screen.contains("ans") && screen.contains("int"), "{screen}");
    let screen = t.enter(":doc smoothing_spline");
    assert!(screen.contains("smoothing_spline(t, u, "), "{screen}");
    assert!(t.enter(":time sum(arange(10))").contains("45"));
    // What people type who know other prompts.
    assert!(t.enter("help").contains("Ctrl-D leaves."));
    assert!(t.enter("linspace?").contains("linspace(a, b, n)"));
    assert!(
        t.enter("x = 3")
            .contains("hint: a variable is declared by let")
    );
    let screen = t.enter(":hlep");
    assert!(
        screen.contains("unknown command \"hlep\" (did you mean \"help\"?)"),
        "{screen}"
    );
    t.leaves();
}

#[test]
fn tab_completes_and_calls_show_their_signature() {
    let folder = folder();
    let t = Terminal::start(folder.path(), &[]);
    t.press("smoothing_s\t");
    t.shows("smoothing_spline(");
    // The signature is shown after the cursor.
    t.shows("t, u, alpha");
    t.cancel();
    t.enter("let data = dataset(lotka_volterra(), [1, 1], arange(0, 2, 0.1));");
    t.press("data.add_n\t");
    t.shows("data.add_noise(");
    t.press("0.1, #{ rel\t");
    t.shows("relative_to: ");
    // The value of a key, as a string and within one.
    t.press("\"m\t");
    t.shows("relative_to: \"mean");
    t.cancel();
    t.press("data.add_noise(0.1, #{ relative_to: \t");
    // Completes the common prefix of all candidates.
    t.shows("relative_to: \"");
    t.press("\t");
    let screen = t.shows("nothing");
    assert!(
        screen.contains("mean") && screen.contains("std"),
        "{screen}"
    );
    t.cancel();
    // Keys of style maps, and those of a map within a map.
    t.press("figure().vline(1.0, #{ da\t");
    t.shows("vline(1.0, #{ dash: ");
    t.cancel();
    t.press("solve(lorenz(), [1, 1, 1], [0, 1], #{ events: [#{ ter\t");
    t.shows("events: [#{ terminal: ");
    t.press("tr\t");
    t.shows("terminal: true");
    t.cancel();
    // Several candidates are listed with their descriptions.
    t.press("data.\t");
    let screen = t.shows("The initial states");
    assert!(screen.contains("names"), "{screen}");
    t.cancel();
    t.press(":lo\t");
    t.shows(":load");
    t.cancel();
    t.leaves();
}

#[test]
fn an_interrupted_training_keeps_its_run() {
    let folder = folder();
    let t = Terminal::start(folder.path(), &[]);
    t.enter("let data = dataset(lotka_volterra(), [1, 1], arange(0, 2, 0.1));");
    t.enter("let model = blackbox([2, 4, 2]);");
    t.press("let run = train(model, data, vanilla(), #{ epochs: 100000000 });\r");
    // The progress bar shows the mse once epochs are done.
    t.shows("mse");
    t.press("\x03");
    t.shows("run holds the");
    let screen = t.enter("run");
    assert!(screen.contains("vanilla training, interrupted"), "{screen}");
    assert!(
        t.enter("run.epochs > 0 && run.epochs < 100000000")
            .contains("true")
    );
    // The session continues normally.
    assert!(t.enter("run.predict([0, 1]).shape").contains("[2, 2]"));
    t.leaves();
}

#[test]
fn a_configuration_is_changed_and_run_again() {
    let folder = folder();
    let file = script(folder.path());
    let t = Terminal::start(folder.path(), &[]);
    t.enter(":set training.epochs=2");
    let screen = t.enter(&format!(
        ":load {}",
        file.file_name().unwrap().to_str().unwrap()
    ));
    assert!(screen.contains("lr 0.05 epochs 2"), "{screen}");
    let screen = t.enter(":set training.lr=0.03");
    assert!(screen.contains("training.lr: 0.05 → 0.03"), "{screen}");
    let screen = t.enter(":run");
    assert!(screen.contains("lr 0.03 epochs 2"), "{screen}");
    let screen = t.enter(":set training.lrr=1");
    assert!(
        screen.contains("training.lrr") && screen.contains("lr"),
        "{screen}"
    );
    let screen = t.enter(":set training.lr");
    assert!(screen.contains("training.lr: 0.03"), "{screen}");
    t.enter(":unset training.lr");
    assert!(t.enter(":run").matches("lr 0.05 epochs 2").count() == 2);
    // Also with an experiment that was typed.
    t.enter("let c = config(\"lotka_volterra\");");
    t.enter("let run = experiment(c).run();");
    t.enter("`typed ${run.epochs}`");
    assert!(t.screen().contains("typed 2"), "{}", t.screen());
    t.enter(":set training.epochs=3");
    let screen = t.enter(":run");
    assert!(screen.contains("typed 3"), "{screen}");
    t.leaves();
}

#[test]
fn the_history_and_the_script_of_a_session_are_kept() {
    let folder = folder();
    let t = Terminal::start(folder.path(), &[]);
    t.enter("let x = linspace(0, 1, 5);");
    t.enter("let broken = ;");
    t.enter("fn twice(x) {\n 2 * x }");
    t.enter("twice(x)");
    t.enter("print(sum(ans))");
    assert!(t.enter(":save saved.rhai").contains("wrote 4 inputs"));
    t.leaves();

    let run = Command::new(env!("CARGO_BIN_EXE_odesync"))
        .args(["run", "saved.rhai"])
        .current_dir(folder.path())
        .output()
        .unwrap();
    let text = String::from_utf8(run.stdout).unwrap();
    assert_eq!(text, "5.0\n", "{}", String::from_utf8_lossy(&run.stderr));

    let t = Terminal::start(folder.path(), &[]);
    t.press("\x1b[A\x1b[A");
    t.shows("print(sum(ans))");
    t.cancel();
    // The right arrow inserts the continuation of an earlier input.
    t.press("let x = li");
    t.shows("linspace(0, 1, 5)");
    t.press("\x1b[C\r");
    t.until(|screen| screen.trim_end().ends_with(PROMPT.trim_end()));
    assert!(t.enter("x.shape").contains("[5]"));
    t.leaves();
}

#[test]
fn figures_are_pictures_where_the_terminal_shows_them() {
    let folder = folder();
    for (protocol, wanted) in [
        ("kitty", &b"\x1b_Ga=T,f=100"[..]),
        ("iterm2", b"\x1b]1337;File=inline=1"),
        ("sixel", b"\x1bP"),
    ] {
        let t = Terminal::start(folder.path(), &[("ODESYNC_GRAPHICS", protocol)]);
        t.enter("figure().line([0, 1], [1, 2])");
        let seen = t.seen.lock().unwrap();
        assert!(
            seen.bytes.windows(wanted.len()).any(|w| w == wanted),
            "{protocol}"
        );
        drop(seen);
        t.leaves();
    }
    let t = Terminal::start(folder.path(), &[("ODESYNC_GRAPHICS", "none")]);
    assert!(t.enter("figure().line([0, 1], [1, 2])").contains(".save("));
    t.leaves();
    // Other terminals show a plot of characters, as does an explicit `show` in piped output.
    let t = Terminal::start(folder.path(), &[]);
    let screen = t.enter("figure(#{ title: \"Rise\" }).line([0, 1], [1, 2])");
    let drawn = screen
        .chars()
        .any(|c| ('\u{2801}'..='\u{28ff}').contains(&c));
    assert!(screen.contains("Rise") && drawn, "{screen}");
    t.leaves();
    let (_, out, _) = piped("show(figure(#{ title: \"Rise\" }).line([0, 1], [1, 2]))");
    assert!(out.contains("Rise") && !out.contains('\x1b'), "{out}");
}

#[test]
fn a_terminal_without_colours_gets_none() {
    let folder = folder();
    for set in [("NO_COLOR", "1"), ("TERM", "dumb")] {
        let t = Terminal::start(folder.path(), &[set]);
        t.enter("let x = \"text\"");
        assert!(t.enter("x + unknwn").contains("error: "));
        let seen = t.seen.lock().unwrap();
        let text = String::from_utf8_lossy(&seen.bytes).to_string();
        // Colours are the escape sequences that end with m, except resets.
        let coloured = text.split("\x1b[").skip(1).any(|s| {
            let end = s.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(0);
            s[end..].starts_with('m') && !matches!(&s[..end], "" | "0")
        });
        assert!(!coloured, "{set:?}: {text:?}");
        drop(seen);
        t.leaves();
    }
}

/// Runs piped input; returns the exit code, standard output and standard error.
fn piped(input: &str) -> (i32, String, String) {
    let folder = folder();
    let mut child = Command::new(env!("CARGO_BIN_EXE_odesync"))
        .current_dir(folder.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(input.as_bytes())
        .unwrap();
    let output = child.wait_with_output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (
        output.status.code().unwrap(),
        text(output.stdout),
        text(output.stderr),
    )
}

#[test]
fn piped_input_is_evaluated() {
    let (code, out, err) =
        piped("let x = [1,\n  2];\nx.len()\nif true {\n  print(\"a\")\n}\nelse { }\n:vars\n");
    assert_eq!((code, err.as_str()), (0, ""));
    assert_eq!(out, "2\na\nans  int      2\nx    list  2  [1, 2]\n");
    assert_eq!(piped("").0, 0);
}

#[test]
fn places_folders_and_signs_are_told() {
    let folder = folder();
    let t = Terminal::start(folder.path(), &[]);
    // A figure is drawn after its code has run; the message still points at the code.
    let screen = t.enter("1; figure(#{ log_x: true, x_range: [-2, -1] }).line([1, 2], [1, 2])");
    assert!(screen.contains("give it a positive start"), "{screen}");
    assert!(screen.contains("--> input 1:1:4"), "{screen}");
    let screen = t.enter("@");
    assert!(screen.contains("error:"), "{screen}");
    let screen = t.enter(":save a/b/c.rhai");
    assert!(screen.contains("in a new folder a/b"), "{screen}");
    assert!(folder.path().join("a/b/c.rhai").is_file());
    let screen = t.enter(":save a/b/d.rhai");
    let message = screen.lines().rfind(|line| line.contains("d.rhai"));
    assert!(
        message.is_some_and(|message| !message.contains("new folder")),
        "{screen}"
    );
    t.enter("let f = lotka_volterra();");
    let screen = t.enter(":vars");
    assert!(screen.contains("0 trainable parameters; du"), "{screen}");
    t.leaves();
}
