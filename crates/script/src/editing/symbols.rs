//! The symbol table of a session: functions, variables and the configuration.

use crate::script::{Catalogue, Doc, FunctionInfo, Session, VariableInfo};
use odesync_config::Config;

/// The symbols that completion, inspection, hints and highlighting use.
#[derive(Debug, Default)]
pub struct SymbolTable {
    /// Functions, properties and constants of the language.
    pub catalogue: Catalogue,
    /// The variables that are set.
    pub variables: Vec<VariableInfo>,
    /// The functions that the session's code has defined.
    pub functions: Vec<FunctionInfo>,
    /// The configuration that the code asked for last.
    pub config: Option<Config>,
    /// Keys that a script's `args` declared.
    pub arguments: Vec<String>,
}

/// Keywords of the language, which are offered as completions and highlighted.
pub const KEYWORDS: [&str; 27] = [
    "as",
    "break",
    "catch",
    "const",
    "continue",
    "do",
    "else",
    "export",
    "false",
    "fn",
    "for",
    "if",
    "import",
    "in",
    "let",
    "loop",
    "private",
    "return",
    "switch",
    "this",
    "throw",
    "true",
    "try",
    "until",
    "while",
    "Fn",
    "is_def_var",
];

/// Functions of the language itself that are not methods.
pub const BUILTIN_FUNCTIONS: [&str; 5] = ["print", "debug", "type_of", "timestamp", "sleep"];

/// Methods of the language's lists.
const LIST_METHODS: [&str; 25] = [
    "push", "pop", "len", "insert", "remove", "append", "contains", "map", "filter", "reduce",
    "sort", "reverse", "index_of", "for_each", "some", "all", "find", "dedup", "shift", "truncate",
    "drain", "extract", "clear", "is_empty", "chop",
];
/// Methods of the language's object maps.
const MAP_METHODS: [&str; 9] = [
    "keys",
    "values",
    "len",
    "contains",
    "remove",
    "mixin",
    "fill_with",
    "clear",
    "is_empty",
];
/// Methods of the language's strings.
const STRING_METHODS: [&str; 13] = [
    "len",
    "split",
    "trim",
    "replace",
    "contains",
    "starts_with",
    "ends_with",
    "sub_string",
    "to_upper",
    "to_lower",
    "index_of",
    "parse_int",
    "parse_float",
];

/// A property or method that may follow a point.
pub struct MemberSymbol<'k> {
    /// Name of the property or method.
    pub name: &'k str,
    /// Whether it is a method, which is called.
    pub is_function: bool,
    /// Its documentation; `None` for a method of rhai's own.
    pub doc: Option<&'k Doc>,
}

impl SymbolTable {
    /// Reads the symbols of a session. The catalogue never changes, so that of an earlier table is taken where it is there.
    pub fn of_session(session: &mut Session, earlier: &SymbolTable) -> Self {
        let asked = session.config_request();
        Self {
            catalogue: match earlier.catalogue.docs.is_empty() {
                true => session.catalogue(),
                false => earlier.catalogue.clone(),
            },
            variables: session.variable_infos(),
            functions: session.functions(),
            config: asked.config,
            arguments: asked.arguments,
        }
    }

    /// Returns the variable of this name.
    pub fn variable(&self, name: &str) -> Option<&VariableInfo> {
        self.variables.iter().find(|v| v.name == name)
    }

    /// Returns the documentation of the functions of this name.
    pub fn docs(&self, name: &str) -> impl Iterator<Item = &Doc> {
        let docs = self.catalogue.docs.iter();
        docs.filter(move |doc| doc.receiver_type.is_none() && doc.name == name)
    }

    /// Returns the documentation of a property or a method of a type.
    pub fn member_doc(&self, kind: &str, name: &str) -> Option<&Doc> {
        let docs = &self.catalogue.docs;
        let property = docs
            .iter()
            .find(|d| d.receiver_type == Some(kind) && d.name == name);
        let is_of = |doc: &&Doc| receiver(doc).is_some_and(|r| self.is_receiver(r, kind));
        property
            .or_else(|| docs.iter().filter(|d| d.name == name).find(is_of))
            .or_else(|| {
                self.builtin_method(kind, name).and(
                    docs.iter()
                        .find(|d| d.receiver_type.is_none() && d.name == name),
                )
            })
    }

    fn builtin_method(&self, kind: &str, name: &str) -> Option<()> {
        let methods = self.catalogue.methods.iter();
        methods
            .into_iter()
            .any(|(of, method)| of == kind && *method == name)
            .then_some(())
    }

    /// Whether `word`, as signatures write it before a point, denotes a value of the type.
    fn is_receiver(&self, word: &str, kind: &str) -> bool {
        let docs = self.catalogue.docs.iter();
        let mut properties = docs.filter(|doc| doc.receiver_type.is_some());
        match properties.find(|doc| property_receiver(doc) == Some(word)) {
            Some(doc) => doc.receiver_type == Some(kind),
            None => word.eq_ignore_ascii_case(kind) || (kind == "Array" && word == "x"),
        }
    }

    /// Returns the properties and methods of a value of the type.
    pub fn members(&self, kind: &str) -> Vec<MemberSymbol<'_>> {
        let member = |name, call| MemberSymbol {
            name,
            is_function: call,
            doc: self.member_doc(kind, name),
        };
        let properties = self.catalogue.properties.iter();
        let methods = self.catalogue.methods.iter();
        let builtin: &[&str] = match kind {
            "list" => &LIST_METHODS,
            "map" => &MAP_METHODS,
            "string" => &STRING_METHODS,
            _ => &[],
        };
        let mut all: Vec<MemberSymbol> = properties
            .filter(|(of, _)| of == kind)
            .map(|(_, name)| member(*name, false))
            .chain(
                methods
                    .filter(|(of, name)| of == kind && is_identifier(name))
                    .map(|(_, name)| member(*name, true)),
            )
            .chain(builtin.iter().map(|name| MemberSymbol {
                name,
                is_function: true,
                doc: None,
            }))
            .collect();
        all.sort_by(|a, b| a.name.cmp(b.name));
        all.dedup_by(|a, b| a.name == b.name);
        all
    }
}

pub fn is_identifier(name: &str) -> bool {
    name.starts_with(|c: char| c.is_alphabetic())
}

/// Returns the receiver of a method's signature: `run` of `run.save("runs/mine")`.
pub fn receiver(doc: &Doc) -> Option<&'static str> {
    let (before, rest) = doc.signature.split_once('.')?;
    (doc.receiver_type.is_none()
        && rest.starts_with(doc.name)
        && before.chars().all(|c| c.is_alphanumeric() || c == '_'))
    .then_some(before)
}

fn property_receiver(doc: &Doc) -> Option<&'static str> {
    doc.signature.split_once('.').map(|(before, _)| before)
}

/// Returns the return type of a signature: the word after its first arrow.
pub fn return_type(signature: &str) -> Option<&str> {
    let (_, after) = signature.split_once("-> ")?;
    let word = |c: char| c.is_alphanumeric() || c == '_';
    let end = after.find(|c| !word(c)).unwrap_or(after.len());
    Some(&after[..end]).filter(|kind| !kind.is_empty())
}

/// Returns the symbol table after this code has run.
#[cfg(test)]
pub fn symbol_table(code: &str) -> SymbolTable {
    use crate::script::{Output, SessionOptions};
    let mut session = Session::new(SessionOptions {
        interactive: true,
        quiet: true,
        output: Output::captured().0,
        ..SessionOptions::default()
    })
    .unwrap();
    session.eval(code, None).unwrap();
    SymbolTable::of_session(&mut session, &SymbolTable::default())
}
