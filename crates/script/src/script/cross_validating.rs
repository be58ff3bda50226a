//! The binding of cross-validation: `cross_validate`.

use std::sync::Arc;

use rhai::Array as List;
use rhai::Dynamic;

use super::array::ScriptArray;
use super::data::ScriptDataset;
use super::fields::ScriptField;
use super::host::Host;
use super::keys::{Key, Keys};
use super::observation::OBSERVATION;
use super::options::Options;
use super::registry::{Registry, ScriptType};
use super::solving::{ADJOINT, ENGINE, SOLVER};
use super::training::{
    LOGGER, PROGRESS, RUN, ScriptMethod, ScriptRun, TrainCall, check_options_of, note_sink,
};
use crate::Result;
use odesync_base::option_set;
use odesync_base::options::{Count, Maybe, split};
use odesync_train::training::{
    Callback, Callbacks, CrossValidationScores, EnsembleMember, Optimizer, WeakConstraint,
    cross_validate,
};

/// The script type of a cross-validation, `CrossValidation`.
#[derive(Clone)]
pub struct ScriptCrossValidation(pub Arc<CrossValidationScores>);

impl ScriptType for ScriptCrossValidation {
    const NAME: &'static str = "CrossValidation";

    fn show(&self) -> String {
        self.0.to_string()
    }
}

option_set! {
    /// The folds of a cross-validation.
    #[derive(Debug)]
    struct FoldOptions {
        /// Number of parts that are held out, one after the other.
        folds: Option<usize> as Maybe<Count> = None, "5, or the number of samples where that is smaller";
    }
}

/// The option key of the method.
const METHOD: &[Key] = &[Key::new("method")
    .doc("Training method.")
    .expected("a method, such as vanilla()")
    .literals(&[
        "vanilla(",
        "multiple_shooting(",
        "homotopy(",
        "weak_constraint(",
    ])
    .default(|| odesync_base::options::Value::Unit, "`weak_constraint()`")];

/// The options of a run without those of data that are held out.
const OF_RUN: (&[Key], &[Key]) = (split(RUN, "patience").0, split(RUN, "best_by").1);

const CROSS_VALIDATE: Keys = &[
    FoldOptions::OPTIONS,
    METHOD,
    OF_RUN.0,
    OF_RUN.1,
    Optimizer::OPTIONS,
    OBSERVATION,
    SOLVER,
    ADJOINT,
    ENGINE,
    LOGGER,
    PROGRESS,
];

fn run(
    host: &Host,
    model: &ScriptField,
    data: &ScriptDataset,
    options: Option<rhai::Map>,
) -> Result<ScriptCrossValidation> {
    const CALL: &str = "cross_validate";
    let mut map = options.unwrap_or_default();
    let mut own = Options::new(CALL, CROSS_VALIDATE, map.clone());
    for key in ["holdout", "validate", "patience"] {
        own.refuse(key, "each part is held out in turn; leave it out")?;
    }
    let mut folds = FoldOptions::default();
    own.read_set(&mut folds)?;
    let method = own.opt_value::<ScriptMethod>("method", "a method, such as vanilla()")?;
    let method = method.unwrap_or_else(|| ScriptMethod(WeakConstraint::default().into()));
    check_options_of(host, &method, &mut map)?;
    let mut options = Options::new(CALL, CROSS_VALIDATE, map);
    options.take("folds");
    options.take("method");
    let call = TrainCall::read_options(host, options)?;
    let notes = note_sink(host);
    let loggers = |member: &EnsembleMember| -> Box<dyn Callback> {
        let mut observers = Callbacks::default();
        let of_run = (&method.0, &member.options);
        let of_call = &call.loggers;
        of_call.attach(of_run, &data.0, CALL, &notes, &mut observers);
        Box::new(observers)
    };
    let mut observer: Box<dyn Callback> = match call.progress {
        true => host.progress(CALL),
        false => Box::new(()),
    };
    let found = cross_validate(
        &model.0,
        &data.0,
        &method.0,
        folds.folds,
        &call.options,
        &mut *observer,
        &loggers,
    )?;
    Ok(ScriptCrossValidation(Arc::new(found)))
}

const EXAMPLE: &str = "let d = dataset(lotka_volterra(), [[1, 1], [2, 1], [1, 2]], arange(0, 1, 0.1)); seed(1); \
     let c = cross_validate(blackbox([2, 4, 2]), d, #{ method: vanilla(), epochs: 2 }); [c.mean, c.standard_error, c.mse, c.labels, c.runs.len()]";

pub(super) fn register(reg: &mut Registry) {
    reg.script_type::<ScriptCrossValidation>();
    let host = reg.host();
    reg.function(
        "cross_validate(model, data, #{ folds: 5, method: vanilla(), epochs: 600 }) -> CrossValidation",
        "Trains a copy of the model on the data without one part, for each of several parts, and measures each on the part that it did \
         not see. Several samples are divided by samples, and a sample is predicted from its own initial state; the times of a single \
         one are divided into contiguous blocks, which are predicted by the trajectory from the data's initial state through the blocks before. \
         It prints as a table; mean and standard_error are those of the parts' mse. Takes the options of train but those of data that \
         are held out.",
        EXAMPLE,
    )
    .options(CROSS_VALIDATE)
    .body(
        move |f: ScriptField, data: ScriptDataset, options: Option<rhai::Map>| run(&host, &f, &data, options),
    );
    properties(reg);
}

fn properties(reg: &mut Registry) {
    reg.property(
        "crossvalidation.mean -> float",
        "The mean over the parts of the mse on the part that was not trained on.",
        EXAMPLE,
    )
    .get(|c: &mut ScriptCrossValidation| c.0.mean());
    reg.property(
        "crossvalidation.standard_error -> float",
        "The standard error of that mean.",
        EXAMPLE,
    )
    .get(|c: &mut ScriptCrossValidation| c.0.standard_error());
    reg.property(
        "crossvalidation.mse -> Array",
        "The mse on each part that was not trained on.",
        EXAMPLE,
    )
    .get(|c: &mut ScriptCrossValidation| ScriptArray::from_vec(c.0.mse()));
    reg.property(
        "crossvalidation.labels -> list",
        "What each part is, such as \"sample 3\" or \"t 1.2 to 2.4\".",
        EXAMPLE,
    )
    .get(|c: &mut ScriptCrossValidation| {
        let labels = c.0.folds.iter().map(|fold| fold.held_out.clone().into());
        labels.collect::<List>()
    });
    reg.property(
        "crossvalidation.runs -> list",
        "The runs of the parts, in their order; those that failed are left out.",
        EXAMPLE,
    )
    .get(|c: &mut ScriptCrossValidation| {
        let runs = c.0.folds.iter().filter_map(|fold| fold.run.as_ref().ok());
        runs.map(|run| Dynamic::from(ScriptRun(Arc::new(run.clone()))))
            .collect::<List>()
    });
}
