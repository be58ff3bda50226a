//! The accepted steps of a solve, as a value that can be replayed.

/// One accepted step, from `t` to `end`. Its size `h = end − t` is negative when time runs backwards.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Step {
    /// Time at the start of the step.
    pub t: f64,
    /// Time at the end of the step.
    pub end: f64,
}

impl Step {
    /// Returns the step size `h = end − t`.
    pub fn h(&self) -> f64 {
        self.end - self.t
    }

    /// Returns the time `t + c h` at the node c; for c = 1 exactly `end`.
    pub fn time_at(&self, c: f64) -> f64 {
        if c == 1.0 {
            self.end
        } else {
            self.t + c * self.h()
        }
    }
}

/// Location of an output time in the recorded steps.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum OutputPosition {
    /// Output time at the start of the solve, where the solution is the initial state.
    Start,
    /// Output time at the end of the step with this index.
    End(usize),
    /// Output time inside the step with this index, at `t + θ h`.
    Inside(usize, f64),
}

impl OutputPosition {
    /// Returns the index of the step in which the output time lies; `None` at the start.
    pub fn step(self) -> Option<usize> {
        match self {
            OutputPosition::Start => None,
            OutputPosition::End(n) | OutputPosition::Inside(n, _) => Some(n),
        }
    }

    /// Returns the location where steps are counted anew.
    pub(crate) fn renumbered(self, count: impl FnOnce(usize) -> usize) -> Self {
        match self {
            OutputPosition::Start => OutputPosition::Start,
            OutputPosition::End(n) => OutputPosition::End(count(n)),
            OutputPosition::Inside(n, theta) => OutputPosition::Inside(count(n), theta),
        }
    }
}

/// The accepted steps of a solve and the location of its output times in them. Any engine can replay a solve or a gradient on
/// recorded steps; as a function of parameters and initial state such a replay is smooth.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RecordedSteps {
    /// Accepted steps, in order.
    pub steps: Vec<Step>,
    /// Location of each output time.
    pub outputs: Vec<OutputPosition>,
    /// Variant of the method that took each step, for methods with several variants: the order for `bdf`, whether the step is
    /// a startup step (1) or not (0) for the Adams methods, explicit (0) or stiff (1) for `auto`. Empty for other methods.
    pub variants: Vec<u8>,
}

impl RecordedSteps {
    pub(crate) fn clear(&mut self) {
        self.steps.clear();
        self.outputs.clear();
        self.variants.clear();
    }

    /// Returns the outputs, from the `next`th on, that a replay has to write in the `index`th step: those at its end, inside it,
    /// or before it.
    pub fn outputs_in_step(&self, next: usize, index: usize) -> &[OutputPosition] {
        let rest = self.outputs.get(next..).unwrap_or_default();
        let n = rest
            .iter()
            .take_while(|output| output.step() <= Some(index));
        &rest[..n.count()]
    }

    /// Returns a range of the steps, with the output times that lie in them; it begins with an output at its start.
    pub(crate) fn slice(&self, steps: std::ops::Range<usize>) -> RecordedSteps {
        // Outputs at the start of the solve belong to the first steps; any other part has one where it begins.
        let lies_in = |output: &&OutputPosition| match output.step() {
            Some(n) => steps.contains(&n),
            None => steps.start == 0,
        };
        let mut outputs: Vec<OutputPosition> = match steps.start {
            0 => vec![],
            _ => vec![OutputPosition::Start],
        };
        let found = self.outputs.iter().filter(lies_in);
        outputs.extend(found.map(|output| output.renumbered(|n| n - steps.start)));
        let variants = self.variants.get(steps.clone());
        RecordedSteps {
            variants: variants.map_or_else(Vec::new, <[u8]>::to_vec),
            steps: self.steps[steps].to_vec(),
            outputs,
        }
    }

    /// Whether there is a location for each of this many output times, in order, the first at the start.
    pub(crate) fn matches_times(&self, times: usize) -> bool {
        let step = |output: &OutputPosition| output.step();
        self.outputs.len() == times
            && self.outputs.first() == Some(&OutputPosition::Start)
            && self.outputs.iter().map(step).is_sorted()
            && self.outputs.last().and_then(step) < Some(self.steps.len())
    }
}

/// Cost of a solve.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Stats {
    /// Number of accepted steps.
    pub steps: usize,
    /// Number of rejected steps.
    pub rejected: usize,
    /// Number of evaluations of the vector field.
    pub evaluations: usize,
    /// Number of evaluations of the field's Jacobian, by implicit methods.
    pub jacobians: usize,
    /// Number of factorizations of a stage matrix, by implicit methods.
    pub factorizations: usize,
    /// Number of switches between methods, by `auto`.
    pub switches: usize,
    /// Time at which the problem was first found to be stiff, by `auto`; `None` where it was not.
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
