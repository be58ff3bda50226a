//! Files with a correct checksum but inconsistent content, as another program might write them.

use std::path::Path;

use super::*;
use crate::datasets::Dataset;
use crate::training::{TrainOptions, TrainingMethod, train};
use odesync_ode::dynamics::lotka_volterra;

fn run() -> Run {
    let model = lotka_volterra().unwrap().trainable(&["a", "b"]).unwrap();
    let t = ndarray::arr1(&[0.0, 0.1, 0.2]);
    let u = ndarray::arr2(&[[1.0, 1.0], [1.1, 0.9], [1.2, 0.8]]);
    let data = Dataset::single(t, u, None).unwrap();
    let options = TrainOptions::default().epochs(3);
    train(&model, &data, &TrainingMethod::Vanilla, &options, &mut ()).unwrap()
}

/// Returns a tensor by its name.
fn tensor<'a>(
    content: &'a mut CheckpointFile,
    name: &str,
) -> &'a mut super::super::checkpoint_file::Tensor {
    content.tensors.get_mut(name).unwrap()
}

#[test]
fn what_does_not_fit_together_is_damage() {
    let run = run();
    let path = Path::new("runs/a/last.safetensors");
    let read = |content: &CheckpointFile| {
        let bytes = content.to_bytes().unwrap();
        Run::from_checkpoint(path, CheckpointFile::from_bytes(path, &bytes).unwrap())
    };
    let bytes = |run: &Run| run.last_checkpoint(None).unwrap().to_bytes().unwrap();
    assert!(bytes(&read(&run.last_checkpoint(None).unwrap()).unwrap()) == bytes(&run));
    type Change = fn(&mut CheckpointFile);
    let changes: [(&str, Change); 15] = [
        ("\"run.best\" is missing", |c| {
            drop(c.tensors.remove("run.best"))
        }),
        ("\"a\" is missing", |c| drop(c.tensors.remove("a"))),
        ("nothing is known of tensor \"x\"", |c| {
            c.add_tensor("x", &[1], &[0.0])
        }),
        ("parameter \"a\" has another shape", |c| {
            c.add_tensor("a", &[1], &[0.0])
        }),
        ("optimiser does not have the parameters' length", |c| {
            c.add_tensor("optimizer.second", &[1], &[0.0])
        }),
        ("best parameters", |c| {
            c.add_tensor("run.best", &[3], &[0.0; 3])
        }),
        ("best parameters", |c| {
            // Corrections that the best parameters do not contain.
            c.add_tensor("method.corrections", &[1], &[0.0]);
            c.add_tensor("optimizer.first", &[3], &[0.0; 3]);
            c.add_tensor("optimizer.second", &[3], &[0.0; 3]);
        }),
        ("not those of this model", |c| {
            c.add_tensor("data.u0", &[2, 1], &[0.0; 2])
        }),
        ("initial states", |c| {
            tensor(c, "data.u0").values[0] = f64::NAN
        }),
        ("initial states", |c| c.add_tensor("data.u0", &[0, 2], &[])),
        ("history", |c| tensor(c, "run.history").values[11] = 2.0),
        ("history", |c| tensor(c, "run.history").values[6] = 0.5),
        ("history", |c| {
            c.add_tensor("run.history", &[11], &[0.0; 11])
        }),
        ("not one of the history", |c| {
            c.add_tensor("run.history", &[0, 11], &[])
        }),
        ("unknown field", |c| {
            c.metadata = c.metadata.replacen("\"t0\"", "\"t1\"", 1)
        }),
    ];
    for (i, (what, change)) in changes.into_iter().enumerate() {
        let mut content = run.last_checkpoint(None).unwrap();
        change(&mut content);
        match read(&content) {
            Err(Error::Checkpoint { reason, .. }) => {
                assert!(reason.contains(what), "{i} {what}: {reason}");
            }
            other => panic!("{i} {what}: {other:?}"),
        }
    }
}

#[test]
fn the_path_of_a_run_is_part_of_it() {
    let mut run = run();
    run.settings.options.trajectory_every = Some(2);
    run.parameter_path = vec![vec![1.0, 2.0], vec![3.0, 4.0]];
    let path = Path::new("runs/a/last.safetensors");
    let read = |content: &CheckpointFile| {
        let bytes = content.to_bytes().unwrap();
        Run::from_checkpoint(path, CheckpointFile::from_bytes(path, &bytes).unwrap())
    };
    let content = run.last_checkpoint(None).unwrap();
    assert_eq!(read(&content).unwrap().parameter_path, run.parameter_path);
    for points in [vec![1.0, 2.0], vec![1.0; 6]] {
        let mut content = run.last_checkpoint(None).unwrap();
        content.add_tensor("run.path", &[points.len() / 2, 2], &points);
        let error = read(&content).unwrap_err().to_string();
        assert!(error.contains("points of the path"), "{error}");
    }
}

#[test]
fn a_file_of_another_format_is_named_as_one() {
    let path = Path::new("last.safetensors");
    let old = safetensors::tensor::serialize(
        Vec::<(String, safetensors::tensor::TensorView)>::new(),
        Some([("format".to_string(), "odesync-1".to_string())].into()),
    );
    let error = CheckpointFile::from_bytes(path, &old.unwrap()).unwrap_err();
    assert!(error.to_string().contains("odesync-1"), "{error}");
}
