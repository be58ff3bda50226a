use super::Page;

#[test]
fn experiments_and_configurations() {
    let mut page = Page::new();
    page.fail(&[
        "config(\"lotka_voltera\")",
        "config(\"lorenz3d\").get(\"training.lrr\")",
    ]);
    page.before("let c = config(\"lotka_volterra\");");
    page.fail(&[
        "c.set(\"training.lrr\", 0.1)",
        "c.set(\"training.lr\", \"fast\"); experiment(c)",
        "c.set(\"training.lr\", -1); experiment(c)",
        "c.set(\"training.epochs\", 1.5); experiment(c)",
        "c.set(\"model.kind\", \"blackbocks\"); experiment(c)",
        "c.set(\"model.nodes_per_layer\", 0); experiment(c)",
        "c.set(\"odesolve.adjoint\", \"backprob\"); experiment(c).run()",
        "c.set(\"odesolve.solver\", \"rk5\"); experiment(c)",
        "c.set(\"odesolve.method\", \"rk4\")",
        "c.set(\"dataset.train\", 0); experiment(c)",
        "c.set(\"dataset.dt\", -1); experiment(c)",
        "c.set(\"training.coupling\", [[1, 2], [3]]); experiment(c)",
        "c.set(\"training.smoothing\", -1); experiment(c)",
        "experiment(3)",
        "experiment(c).table(3)",
    ]);
    page.before("");
    // Overrides on the script's command line.
    for arguments in [
        &["training=hommotopy"][..],
        &["trainning=homotopy"],
        &["training.lrr=0.1"],
        &["training.lr=fast"],
        &["training=weak_constraint", "+training.lr=0.1"],
        &["training=weak_constraint", "training.loss=hubr"],
        &["training=weak_constraint", "training.weights=[1,x]"],
        &["training=vanilla", "+training.loss=huber"],
        &["~training.nothing"],
        &["+training.lr=1"],
        &["+training.extra=1"],
        &["model.kind=blackbocks"],
        &["dataset=double_pendulum_real"],
        &["dataset=file"],
        &["dataset=file", "dataset.path=own.xyz"],
        &["dataset=file", "dataset.path=no/such/file.csv"],
        &["dataset=file", "dataset.path=a.npz", "+dataset.skip=1"],
        &["dataset=file", "dataset.format=cvs"],
        &["dataset=file", "dataset.every=0"],
        &["dataset=file", "+dataset.skp=1"],
        &["dataset.noise.relative_to=men"],
        &["dataset.noise.amplitude=-1"],
        &["~dataset.noise.seed"],
        &["training.schedule={kind: cosin, n_steps: 3, epochs_per_step: 2}"],
        &["training.schedule={kind"],
    ] {
        page.fails_with(arguments, "experiment(config(\"lotka_volterra\"))");
    }
    assert!(
        !page.folder.path().join("runs").exists(),
        "nothing was begun"
    );
    page.is_kept_as("experiments_and_configurations");
}
