#!/usr/bin/env python3
"""Finds modules that use each other across a folder, in every crate; says where, and fails.

A folder of modules is what `NAME.rs` or `NAME/mod.rs` makes with a folder `NAME/`: one thing, seen from outside. In each folder
its files and subfolders are taken as they stand side by side, a subfolder with all that is below it as one. A reference counts
where the two ways part: from `a/b/c.rs` to `a/d/e.rs` it is, in `a`, from `b/` to `d/`. A cycle of files alone, within one
folder, is allowed: they are read together anyway. A cycle with a subfolder in it is not: such a folder cannot be understood,
tested or moved by itself.

What does not count:
- a parent that uses its children, as `pub use` in `mod.rs` or `lib.rs` does;
- a child that uses what an ancestor defines in its own `mod.rs` or `lib.rs`. What the ancestor only hands on by `pub use` counts
  as a reference to where it is defined;
- tests (`#[cfg(test)]`, folders of tests), comments and texts.

    python3 tools/module_cycles.py [CHECKOUT]
"""

import re
import sys
from dataclasses import dataclass, field
from pathlib import Path

# Comments and texts, which say nothing about modules; then words, `::` and single signs.
SKIPPED = "|".join([
    r"//[^\n]*",
    r"/\*.*?\*/",
    r'b?r(?P<hash>#*)".*?"(?P=hash)',
    r'b?"(?:\\.|[^"\\])*"',
    r"b?'(?:\\.[^'\n]*|[^\\'\n])'",
])
TOKEN = re.compile(rf"(?P<skip>{SKIPPED})|(?P<word>(?:r#)?[A-Za-z_]\w*)|(?P<sign>::|\S)", re.DOTALL)
PATH_START = ("crate", "self", "super")


@dataclass
class Module:
    """A module: its place in the crate, and what its text says."""

    path: tuple
    file: Path
    children: set = field(default_factory=set)
    imports: dict = field(default_factory=dict)  # name -> path as written
    globs: list = field(default_factory=list)
    macros: set = field(default_factory=set)
    references: list = field(default_factory=list)  # (path as written, line)


def tokens(text):
    """(token, line) of a Rust source."""
    found, line, at = [], 1, 0
    for match in TOKEN.finditer(text):
        line += text.count("\n", at, match.start())
        at = match.start()
        if match["skip"] is None:
            found.append((match[0].removeprefix("r#"), line))
    return found


def group_end(found, start):
    """The index after the bracket that closes the one at `start`."""
    depth = 0
    for i in range(start, len(found)):
        depth += found[i][0] in "([{"
        depth -= found[i][0] in ")]}"
        if depth == 0:
            return i + 1
    return len(found)


def item_end(found, start):
    """The index after the item at `start`: after its `;` or its braces."""
    i = start
    while i < len(found) and found[i][0] not in (";", "{"):
        i = group_end(found, i) if found[i][0] in ("(", "[") else i + 1
    return group_end(found, i) if i < len(found) and found[i][0] == "{" else i + 1


def use_tree(found, i, prefix):
    """Paths of the `use` tree at `i`, each with the name it gets, and the index after it."""
    path, paths = list(prefix), []
    while True:
        token = found[i][0]
        if token == "{":
            i += 1
            while found[i][0] != "}":
                some, i = use_tree(found, i, path)
                paths += some
                i += found[i][0] == ","
            return paths, i + 1
        if token == "*":
            return [(tuple(path), "*")], i + 1
        if token != "::":
            # `self` in braces is the path so far.
            path += [] if token == "self" and path else [token]
        i += 1
        if found[i][0] == "as":
            return [(tuple(path), found[i + 1][0])], i + 2
        if found[i][0] in (",", "}", ";"):
            return [(tuple(path), path[-1])], i


def read(modules, path, file, found, folder):
    """Reads the text of a module, and of those below it that are no tests. `folder` is where its files lie."""
    module = modules[path] = Module(path, file)
    i, test = 0, False
    while i < len(found):
        token, line = found[i]
        if token == "#" and i + 1 < len(found) and found[i + 1][0] in "![":
            start = i + 1 + (found[i + 1][0] == "!")
            end = group_end(found, start)
            words = [t for t, _ in found[start:end]]
            test |= words == ["[", "cfg", "(", "test", ")", "]"]
            i = end
        elif test:
            i, test = item_end(found, i), False
        elif token == "mod" and found[i + 2][0] == ";":
            name = found[i + 1][0]
            module.children.add(name)
            child = folder / f"{name}.rs"
            child = child if child.exists() else folder / name / "mod.rs"
            read(modules, (*path, name), child, tokens(child.read_text(encoding="utf-8")), folder / name)
            i += 3
        elif token == "mod" and found[i + 2][0] == "{":
            name, end = found[i + 1][0], group_end(found, i + 2)
            module.children.add(name)
            read(modules, (*path, name), file, found[i + 3 : end - 1], folder / name)
            i = end
        elif token == "macro_rules" and found[i + 1][0] == "!":
            module.macros.add(found[i + 2][0])
            i += 3
        elif token == "use" and found[i + 1][0] != "<":
            i += 1 + (found[i + 1][0] == "::")
            paths, i = use_tree(found, i, ())
            for target, name in paths:
                module.references.append((target, line))
                if name == "*":
                    module.globs.append(target)
                elif target != (name,) or name not in module.macros:
                    module.imports[name] = target
        elif (token[0].isalpha() or token[0] == "_") and i + 1 < len(found) and found[i + 1][0] == "::":
            words, j = [token], i + 1
            while j + 1 < len(found) and found[j][0] == "::" and found[j + 1][0].isidentifier():
                words.append(found[j + 1][0])
                j += 2
            if i == 0 or found[i - 1][0] != "::":
                module.references.append((tuple(words), line))
            i = max(j, i + 1)
        else:
            i += 1


def resolve(modules, at, written, seen=()):
    """The module in which what `written` names in module `at` is defined; none where it is in another crate."""
    if (at, written) in seen:
        return None
    seen = (*seen, (at, written))
    here, rest = at, list(written)
    if rest[0] in PATH_START:
        while rest and rest[0] in PATH_START:
            word = rest.pop(0)
            here = () if word == "crate" else here[:-1] if word == "super" else here
    elif not names(modules, here, rest[0], seen):
        return None
    while rest:
        name = rest.pop(0)
        if name in modules[here].children:
            here = (*here, name)
            continue
        if name in modules[here].imports:
            target = modules[here].imports[name]
            # `use ndarray;` is another crate.
            return None if target[0] == name else resolve(modules, here, (*target, *rest), seen)
        for glob in modules[here].globs:
            target = resolve(modules, here, glob, seen)
            if target not in (None, here) and names(modules, target, name, seen):
                return resolve(modules, target, ("self", name, *rest), seen)
        break
    return here


def names(modules, at, name, seen):
    """Whether `name` is a module or an import of the module `at`."""
    if name in modules[at].children or name in modules[at].imports:
        return True
    targets = (resolve(modules, at, glob, seen) for glob in modules[at].globs)
    return any(t not in (None, at) and name in modules[t].children | modules[t].imports.keys() for t in targets)


def edges(modules):
    """For each folder, (from, to) among its children, with the places that say so."""
    found = {}
    for module in modules.values():
        for written, line in module.references:
            target = resolve(modules, module.path, written)
            if target is None:
                continue
            common = 0
            while common < min(len(target), len(module.path)) and target[common] == module.path[common]:
                common += 1
            if common in (len(target), len(module.path)):
                continue
            pair = (module.path[common], target[common])
            place = f"{module.file}:{line}: {'::'.join(written)}"
            found.setdefault(module.path[:common], {}).setdefault(pair, []).append(place)
    return found


def circles(pairs):
    """Sets of more than one that all reach each other."""
    after = {}
    for a, b in pairs:
        after.setdefault(a, set()).add(b)

    def reached(start):
        seen, todo = set(), [start]
        while todo:
            for b in after.get(todo.pop(), ()):
                if b not in seen:
                    seen.add(b)
                    todo.append(b)
        return seen

    reach = {a: reached(a) for a in after}
    sets = {frozenset(b for b in reach[a] if a in reach.get(b, ())) for a in after}
    return sorted(sorted(s) for s in sets if len(s) > 1)


def report(roots):
    """Lines about the cycles of a crate whose root files are `roots`."""
    lines = []
    for root in roots:
        modules = {}
        read(modules, (), root, tokens(root.read_text(encoding="utf-8")), root.parent)
        for folder, pairs in sorted(edges(modules).items()):
            for circle in circles(pairs):
                folders = [name for name in circle if modules[(*folder, name)].children]
                if not folders:
                    continue
                shown = [f"{name}/" if name in folders else name for name in circle]
                lines.append(f"{root.parent.joinpath(*folder)}: {', '.join(shown)} use each other:")
                for (a, b), places in sorted(pairs.items()):
                    if a in circle and b in circle:
                        lines.append(f"  {a} -> {b}  ({places[0]})")
    return lines


def main():
    """Every crate of a checkout."""
    top = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent.parent)
    sources = [top / "src", *sorted(top.glob("crates/*/src"))]
    lines = []
    for source in sources:
        lines += report([source / name for name in ("lib.rs", "main.rs") if (source / name).exists()])
    print("\n".join(lines) or "no cycle of modules crosses a folder")
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main())
