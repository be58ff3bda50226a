//! The steps a solve took, as a value.

/// One accepted step from `t` to `end`; `h = end − t` is negative when time runs backwards.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Step {
    /// Start.
    pub t: f64,
    /// End.
    pub end: f64,
}

impl Step {
    /// Step size.
    pub fn h(&self) -> f64 {
        self.end - self.t
    }

    /// Time of the node c, exact at the end.
    pub fn time_at(&self, c: f64) -> f64 {
        if c == 1.0 {
            self.end
        } else {
            self.t + c * self.h()
        }
    }
}

/// Where a requested time lies.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum SaveLocation {
    /// At the initial state.
    Start,
    /// At the end of this step.
    End(usize),
    /// Inside this step, at `t + θ h`.
    Inside(usize, f64),
}

/// The accepted steps of a solve and where its requested times lie. A solve or a gradient can be replayed on it, by any
/// engine; as a function of parameters and initial state such a replay is smooth.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct StepPlan {
    /// The steps, in order.
    pub steps: Vec<Step>,
    /// One for each requested time.
    pub outputs: Vec<SaveLocation>,
    /// Which variant of the method took each step, where it has several: the order for `bdf`, whether the history was begun
    /// anew (1) for the Adams methods, explicit (0) or stiff (1) for `auto`. Empty for the others.
    pub variants: Vec<u8>,
}

impl StepPlan {
    pub(crate) fn clear(&mut self) {
        self.steps.clear();
        self.outputs.clear();
        self.variants.clear();
    }

    /// Whether it places this many requested times, in order, the first at the start.
    pub(crate) fn matches_times(&self, times: usize) -> bool {
        let step = |output: &SaveLocation| match *output {
            SaveLocation::Start => None,
            SaveLocation::End(n) | SaveLocation::Inside(n, _) => Some(n),
        };
        self.outputs.len() == times
            && self.outputs.first() == Some(&SaveLocation::Start)
            && self.outputs.iter().map(step).is_sorted()
            && self.outputs.last().and_then(step) < Some(self.steps.len())
    }
}

/// What a solve cost.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Stats {
    /// Accepted steps.
    pub steps: usize,
    /// Rejected steps.
    pub rejected: usize,
    /// Evaluations of the vector field.
    pub evaluations: usize,
    /// Evaluations of its Jacobian, by implicit methods.
    pub jacobians: usize,
    /// Factorisations of a stage matrix, by implicit methods.
    pub factorizations: usize,
    /// Changes between methods, by `auto`.
    pub switches: usize,
    /// When the problem was first found to be stiff, by `auto`.
    pub stiff_from: Option<f64>,
}

impl std::ops::AddAssign for Stats {
    fn add_assign(&mut self, other: Stats) {
        self.steps += other.steps;
        self.rejected += other.rejected;
        self.evaluations += other.evaluations;
        self.jacobians += other.jacobians;
        self.factorizations += other.factorizations;
        self.switches += other.switches;
        self.stiff_from = self.stiff_from.or(other.stiff_from);
    }
}
