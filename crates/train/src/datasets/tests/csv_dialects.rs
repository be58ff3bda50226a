//! Random tables as other programs write them are read back with no option, or with the one that the message names.

use std::io::Write;

use super::*;
use odesync_base::random::Generator;

/// A random table: times in whole seconds over two, and values with two decimals, so that every form of them is exact.
struct Table {
    names: Vec<String>,
    /// Times and rows of each sample; a missing value is NaN.
    samples: Vec<(Vec<f64>, Vec<Vec<f64>>)>,
}

const NAMES: [&str; 5] = ["x", "velocity", "Höhe", "u[2]", "p (bar)"];

impl Table {
    fn random(generator: &mut Generator, n_samples: usize) -> Self {
        let mut draw = |below: usize| generator.uniform_f64(0.0, below as f64, 1)[0] as usize;
        let dof = 1 + draw(4);
        let size = [1.0, 100.0, 10_000.0, 1e7][draw(4)];
        let samples = (0..n_samples).map(|_| {
            let n = 8 + draw(20);
            let mut time = 0.5 * draw(9) as f64;
            let mut t = vec![];
            for _ in 0..n {
                t.push(time);
                time += 0.5 * (1 + draw(4)) as f64;
            }
            let mut row = |i: usize| {
                let value = |j: usize| {
                    let x: f64 = format!("{:.2}", size * (draw(20_001) as f64 / 1e4 - 1.0))
                        .parse()
                        .unwrap();
                    // The first column falls, so that it cannot be taken for times.
                    let x = if j == 0 { x - i as f64 * 3.0 * size } else { x };
                    let missing = i > 0 && j > 0 && draw(8) == 0;
                    if missing {
                        f64::NAN
                    } else {
                        format!("{x:.2}").parse().unwrap()
                    }
                };
                (0..dof).map(value).collect()
            };
            let rows = (0..n).map(&mut row).collect();
            (t, rows)
        });
        Table {
            samples: samples.collect(),
            names: NAMES[..dof].iter().map(|name| name.to_string()).collect(),
        }
    }

    /// Asserts that data have the values of the table; `names` where the file has them.
    fn assert_is(&self, data: &Dataset, names: bool, context: &str) {
        assert_eq!(data.samples(), self.samples.len(), "{context}");
        for (i, (t, rows)) in self.samples.iter().enumerate() {
            assert_eq!(data.times(i).unwrap().to_vec(), *t, "{context}");
            let bits = |x: f64| if x.is_nan() { 1 } else { x.to_bits() };
            let want: Vec<u64> = rows.iter().flatten().map(|x| bits(x + 0.0)).collect();
            let got: Vec<u64> = data
                .sample(i)
                .unwrap()
                .iter()
                .map(|x| bits(x + 0.0))
                .collect();
            assert_eq!(got, want, "{context}");
        }
        if names {
            assert_eq!(data.names(), self.names, "{context}");
        }
    }
}

/// How a program writes a table.
#[derive(Clone, Copy)]
struct Dialect {
    delimiter: &'static str,
    /// Quotes around names, and around cells that hold the delimiter.
    quotes: bool,
    number: fn(f64) -> String,
    time: fn(f64) -> String,
    missing: &'static str,
    /// Name of the times, and of the column of the rows' numbers where there is one.
    time_name: &'static str,
    row_numbers: Option<(&'static str, usize)>,
    line_end: &'static str,
}

fn shortest(x: f64) -> String {
    format!("{x:?}")
}

fn comma(x: f64) -> String {
    format!("{x}").replace('.', ",")
}

/// Two decimals, thousands in groups.
fn grouped(x: f64, mark: &str, decimal: &str) -> String {
    let text = format!("{:.2}", x.abs());
    let (whole, rest) = text.split_once('.').unwrap();
    let mut out = String::new();
    for (i, c) in whole.chars().enumerate() {
        if i > 0 && (whole.len() - i) % 3 == 0 {
            out.push_str(mark);
        }
        out.push(c);
    }
    format!("{}{out}{decimal}{rest}", if x < 0.0 { "-" } else { "" })
}

/// A moment so many seconds after the beginning of 2024, of less than a day.
fn clock(t: f64) -> (u64, u64, f64) {
    let minutes = (t / 60.0) as u64;
    (minutes / 60, minutes % 60, t % 60.0)
}

const PANDAS: Dialect = Dialect {
    delimiter: ",",
    quotes: false,
    number: shortest,
    time: shortest,
    missing: "",
    time_name: "t",
    row_numbers: Some(("", 0)),
    line_end: "\n",
};

const R: Dialect = Dialect {
    quotes: true,
    number: |x| format!("{x}"),
    time: |x| format!("{x}"),
    missing: "NA",
    row_numbers: Some(("", 1)),
    ..PANDAS
};

const EXCEL_GERMAN: Dialect = Dialect {
    delimiter: ";",
    number: |x| grouped(x, ".", ","),
    time: comma,
    time_name: "Zeit",
    row_numbers: None,
    line_end: "\r\n",
    ..PANDAS
};

/// All dialects that need no option.
fn dialects() -> Vec<(&'static str, Dialect)> {
    vec![
        ("pandas", PANDAS),
        (
            "pandas without index",
            Dialect {
                row_numbers: None,
                ..PANDAS
            },
        ),
        (
            "pandas, tabs",
            Dialect {
                delimiter: "\t",
                ..PANDAS
            },
        ),
        (
            "pandas, times as index",
            Dialect {
                row_numbers: None,
                time_name: "",
                ..PANDAS
            },
        ),
        (
            "pandas, dates in a zone",
            Dialect {
                time: |t| {
                    let (h, m, s) = clock(t);
                    format!("2024-01-01 {h:02}:{m:02}:{s:09.6}+02:00")
                },
                time_name: "timestamp",
                ..PANDAS
            },
        ),
        ("R write.csv", R),
        (
            "R write.csv without row names",
            Dialect {
                row_numbers: None,
                ..R
            },
        ),
        (
            "R write.csv2",
            Dialect {
                delimiter: ";",
                number: comma,
                time: comma,
                ..R
            },
        ),
        (
            "Excel English",
            Dialect {
                number: |x| grouped(x, ",", "."),
                quotes: true,
                row_numbers: None,
                line_end: "\r\n",
                ..PANDAS
            },
        ),
        ("Excel German", EXCEL_GERMAN),
        (
            "Excel, tabs, German",
            Dialect {
                delimiter: "\t",
                ..EXCEL_GERMAN
            },
        ),
        (
            "Excel, times of day",
            Dialect {
                time: |t| {
                    let (h, m, s) = clock(t);
                    format!("{h}:{m:02}:{s:04.1}").replace('.', ",")
                },
                ..EXCEL_GERMAN
            },
        ),
        (
            "MATLAB writetable",
            Dialect {
                missing: "NaN",
                row_numbers: None,
                time_name: "Time",
                ..PANDAS
            },
        ),
        (
            "MATLAB datetime",
            Dialect {
                missing: "NaN",
                row_numbers: None,
                time_name: "Time",
                time: |t| {
                    let (h, m, s) = clock(t);
                    format!("01-Jan-2024 {h:02}:{m:02}:{s:06.3}")
                },
                ..PANDAS
            },
        ),
        (
            "numpy savetxt with names",
            Dialect {
                number: |x| format!("{x:.18e}"),
                time: |x| format!("{x:.18e}"),
                missing: "nan",
                row_numbers: None,
                time_name: "# t",
                ..PANDAS
            },
        ),
    ]
}

/// Writes a table of one sample.
fn write(table: &Table, dialect: &Dialect) -> String {
    let quoted = |text: &str| match dialect.quotes || text.contains(dialect.delimiter) {
        true => format!("\"{text}\""),
        false => text.to_string(),
    };
    let cell = |x: f64| match x.is_nan() {
        true => dialect.missing.to_string(),
        false => {
            let text = (dialect.number)(x);
            if text.contains(dialect.delimiter) {
                format!("\"{text}\"")
            } else {
                text
            }
        }
    };
    let mut header: Vec<String> = dialect
        .row_numbers
        .iter()
        .map(|(name, _)| quoted(name))
        .collect();
    header.push(match dialect.time_name.starts_with('#') {
        true => dialect.time_name.into(),
        false => quoted(dialect.time_name),
    });
    header.extend(table.names.iter().map(|name| quoted(name)));
    let mut lines = vec![header.join(dialect.delimiter)];
    let (t, rows) = &table.samples[0];
    for (i, (t, row)) in t.iter().zip(rows).enumerate() {
        let number = dialect.row_numbers.map(|(_, first)| {
            let number = (first + i).to_string();
            if dialect.quotes {
                format!("\"{number}\"")
            } else {
                number
            }
        });
        let mut cells: Vec<String> = number.into_iter().collect();
        cells.push((dialect.time)(*t));
        cells.extend(row.iter().map(|x| cell(*x)));
        lines.push(cells.join(dialect.delimiter));
    }
    lines.join(dialect.line_end) + dialect.line_end
}

/// Reads a file that needs an option, after it was refused with a message that names it.
fn read_by_message(
    path: &std::path::Path,
    part: &str,
    options: &CsvOptions,
    context: &str,
) -> Dataset {
    let (.., message) = refusal(read_csv(path, &CsvOptions::default()));
    assert!(message.contains(part), "{context}: {message}");
    read_csv(path, options).unwrap_or_else(|e| panic!("{context}: {e}"))
}

#[test]
fn two_hundred_tables_of_other_programs_are_read_back() {
    let dialects = dialects();
    for seed in 0..200 {
        let mut generator = Generator::manual_seed(seed);
        let mut table = Table::random(&mut generator, 1);
        let (name, dialect) = &dialects[seed as usize % dialects.len()];
        let has_dates = (dialect.time)(0.0).contains(':');
        if has_dates {
            let first = table.samples[0].0[0];
            table.samples[0].0.iter_mut().for_each(|t| *t -= first);
        }
        let content = write(&table, dialect);
        let context = format!("{name}, seed {seed}:\n{content}");
        let bom = if name.starts_with("Excel") {
            "\u{feff}"
        } else {
            ""
        };
        let mut bytes = [bom.as_bytes(), content.as_bytes()].concat();
        if seed % 7 == 0 {
            let mut packed = flate2::write::GzEncoder::new(vec![], flate2::Compression::default());
            packed.write_all(&bytes).unwrap();
            bytes = packed.finish().unwrap();
        }
        let (_folder, path) = file("table.csv", &bytes);
        let data =
            read_csv(&path, &CsvOptions::default()).unwrap_or_else(|e| panic!("{e}\n{context}"));
        table.assert_is(&data, true, &context);
        // What was read is written and read back.
        write_csv(&path, &data).unwrap();
        let again = read_csv(&path, &CsvOptions::default()).unwrap();
        table.assert_is(&again, true, &context);
        assert_eq!(again.units(), data.units());
    }
}

#[test]
fn tables_of_several_samples_are_read_back() {
    for seed in 0..60 {
        let mut generator = Generator::manual_seed(1000 + seed);
        let table = Table::random(&mut generator, 2 + seed as usize % 4);
        let (name, mark) = [("id", ""), ("subject", "s"), ("Trial", "")][seed as usize % 3];
        let is_long = seed % 2 == 1;
        let number = |x: f64| {
            if x.is_nan() {
                String::new()
            } else {
                shortest(x)
            }
        };
        let mut lines = vec![match is_long {
            true => format!("{name},t,variable,value"),
            false => format!("{name},t,{}", table.names.join(",")),
        }];
        for (i, (t, rows)) in table.samples.iter().enumerate() {
            if is_long {
                for (j, variable) in table.names.iter().enumerate() {
                    let rows = t.iter().zip(rows);
                    lines.extend(
                        rows.map(|(t, row)| {
                            format!("{mark}{i},{t:?},{variable},{}", number(row[j]))
                        }),
                    );
                }
                continue;
            }
            for (t, row) in t.iter().zip(rows) {
                let row: Vec<String> = row.iter().map(|x| number(*x)).collect();
                lines.push(format!("{mark}{i},{t:?},{}", row.join(",")));
            }
        }
        let (_folder, path) = file("table.csv", lines.join("\n"));
        let context = format!("seed {seed}:\n{}", lines.join("\n"));
        let data =
            read_csv(&path, &CsvOptions::default()).unwrap_or_else(|e| panic!("{e}\n{context}"));
        table.assert_is(&data, true, &context);
        write_csv(&path, &data).unwrap();
        table.assert_is(
            &read_csv(&path, &CsvOptions::default()).unwrap(),
            true,
            &context,
        );
    }
}

#[test]
fn the_message_names_the_one_option_that_is_needed() {
    for seed in 0..40 {
        let mut generator = Generator::manual_seed(2000 + seed);
        let mut table = Table::random(&mut generator, 1);
        let plain = Dialect {
            row_numbers: None,
            ..PANDAS
        };
        let context = format!("seed {seed}");
        // Lines before the table.
        let content = format!(
            "Exported by a program\n\nof the laboratory\n{}",
            write(&table, &plain)
        );
        let (_folder, path) = file("table.csv", content);
        let skip = CsvOptions {
            skip: 3,
            ..Default::default()
        };
        let data = read_by_message(&path, "say skip: 3", &skip, &context);
        table.assert_is(&data, true, &context);
        // A marker of its own.
        let content = write(
            &table,
            &Dialect {
                missing: "lost",
                ..plain
            },
        );
        if content.contains("lost") {
            let (_folder, path) = file("table.csv", content);
            let missing = CsvOptions {
                missing: vec!["lost".into()],
                ..Default::default()
            };
            let data = read_by_message(&path, "missing: [\"lost\"]", &missing, &context);
            table.assert_is(&data, true, &context);
        }
        // No times: savetxt without them, and without names.
        let (t, rows) = &mut table.samples[0];
        let lines: Vec<String> = (rows.iter())
            .map(|row| {
                row.iter()
                    .map(|x| format!("{x:.18e}"))
                    .collect::<Vec<_>>()
                    .join(" ")
            })
            .collect();
        t.iter_mut()
            .enumerate()
            .for_each(|(i, t)| *t = i as f64 * 0.25);
        let (_folder, path) = file("table.txt", lines.join("\n"));
        let dt = CsvOptions {
            dt: Some(0.25),
            ..Default::default()
        };
        if table.names.len() > 1 {
            let data = read_by_message(&path, "dt: 0.1", &dt, &context);
            table.assert_is(&data, false, &context);
        }
    }
}
