//! The modules that a script imports from files.

use std::cell::RefCell;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use rhai::module_resolvers::FileModuleResolver;
use rhai::{Engine, EvalAltResult, ModuleResolver, Position, Scope};

use super::error::RhaiResult;
use super::token_linter::TokenLinter;
use crate::Error;

/// Largest number of modules of which each imports the next. Loading one takes a part of the stack.
const MAX_DEPTH: usize = 32;

/// Module resolver that loads modules from files, refuses those that import each other in a circle, and tells the token linter that
/// another source begins.
pub(super) struct ScriptModuleResolver {
    files: FileModuleResolver,
    linter: Rc<TokenLinter>,
    /// Files of the modules that are being loaded, each imported by the one before.
    loading: RefCell<Vec<PathBuf>>,
    /// Files of the modules, by the names under which the engine knows their code.
    loaded: RefCell<HashMap<String, PathBuf>>,
}

impl ScriptModuleResolver {
    /// Creates a resolver whose modules see these constants.
    pub(super) fn new(constants: &Scope<'static>, linter: &Rc<TokenLinter>) -> Self {
        let mut files = FileModuleResolver::new();
        files.set_scope(constants.clone());
        ScriptModuleResolver {
            files,
            linter: Rc::clone(linter),
            loading: RefCell::default(),
            loaded: RefCell::default(),
        }
    }

    /// Returns the file that imports: the module that is being loaded, else the one whose function runs, else the script.
    fn importer(&self, source: Option<&str>) -> Option<PathBuf> {
        if let Some(module) = self.loading.borrow().last() {
            return Some(module.clone());
        }
        let source = source?;
        let module = self.loaded.borrow().get(source).cloned();
        Some(module.unwrap_or_else(|| source.into()))
    }

    /// Returns what keeps a file from being loaded within those that are being loaded.
    fn obstacle(&self, file: &Path, name: &str) -> Option<String> {
        let loading = self.loading.borrow();
        if let Some(first) = loading.iter().position(|other| other == file) {
            let names = loading[first..]
                .iter()
                .map(|file| file.display().to_string());
            let circle: Vec<String> = names.chain([file.display().to_string()]).collect();
            return Some(format!(
                "the modules import each other in a circle, {}; move what they share into a module of its own",
                circle.join(" → ")
            ));
        }
        (loading.len() >= MAX_DEPTH).then(|| {
            format!("\"{name}\" is imported by a chain of {MAX_DEPTH} modules, and no chain may be longer")
        })
    }
}

impl ModuleResolver for ScriptModuleResolver {
    fn resolve(
        &self,
        engine: &Engine,
        source: Option<&str>,
        path: &str,
        position: Position,
    ) -> RhaiResult<Rc<rhai::Module>> {
        let importer = self.importer(source);
        let folder = importer.as_deref().and_then(Path::parent);
        let file = self.files.get_file_path(path, folder);
        // Two paths of one file are one module.
        let file = file.canonicalize().unwrap_or(file);
        if let Some(message) = self.obstacle(&file, path) {
            let mut error: Box<EvalAltResult> = Error::invalid(message).into();
            error.set_position(position);
            return Err(error);
        }
        // What is not there is left to the resolver, which says so.
        if let Err(reason) = odesync_base::files::open(&file)
            && reason.kind() != std::io::ErrorKind::NotFound
        {
            let mut error: Box<EvalAltResult> = Error::io("import", &file, &reason).into();
            error.set_position(position);
            return Err(error);
        }
        self.linter.begin_module();
        self.loaded.borrow_mut().insert(path.into(), file.clone());
        self.loading.borrow_mut().push(file);
        let importer = importer.as_ref().and_then(|file| file.to_str());
        let module = self.files.resolve(engine, importer, path, position);
        self.loading.borrow_mut().pop();
        module
    }
}
