"""Parameters of notebooks in the script language for papermill, which finds this module by an entry point of the package.

papermill knows how to write parameters in some languages, and asks nobody for others; it does load the engines of other packages. So
this is registered as an engine, which is papermill's own, and registers the language when it is loaded.
"""

from __future__ import annotations

import math
import re

from papermill.engines import NBClientEngine
from papermill.exceptions import PapermillException
from papermill.models import Parameter
from papermill.translators import Translator, papermill_translators

KERNEL = "odesync-script"
LANGUAGE = "rhai"


class Engine(NBClientEngine):
    """papermill's own engine."""


class RhaiTranslator(Translator):
    """Parameters as variables of the script language: `let epochs = 200;`."""

    NAME = re.compile(r"_*[A-Za-z][A-Za-z0-9_]*")
    # `let name = value; // what it is`
    ASSIGNMENT = re.compile(r"^\s*let\s+(?P<name>\w+)\s*=\s*(?P<value>.*?)\s*;?\s*(?://+\s*(?P<help>.*?)\s*)?$")

    @classmethod
    def translate_none(cls, val):
        return "()"

    @classmethod
    def translate_int(cls, val):
        # Whole numbers have 64 bits there.
        return str(val) if -(2**63) < val < 2**63 else cls.translate_float(float(val))

    @classmethod
    def translate_float(cls, val):
        if math.isfinite(val):
            return repr(val)
        return "0.0 / 0.0" if math.isnan(val) else "1.0 / 0.0" if val > 0 else "-1.0 / 0.0"

    @classmethod
    def translate_str(cls, val):
        escaped = re.sub(r'[\x00-\x1f"\\]', lambda found: f"\\u{ord(found[0]):04x}", str(val))
        return f'"{escaped}"'

    @classmethod
    def translate_dict(cls, val):
        return "#{" + ", ".join(f"{cls.translate_str(key)}: {cls.translate(value)}" for key, value in val.items()) + "}"

    @classmethod
    def translate_list(cls, val):
        return "[" + ", ".join(cls.translate(value) for value in val) + "]"

    @classmethod
    def comment(cls, cmt_str):
        return f"// {cmt_str}".strip()

    @classmethod
    def assign(cls, name, str_val):
        if not cls.NAME.fullmatch(name):
            raise PapermillException(f"{name!r} is no name of a variable in the script language: letters, digits and _, a letter first")
        return f"let {name} = {str_val};"

    @classmethod
    def inspect(cls, parameters_cell):
        lines = (cls.ASSIGNMENT.match(line) for line in parameters_cell["source"].splitlines())
        return [Parameter(line["name"], "None", line["value"], line["help"] or "") for line in lines if line]


for name in (KERNEL, LANGUAGE):
    papermill_translators.register(name, RhaiTranslator)
