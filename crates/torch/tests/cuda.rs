//! Tests of the torch engine on an NVIDIA GPU, in float64, against the reference figures and the native engine.
//!
//! Where no GPU can be used each test prints why and does nothing; with `ODESYNC_REQUIRE_CUDA=1` it fails.

#[path = "../../train/tests/train/reference.rs"]
mod reference;

use odesync_ode::devices::{CudaStatus, Device};
use odesync_ode::engines::{cuda_status, engine};
use odesync_ode::odesolve::SolveOptions;
use odesync_script::script::{Session, SessionOptions};
// Linked for its engine, which is looked up by name.
use odesync_testing::{golden, relative_error};
use odesync_torch as _;
use odesync_train::schedules::Schedule;
use odesync_train::training::Objective;
use reference::{dataset, homotopy, losses_and_gradients, model, training_curve};

/// Returns whether there is a GPU to test on.
fn gpu() -> bool {
    let status = cuda_status();
    assert!(
        !matches!(status, CudaStatus::NotBuilt),
        "the torch engine is not linked"
    );
    if matches!(status, CudaStatus::Ready { .. }) {
        return true;
    }
    let required = std::env::var("ODESYNC_REQUIRE_CUDA").is_ok_and(|value| value == "1");
    assert!(!required, "ODESYNC_REQUIRE_CUDA=1, and {status}");
    println!("skipped, no GPU to test on: {status}");
    false
}

#[test]
fn reference_losses_and_gradients() {
    if gpu() {
        let errors = losses_and_gradients("torch", "cuda");
        println!(
            "losses and gradients on CUDA: relative errors of at most {:.1e} and {:.1e}",
            errors.loss, errors.gradient
        );
    }
}

#[test]
fn reference_training_curve() {
    if gpu() {
        let (loss, parameters) = training_curve("torch", "cuda");
        println!(
            "training curve on CUDA: relative errors of at most {loss:.1e} in the losses, {parameters:.1e} in the parameters"
        );
    }
}

/// On recorded steps the two engines agree to rounding. The torch engine computes on the CPU first, after which libtorch must
/// still find the GPU.
#[test]
fn it_agrees_with_the_native_engine_after_work_on_the_processor() {
    if !gpu() {
        return;
    }
    let all = golden("losses_and_gradients");
    for name in ["lv_graybox", "lv_blackbox"] {
        let (model, data) = (model(&all[name]), dataset(&all[name]));
        let method = homotopy(6.0, Schedule::list(vec![1.0]).unwrap());
        let make = |name: &str, device: &str| {
            let engine = engine(name, device).unwrap();
            Objective::new(&model, &data, &method, &SolveOptions::default(), engine).unwrap()
        };
        let mut native = make("native", "cpu");
        let params = native.initial_params();
        let recorded = native.evaluate(&params, 0.7, false, None).unwrap().recorded;
        let want = native
            .evaluate(&params, 0.7, true, Some(&recorded))
            .unwrap();
        for device in ["cpu", "cuda", "cpu", "cuda:0"] {
            let got = make("torch", device)
                .evaluate(&params, 0.7, true, Some(&recorded))
                .unwrap();
            let loss = (got.loss / want.loss - 1.0).abs();
            let gradient = relative_error(&got.gradient, &want.gradient);
            println!("{name} on {device} beside the native engine: {loss:.1e}, {gradient:.1e}");
            assert!(loss < 1e-10 && gradient < 1e-10, "{loss:e} {gradient:e}");
        }
    }
}

#[test]
fn a_number_that_no_gpu_has_is_an_error() {
    if let CudaStatus::Ready { gpus, .. } = cuda_status() {
        let error = engine("torch", &format!("cuda:{gpus}")).err().unwrap();
        assert!(error.to_string().contains("counted from 0"), "{error}");
    } else {
        gpu();
    }
}

/// The session's device is that of all work that names none, and makes the torch engine the default.
#[test]
fn a_script_runs_on_the_sessions_device() {
    if !gpu() {
        return;
    }
    let mut session = Session::new(SessionOptions {
        quiet: true,
        device: Device::Cuda(0),
        ..SessionOptions::default()
    })
    .unwrap();
    let code = "
        let f = lotka_volterra();
        let t = linspace(0, 2, 21);
        let d = dataset(f, [1, 1], t);
        seed(10);
        let model = blackbox([2, 8, 2]);
        let there = train(model, d, vanilla(), #{ epochs: 3 });
        let here = train(model, d, vanilla(), #{ epochs: 3, engine: \"native\" });
        [mse(solve(f, [1, 1], t).u, d.u[0]), norm(there.last.params - here.last.params)]";
    let text = session.eval(code, None).unwrap().text;
    let numbers: Vec<f64> = serde_json::from_str(&text).unwrap();
    assert!(numbers[0] < 1e-18 && numbers[1] < 1e-8, "{text}");
}
