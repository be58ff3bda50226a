use super::{DATA, Page};

#[test]
fn data_and_files() {
    let mut page = Page::new();
    for (name, text) in [
        ("empty.csv", ""),
        ("header.csv", "t,x\n"),
        ("word.csv", "t,x,v\n0,1,2\n1,two,3\n2,3,4\n"),
        ("ragged.csv", "t,x,v\n0,1,2\n1,2\n"),
        ("unsorted.csv", "t,x\n0,1\n2,1\n1,1\n"),
        ("repeated.csv", "t,x\n0,1\n1,1\n1,2\n"),
        ("names.csv", "time,hare,lynx\n0,1,2\n1,2,3\n"),
        ("preamble.csv", "Exported\non Monday\nt;x\n0;1,5\n1;2,5\n"),
        ("untimed.csv", "x,v\n3,1\n2,4\n1,1\n"),
        ("dates.csv", "t,x\n2024-01-01T00:00:00Z,1\n2024-01-02,2\n"),
        ("run/best.safetensors", "neither one nor the other"),
        ("run/last.safetensors", "neither one nor the other"),
        ("run/metrics.csv", "neither one nor the other"),
        ("plain", "a file"),
    ] {
        page.file(name, text);
    }
    page.fail(&[
        "dataset([0, 1, 2], [[1, 2], [3, 4]])",
        "dataset([0, 1], [[1, 2], [3]])",
        "dataset([0, 1, 2], [[NAN, 1], [1, 1], [2, 2]])",
        "dataset([0, 2, 1], [1, 2, 3])",
        "dataset([dataset([0.0, 1.0], [1, 2]), 3])",
        "dataset([])",
        // Tables.
        "read_csv(folder + \"/empty.csv\")",
        "read_csv(folder + \"/header.csv\")",
        "read_csv(folder + \"/word.csv\")",
        "read_csv(folder + \"/ragged.csv\")",
        "read_csv(folder + \"/unsorted.csv\")",
        "read_csv(folder + \"/repeated.csv\")",
        "read_csv(folder + \"/names.csv\", #{ state: [\"hair\"] })",
        "read_csv(folder + \"/names.csv\", #{ state: [true] })",
        "read_csv(folder + \"/names.csv\", #{ delimiter: \"tab\" })",
        "read_csv(folder + \"/names.csv\", #{ decimal: \";\" })",
        "read_csv(folder + \"/names.csv\", #{ dt: 0.1 })",
        "read_csv(folder + \"/preamble.csv\")",
        "read_csv(folder + \"/untimed.csv\")",
        "read_csv(folder + \"/dates.csv\")",
        "read_csv(\"no/such/file.csv\")",
        // Files of another kind.
        "read_npy(folder + \"/names.csv\")",
        "read_json(folder + \"/names.csv\")",
        "read_schmidt_lipson(folder + \"/names.csv\")",
        // Files of arrays.
        "read_npz(fixtures + \"/stored.npz\", #{ u: \"x\", u0: \"xo\" })",
        "read_npz(fixtures + \"/stored.npz\", #{ time: \"time\" })",
        "read_npz(fixtures + \"/deflated.npz\", #{ u: \"phase\" })",
        "read_npz(fixtures + \"/float64.safetensors\")",
        "read_safetensors(fixtures + \"/narrow.safetensors\", #{ u: \"eight\" })",
        "read_safetensors(fixtures + \"/stored.npz\")",
        "read_npz(\"no/such/file.npz\")",
        // Runs.
        "load(folder + \"/run\")",
        "load(\"no/such/run\")",
        "load(\"\")",
    ]);
    page.before(DATA);
    page.fail(&[
        "dataset([data, data]).sample(2)",
        "data.head(0)",
        "data.head(-1)",
        "data.slice(3, 2)",
        "data.slice(0, 100)",
        "data.up_to(-1)",
        "data.add_noise(-0.1)",
        "data / 0",
        "data.scaled([1, 2, 3])",
        "data.scaled(1, #{ t: 0 })",
        "data.with_names([\"x\", \"x\"])",
        "data.write_npz(\"\")",
        "data.write_csv(folder + \"/plain/a.csv\")",
        "train(model, data, vanilla(), #{ epochs: 1 }).save(\" \")",
        "train(model, data, vanilla(), #{ epochs: 1, out: \"\" })",
        "train(model, data, vanilla(), #{ epochs: 1, out: folder + \"/plain/run\" })",
        "plot(data).save(folder + \"/plain/figure.svg\")",
        "plot(data).save(\"figure.bmp\")",
    ]);
    page.is_kept_as("data_and_files");
}
