//! Checkpoints. In a build for these tests a wrong checksum is no error: otherwise nothing behind it would be reached.

use odesync_train::training::{Run, load_model};

use crate::file;

pub fn checkpoint(bytes: &[u8]) {
    let path = file("last.safetensors", bytes);
    let _ = load_model(&path);
    let Some(folder) = path.parent() else {
        return;
    };
    let Ok(run) = Run::load(folder) else {
        return;
    };
    assert_eq!(run.model.n_params(), run.last.n_params());
    let _ = run.metric("mse");
    let _ = run.path();
    let _ = run.best_mse_at_lambda_zero();
    // What was read can be written, and read again.
    let again = folder.join("again");
    run.save(&again).expect("a run that can be saved");
    Run::load(&again).expect("a run that was saved");
}
