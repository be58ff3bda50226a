//! Time and memory of loss and gradient of many trajectories: a black box 2-32-2 (GELU), `dopri5` at rtol 1e-7 and atol 1e-9, 61
//! times up to 6, on one thread, time on the processor. *Two passes* solves the whole batch with its tapes and then goes back over all of them; *there
//! and back* is [`Engine::forward_backward`], as training calls it.
//!
//! ```sh
//! cargo bench --no-default-features -p odesync-ode --bench batch             # 1 to 512 samples
//! cargo bench --no-default-features -p odesync-ode --bench batch -- 8 64     # these numbers of samples
//! ```

use std::time::{Duration, Instant};

use odesync_ode::field::{FieldBuilder, Isa, Unary, VectorField};
use odesync_ode::odesolve::{Engine, NativeEngine, Problem, SolveGradient, SolveOptions};
use odesync_testing::peak_allocator::PeakAllocator;

#[global_allocator]
static ALLOCATOR: PeakAllocator = PeakAllocator::new();

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build()?;
    Ok(pool.install(measure)?)
}

fn measure() -> odesync_ode::Result<()> {
    println!("instruction set: {}", Isa::current().name());
    let mut numbers = Numbers(10);
    let field = blackbox(&[2, 32, 2], &mut numbers)?;
    let t: Vec<f64> = (0..61).map(|i| 0.1 * f64::from(i)).collect();
    let chosen: Vec<i32> = std::env::args()
        .filter_map(|arg| arg.parse().ok())
        .collect();
    let sizes = match chosen[..] {
        [] => vec![1, 2, 3, 4, 8, 16, 64, 512],
        _ => chosen,
    };
    println!(
        "{:>8}{:>10}{:>22}{:>22}{:>12}{:>12}",
        "samples", "steps", "two passes, µs each", "there and back", "MiB", "MiB"
    );
    for n in sizes {
        let u0: Vec<Vec<f64>> = (0..n)
            .map(|_| vec![1.0 + numbers.next(), 2.0 + numbers.next()])
            .collect();
        let problems: Vec<Problem> = (u0.iter().enumerate())
            .map(|(sample, u0)| Problem { u0, t: &t, sample })
            .collect();
        let options = SolveOptions::default();
        let mut steps = 0;
        let mut two_passes = |engine: &mut NativeEngine| -> odesync_ode::Result<SolveGradient> {
            let solved = engine.forward(&field, &problems, &options, None, true)?;
            steps = solved.iter().map(|solved| solved.stats.steps).sum();
            let bars: Vec<Vec<f64>> = solved.iter().map(|solved| cotangent(&solved.u)).collect();
            engine.backward(&bars)
        };
        let there_and_back = |engine: &mut NativeEngine| -> odesync_ode::Result<SolveGradient> {
            let of = |_: usize, u: &[f64]| cotangent(u);
            Ok(engine
                .forward_backward(&field, &problems, &options, None, &of)?
                .1)
        };
        let (two, two_bytes) = least(&mut two_passes)?;
        let (one, one_bytes) = least(there_and_back)?;
        let each = 1e6 / f64::from(n);
        let mib = |bytes: usize| bytes as f64 / f64::from(1 << 20);
        println!(
            "{n:>8}{:>10}{:>22.1}{:>22.1}{:>12.2}{:>12.2}",
            steps / n as usize,
            two * each,
            one * each,
            mib(two_bytes),
            mib(one_bytes)
        );
    }
    Ok(())
}

/// Returns the time of a call on the processor, s, the least of several averages, and the peak memory of the first, with all that later ones reuse.
fn least(
    mut call: impl FnMut(&mut NativeEngine) -> odesync_ode::Result<SolveGradient>,
) -> odesync_ode::Result<(f64, usize)> {
    let (bytes, made) = ALLOCATOR.peak_of(|| {
        let mut engine = NativeEngine::default();
        call(&mut engine).map(|_| engine)
    });
    let (mut engine, mut least) = (made?, f64::INFINITY);
    for _ in 0..8 {
        let (begin, processor, mut calls) = (Instant::now(), processor_seconds(), 0.0);
        // The system counts a processor's time in ticks of some milliseconds.
        while begin.elapsed() < Duration::from_millis(250) {
            call(&mut engine)?;
            calls += 1.0;
        }
        let seconds = match (processor, processor_seconds()) {
            (Some(from), Some(to)) => to - from,
            _ => begin.elapsed().as_secs_f64(),
        };
        least = least.min(seconds / calls);
    }
    Ok((least, bytes))
}

/// Returns the time that this thread has had on the processor, s, where the system tells it (Linux): other programs on the machine
/// do not count.
fn processor_seconds() -> Option<f64> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    let nanoseconds: f64 = text.split_whitespace().next()?.parse().ok()?;
    Some(1e-9 * nanoseconds)
}

/// Returns ∂L/∂u of the sum of squares of a solution.
fn cotangent(u: &[f64]) -> Vec<f64> {
    u.iter().map(|u| 2.0 * u).collect()
}

/// Returns a black box with uniformly distributed weights, of at most one over the root of a layer's inputs.
fn blackbox(widths: &[usize], numbers: &mut Numbers) -> odesync_ode::Result<VectorField> {
    let b = FieldBuilder::new(widths[0]);
    let mut x = b.state();
    for (i, pair) in widths.windows(2).enumerate() {
        let (inputs, out) = (pair[0], pair[1]);
        let bound = 3.0 / (inputs as f64).sqrt();
        let mut draw = |n: usize| -> Vec<f64> { (0..n).map(|_| bound * numbers.next()).collect() };
        let weight = b.block(&format!("w{i}"), &[out, inputs], &draw(out * inputs), true)?;
        let bias = b.block(&format!("b{i}"), &[out], &draw(out), true)?;
        x = b.affine(weight, Some(bias), &x);
        if i + 2 < widths.len() {
            x = x.unary(Unary::Gelu);
        }
    }
    b.finish(x)
}

/// A reproducible sequence of numbers between −1 and 1.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> f64 {
        // Knuth's linear congruential generator; its high bits are the random ones.
        let next = self.0.wrapping_mul(6_364_136_223_846_793_005);
        self.0 = next.wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 11) as f64 / (1_u64 << 52) as f64 - 1.0
    }
}
