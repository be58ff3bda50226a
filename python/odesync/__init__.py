"""odesync from Python: run its scripts, discover a model of a table, and read what a run left as NumPy arrays.

    >>> import odesync
    >>> found = odesync.discover("measured.csv")
    >>> print(found.report)
    >>> found.predict([10.0, 10.1])             # states at other times, [time, state variable]
    >>> odesync.run("train.rhai", epochs=200)   # what the script prints
    >>> odesync.load("runs/mine").metrics["mse"]

In a notebook, `%load_ext odesync` brings cells in the script language: `%%odesync`.
"""

from ._program import OdesyncError, evaluate, program, run
from ._runs import Discovery, Run, discover, load

__all__ = ["Discovery", "OdesyncError", "Run", "discover", "evaluate", "load", "program", "run"]


def load_ipython_extension(ipython):
    """`%load_ext odesync`: cells that begin with `%%odesync` are in the script language."""
    from ._magic import OdesyncMagics

    ipython.register_magics(OdesyncMagics(ipython))


def unload_ipython_extension(ipython):
    """`%unload_ext odesync`: ends the session of the cells."""
    from ._magic import OdesyncMagics

    OdesyncMagics.stop_all()
