//! The state of a session's thread: the engine, its variables, and the evaluation of code.

use std::path::Path;
use std::rc::Rc;

use rhai::{AST, Dynamic, Engine, Scope};

use super::super::error::{ErrorKind, RhaiResult, ScriptError};
use super::super::error_report::ErrorReporter;
use super::super::figures::note_faults;
use super::super::host::Host;
use super::super::interaction::{Interactions, WidgetValue};
use super::super::interrupted_training::LAST_VALUE;
use super::super::introspection::{FunctionInfo, VariableInfo};
use super::super::registry::Catalogue;
use super::super::source_map::SourceMap;
use super::super::token_linter::TokenLinter;
use super::super::{engine, memory, value_display};
use super::EvalResult;
use super::bind_interrupted::bind_to_variable;
use odesync_plot::Panel;

/// The operations of a session's thread.
///
/// They are called through this trait only, so that the code that runs is that of the library which made the session. In a
/// notebook each cell is a separate library with another copy of the engine, and some of what the engine holds (its empty
/// vectors) can only be dropped by the copy that made it.
pub(super) trait Interpreter {
    /// Returns the documentation and the names of everything that scripts can use.
    fn catalogue(&self) -> &Catalogue;

    /// Returns the names of the variables that are set.
    fn variables(&self) -> Vec<String>;

    /// Returns summaries of the variables that are set, sorted by name.
    fn variable_infos(&self) -> Vec<VariableInfo>;

    /// Returns the functions that were defined, sorted by name.
    fn functions(&self) -> Vec<FunctionInfo>;

    /// Sets a variable.
    fn set(&mut self, name: &str, value: Dynamic) -> Result<(), ScriptError>;

    /// Returns the value of a variable.
    fn value(&self, name: &str) -> Result<&Dynamic, ScriptError>;

    /// Evaluates code; `file` is that of a script, which must accept the command-line arguments.
    fn eval(
        &mut self,
        code: &str,
        name: &str,
        file: Option<&Path>,
    ) -> Result<EvalResult, ScriptError>;

    /// Calls the function of an interaction with these values of its controls.
    fn run_interaction(
        &mut self,
        id: u64,
        values: &[WidgetValue],
    ) -> Result<EvalResult, ScriptError>;

    /// Drops an interaction.
    fn end_interaction(&mut self, id: u64);
}

/// State of the session's thread.
pub(super) struct SessionState {
    engine: Engine,
    catalogue: Catalogue,
    linter: Rc<TokenLinter>,
    scope: Scope<'static>,
    constants: Scope<'static>,
    functions: AST,
    sources: SourceMap,
    interactions: Interactions,
    host: Host,
}

impl SessionState {
    pub fn new(host: Host) -> Self {
        let linter = Rc::new(TokenLinter::default());
        let interactions = Interactions::default();
        let (engine, constants, catalogue) = engine::build(&host, &linter, &interactions);
        Self {
            engine,
            catalogue,
            linter,
            scope: constants.clone(),
            constants,
            functions: AST::empty(),
            sources: SourceMap::default(),
            interactions,
            host,
        }
    }

    /// Returns the variables with their values, sorted by name; of several with the same name, only the visible one.
    fn visible_variables(&self) -> Vec<(&str, &Dynamic)> {
        let mut seen: Vec<(&str, &Dynamic)> = self
            .scope
            .iter_raw()
            .map(|(name, _, _)| name)
            .filter(|name| !self.constants.contains(name))
            .filter_map(|name| Some((name, self.scope.get(name)?)))
            .collect();
        seen.sort_by_key(|(name, _)| *name);
        seen.dedup_by_key(|(name, _)| *name);
        seen
    }

    /// Removes variables that later declarations of the same name hide for good.
    fn forget_shadowed(&mut self) {
        let mut names: Vec<&str> = self.scope.iter_raw().map(|(name, _, _)| name).collect();
        names.sort_unstable();
        if names.windows(2).any(|pair| pair[0] == pair[1]) {
            self.scope = self.scope.clone_visible();
        }
    }

    fn compile(&mut self, code: &str, name: &str, file: Option<&Path>) -> Result<AST, ScriptError> {
        let parsed = self.engine.compile_with_scope(&self.scope, code);
        let mut ast = parsed.map_err(|error| self.report().parse_error(&error, name))?;
        ast.set_source(name);
        self.host
            .begin_script(file, self.linter.may_call(&["config"]));
        let arguments = self.host.arguments();
        if let Some(argument) = arguments
            .first()
            .filter(|_| file.is_some() && !self.host.interactive())
            && !self.linter.may_call(&["args", "config"])
        {
            return Err(ScriptError::new(
                ErrorKind::Usage,
                format!("{name} takes no arguments, but {argument} is given"),
            )
            .with_hint("a script declares its arguments by `let opt = args(#{ epochs: 600 });`"));
        }
        let run = self.functions.merge(&ast);
        self.functions = run.clone_functions_only();
        Ok(run)
    }

    fn run(&mut self, ast: &AST, name: &str) -> Result<EvalResult, ScriptError> {
        let result = self
            .engine
            .eval_ast_with_scope::<Dynamic>(&mut self.scope, ast);
        let value = result.map_err(|error| self.report().runtime_error(*error, name))?;
        if let Some(reason) = self.host.take_output_failure() {
            self.host.clear_interrupt();
            let message = format!("cannot write the output: {reason}");
            return Err(ScriptError::new(ErrorKind::Runtime, message));
        }
        if self.host.output_closed() {
            self.host.clear_interrupt();
            return Err(ScriptError::new(
                ErrorKind::OutputClosed,
                "the output is closed",
            ));
        }
        if value.is_unit() {
            return Ok(EvalResult::unit());
        }
        if self.host.has_interrupted() {
            // The code has ended; showing its value must not be interrupted instead.
            self.host.clear_interrupt();
        }
        if self.host.interactive()
            && let Some(panel) = value.read_lock::<Panel>()
        {
            // It is shown as the value of the evaluation.
            note_faults(&self.host, &panel);
        }
        let outcome = self
            .outcome(&value)
            .map_err(|error| self.report().runtime_error(*error, name))?;
        if self.host.interactive() && self.scope.is_constant(LAST_VALUE) != Some(true) {
            self.scope.set_value(LAST_VALUE, value);
        }
        Ok(outcome)
    }

    /// Returns what an evaluation with this value gives.
    fn outcome(&self, value: &Dynamic) -> RhaiResult<EvalResult> {
        if value.is_unit() {
            return Ok(EvalResult::unit());
        }
        Ok(EvalResult {
            text: value_display::text(&self.engine, value)?,
            is_unit: false,
            figure: value.read_lock::<Panel>().map(|panel| panel.clone()),
            card: match self.host.shows_cards() {
                true => value_display::card(value),
                false => None,
            },
        })
    }

    /// Frees memory after too much was used: first the variables of this evaluation are dropped, then, if that is not enough, all
    /// variables. So close to the limit that nothing more can be computed is too much as well: which step is refused is chance.
    fn free_memory(&mut self, n_variables: usize) {
        let limit = self.host.memory_limit();
        let limit = limit - limit / 64;
        let too_much = || memory::allocated().is_some_and(|used| used > limit);
        if too_much() {
            self.scope.rewind(n_variables);
        }
        if too_much() {
            self.scope = self.constants.clone();
            self.host.note("all variables were dropped to free memory");
        }
    }

    fn report(&self) -> ErrorReporter<'_> {
        ErrorReporter {
            sources: &self.sources,
            catalogue: &self.catalogue,
            linter: &self.linter,
            functions: &self.functions,
            variables: self.variables(),
            host: &self.host,
        }
    }
}

impl Interpreter for SessionState {
    fn catalogue(&self) -> &Catalogue {
        &self.catalogue
    }

    fn variables(&self) -> Vec<String> {
        let names = self.visible_variables().into_iter();
        names.map(|(name, _)| name.to_string()).collect()
    }

    fn variable_infos(&self) -> Vec<VariableInfo> {
        let all = self.visible_variables().into_iter();
        all.map(|(name, value)| {
            let text = value_display::text(&self.engine, value).unwrap_or_else(|_| "?".into());
            let kind = self.engine.map_type_name(value.type_name());
            VariableInfo::new(name, kind, value, &text)
        })
        .collect()
    }

    fn functions(&self) -> Vec<FunctionInfo> {
        FunctionInfo::of_ast(&self.functions)
    }

    fn set(&mut self, name: &str, value: Dynamic) -> Result<(), ScriptError> {
        let usage = |message: String| ScriptError::new(ErrorKind::Usage, message);
        let letters = name.chars().all(|c| c.is_alphanumeric() || c == '_');
        if !letters || self.engine.compile(format!("let {name} = 0;")).is_err() {
            return Err(usage(format!(
                "\"{name}\" can't be a variable's name: names are letters, digits and _, and no word of the language"
            )));
        }
        if self.scope.is_constant(name) == Some(true) {
            return Err(usage(format!("{name} is a constant")));
        }
        match self.scope.get_mut(name) {
            Some(variable) => *variable = value,
            None => {
                self.scope.push_dynamic(name, value);
            }
        }
        Ok(())
    }

    fn value(&self, name: &str) -> Result<&Dynamic, ScriptError> {
        self.scope.get(name).ok_or_else(|| {
            let (message, _) = self.report().unknown_variable(name);
            ScriptError::new(ErrorKind::Usage, message)
        })
    }

    fn eval(
        &mut self,
        code: &str,
        name: &str,
        file: Option<&Path>,
    ) -> Result<EvalResult, ScriptError> {
        let code = without_preamble(code);
        let code = self.sources.add(name, &code);
        self.linter.reset();
        let n_variables = self.scope.len();
        let _restricted = self.host.restrict(file);
        let mut result = self
            .compile(&code, name, file)
            .and_then(|ast| self.run(&ast, name));
        match &result {
            Err(error) if error.kind == ErrorKind::Interrupted => self.host.clear_interrupt(),
            Err(error) if matches!(error.kind, ErrorKind::Limit | ErrorKind::Runtime) => {
                self.free_memory(n_variables);
            }
            _ => {}
        }
        if let Some(training) = self.host.take_interrupted() {
            self.host.clear_interrupt();
            let remark = bind_to_variable(training, &mut self.scope);
            match &mut result {
                Err(error) => error.hint = Some(remark),
                Ok(_) => self.host.note(&remark),
            }
        }
        self.forget_shadowed();
        result
    }

    fn run_interaction(
        &mut self,
        id: u64,
        values: &[WidgetValue],
    ) -> Result<EvalResult, ScriptError> {
        self.linter.reset();
        let _restricted = self.host.restrict(None);
        let called = self
            .interactions
            .call(&self.engine, &self.functions, id, values)
            .and_then(|value| self.outcome(&value));
        let result = called.map_err(|error| self.report().runtime_error(*error, "<interact>"));
        if let Some(training) = self.host.take_interrupted() {
            bind_to_variable(training, &mut self.scope);
        }
        self.host.clear_interrupt();
        result
    }

    fn end_interaction(&mut self, id: u64) {
        self.interactions.remove(id);
    }
}

/// Returns the code without a byte order mark, and with a first line `#!…` blanked so that the line numbers stay the same.
fn without_preamble(code: &str) -> String {
    let code = code.strip_prefix('\u{feff}').unwrap_or(code);
    match code.strip_prefix("#!") {
        Some(rest) => format!("//{rest}"),
        None => code.to_string(),
    }
}
