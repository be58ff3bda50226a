use super::Page;

#[test]
fn expressions() {
    let mut page = Page::new();
    page.file("lib.rhai", "fn half(x) {\n    x / 2\n}\n");
    page.fail(&[
        "let x = 1;\nlet y = mean([]);",
        // The innermost location and the backtrace.
        "fn inner(x) {\n    zeros([2]) + x\n}\nfn outer(x) { inner(x) }\n[arange(3)].map(|x| outer(x));",
        // Names.
        "let epochs = 1;\nprint(epohcs)",
        "let f = |width| widht;",
        "let f = |x| x + k;",
        "let x = 1;\nfn f() { x }\nf()",
        "armax([1])",
        "fn energy(x) { x }\nenergie(1)",
        "nothing_like_it(1)",
        "arange(3).shpe",
        "let m = #{ epochs: 1 }; m.epohcs",
        "let x = arange(3); x.shape = 2",
        "let d = dataset([0, 1, 2], [[1.0], [2.0], [3.0]]); d.u[1][0] = NAN; d.u",
        "let d = dataset([0, 1, 2], [[1.0], [2.0], [3.0]]); d.u[1] = 5.0",
        "let d = dataset([0, 1, 2], [[1.0], [2.0], [3.0]]); d.u = zeros([3, 1])",
        "let d = dataset([0, 1, 2], [[1.0], [2.0], [3.0]]); d.names[0] = \"x\"",
        "let d = dataset([0, 1, 2], [[1.0], [2.0], [3.0]]); d[\"u0\"][1] = 5",
        "let e = experiment(config(\"lotka_volterra\")); e.config.set(\"training.lr\", 3.0)",
        "let d = dataset([0, 1, 2], [[1.0], [2.0], [3.0]]); d[\"v\"]",
        "2^3",
        "let x = 2; x ^= 3",
        "[1, 2] + [3, 4]",
        "arange(3).col(0)",
        "PI = 3",
        "lib::half(1)",
        "import \"libb\" as lib;",
        // Known functions with other arguments.
        "mean(\"a\")",
        "fn f(a, b) { a }\nf(1)",
        "\"a\" - arange(3)",
        "arange(3)[\"a\"]",
        "[1, 2][2]",
        "[1, 2][-3]",
        "for i in 3 { }",
        // Whole numbers.
        "let x = 8/3;",
        "let n = 7;\nn /= 2;",
        "const N = 8; N / 3",
        "let f = |x| x * (1/2); f.call(1.0)",
        "if 8/3 == 2 { print(1) }",
        "1/0",
        "2 ** -1",
        "9223372036854775807 + 1",
        // A minus before a power.
        "let u = [2.0]; -u[0] ** 2",
        "let x = 2; let y = 1 + -x ** 2;",
        "-2 ** 2",
        "let x = 2; -(x + 1) ** 2",
        "let x = 2; -x.abs() ** 2",
        "let f = |t, u| [u[1], -u[0] ** 3];",
        "let p = #{ g: 1.0 }; sin(-p.g ** 2)",
        "let u = [[1.0]]; - -u[0][0] ** 2",
        "`${1} is ${-2 ** 2}`",
        "print(-abs(\n  3\n) ** 2)",
        // Syntax.
        "let x = \"abc",
        "let x = (1 +\n",
        "let a = 1 let b = 2",
        "eval(\"1\")",
        "let let = 1;",
        "@",
        "let x = [1, 2",
        "fn f(x) { x } }",
        // Conditions.
        "if arange(2) > 0 { print(1) }",
        "if 1 { }",
        "while \"a\" { }",
        // What a script throws.
        "throw \"too bad\"",
        "sleep(-1)",
        "args(#{ epochs: 3 }).epohcs",
        "table([#{ mse: 1 }, 3])",
        "table([#{ mse: 1 }], #{ columns: [\"mes\"] })",
        "table([#{ mse: 1 }], #{ digits: 0 })",
        "table([#{ mse: 1 }], #{ digits: 18 })",
    ]);
    // The arguments that the script is called with.
    let script = "let opt = args(#{ epochs: 600, lr: 0.05, on: true, hidden: [2, 3] });";
    for argument in [
        "epohcs=3",
        "epochs=many",
        "epochs=2.5",
        "lr=fast",
        "on=yes",
        "hidden=4",
        "hidden=[a]",
    ] {
        page.fails_with(&[argument], script);
    }
    page.is_kept_as("expressions");
}
