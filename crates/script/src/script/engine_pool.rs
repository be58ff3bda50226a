//! Engines that a session keeps from one call to the next, which then finds the storage of the one before: a loss in a loop of a
//! script, a picture with sliders.

use std::sync::{Arc, Mutex, PoisonError};

use crate::Result;
use odesync_ode::engines::engine;
use odesync_ode::field::VectorField;
use odesync_ode::odesolve::{
    Engine, NativeEngine, Problem, RecordedSteps, SolveGradient, SolveOptions, Trajectory,
};

/// Largest storage that an engine keeps between two calls, in bytes.
const KEPT_BYTES: usize = 64 << 20;

/// The engine that the last call gave back, with its name and its device.
#[derive(Default)]
pub(super) struct EnginePool(Mutex<Option<KeptEngine>>);

struct KeptEngine {
    name: String,
    device: String,
    engine: Box<dyn Engine>,
}

impl EnginePool {
    /// Lends the engine of this name on this device; a new one where the pool has none.
    ///
    /// # Errors
    /// An unknown engine, or a device that is not there.
    pub fn lend(self: &Arc<Self>, name: &str, device: &str) -> Result<LentEngine> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        let engine = match kept {
            Some(kept) if kept.name == name && kept.device == device => kept.engine,
            _ => engine(name, device)?,
        };
        Ok(LentEngine {
            pool: Arc::clone(self),
            kept: KeptEngine {
                name: name.into(),
                device: device.into(),
                engine,
            },
        })
    }
}

/// An engine that goes back to its pool when it is dropped.
pub(super) struct LentEngine {
    pool: Arc<EnginePool>,
    kept: KeptEngine,
}

impl Drop for LentEngine {
    fn drop(&mut self) {
        self.kept.engine.keep_at_most(KEPT_BYTES);
        let nothing: Box<dyn Engine> = Box::new(NativeEngine::default());
        let kept = KeptEngine {
            name: std::mem::take(&mut self.kept.name),
            device: std::mem::take(&mut self.kept.device),
            engine: std::mem::replace(&mut self.kept.engine, nothing),
        };
        let mut pool = self.pool.0.lock().unwrap_or_else(PoisonError::into_inner);
        *pool = Some(kept);
    }
}

impl Engine for LentEngine {
    fn forward(
        &mut self,
        field: &VectorField,
        problems: &[Problem],
        options: &SolveOptions,
        recorded: Option<&[RecordedSteps]>,
        keep: bool,
    ) -> Result<Vec<Trajectory>> {
        let engine = &mut self.kept.engine;
        engine.forward(field, problems, options, recorded, keep)
    }

    fn backward(&mut self, bars: &[Vec<f64>]) -> Result<SolveGradient> {
        self.kept.engine.backward(bars)
    }

    fn forward_backward(
        &mut self,
        field: &VectorField,
        problems: &[Problem],
        options: &SolveOptions,
        recorded: Option<&[RecordedSteps]>,
        cotangent: &(dyn Fn(usize, &[f64]) -> Vec<f64> + Sync),
    ) -> Result<(Vec<Trajectory>, SolveGradient)> {
        let engine = &mut self.kept.engine;
        engine.forward_backward(field, problems, options, recorded, cotangent)
    }

    fn name(&self) -> &'static str {
        self.kept.engine.name()
    }
}
