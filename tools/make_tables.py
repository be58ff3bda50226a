#!/usr/bin/env python3
"""Makes the tables of `crates/train/tests/data/tables` with the programs that people have: the same data as text, Excel workbooks,
Parquet, MATLAB and HDF5 files. Wanted: pandas, openpyxl, pyarrow, scipy, h5py.

    python3 tools/make_tables.py
"""

from pathlib import Path

import h5py
import numpy as np
import openpyxl
import pandas as pd
import scipy.io

OUT = Path(__file__).resolve().parent.parent / "crates" / "train" / "tests" / "data" / "tables"


def plain() -> pd.DataFrame:
    """Times in sevenths, values of every size, and what is missing."""
    n = 12
    t = np.arange(n) / 7
    x = np.exp(-t) * 1e-3
    x[4] = np.nan
    return pd.DataFrame({"t": t, "x": x, "v": np.cos(3 * t) * 1e6, "k": np.arange(n) ** 2 - 5})


def dated() -> pd.DataFrame:
    """Dates to the quarter of a second, a column of words and one of samples."""
    t = pd.Timestamp("2024-02-28 22:00:00.250") + pd.to_timedelta(np.arange(10) * 1.5, unit="h")
    return pd.DataFrame({"time": t, "x": np.sqrt(np.arange(10.0)), "word": list("abcdefghij")})


def long() -> pd.DataFrame:
    """Two samples, a row for each value."""
    rows = [
        (sample, 0.5 * i, name, sign * (i + 0.25) + 10 * len(sample))
        for sample in ("first", "second2")
        for i in range(5)
        for name, sign in (("x", 1), ("y", -1))
    ]
    return pd.DataFrame(rows, columns=["sample", "t", "variable", "value"])


def workbook(frames: dict[str, pd.DataFrame]) -> None:
    """A workbook with a sheet for each table, and one by hand: a title, units, a gap and an error."""
    with pd.ExcelWriter(OUT / "tables.xlsx", engine="openpyxl") as writer:
        for name, frame in frames.items():
            frame.to_excel(writer, sheet_name=name, index=False)
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "By hand & more"
    rows = [
        ["Measured on a Monday", None, None],
        [],
        [None, "t", "x < y", "z"],
        [None, "s", "mm", ""],
        [None, 0, 1.5, "1,25"],
        [None, 0.5, None, "2,5"],
        [None, 1, -3e-7, "#N/A"],
        [None, 1.5, 4, "3,75"],
    ]
    for row in rows:
        sheet.append(row)
    book.create_sheet("Empty")
    book.save(OUT / "by_hand.xlsx")


def arrays(frame: pd.DataFrame) -> None:
    """The columns by name, a matrix of two of them, and what is no column."""
    t, x, v, k = (frame[name].to_numpy() for name in "txvk")
    u = np.column_stack([x, v])
    apart = {"t": t, "u": u, "k": k.astype(np.int16), "dt": 1 / 7, "title": "a title"}
    for name, packed in (("v5.mat", False), ("v7.mat", True)):
        scipy.io.savemat(OUT / name, apart, do_compression=packed, oned_as="column")
    scipy.io.savemat(OUT / "struct.mat", {"run": {"t": t, "x": x, "v": v, "k": k}}, oned_as="row")
    scipy.io.savemat(OUT / "matrix.mat", {"data": np.column_stack([t, x, v, k])})
    with h5py.File(OUT / "arrays.h5", "w") as file:
        for name in ("t", "u"):
            file[name] = apart[name]
        file.create_dataset("k", data=k.astype("i2"), chunks=(5,), compression="gzip", shuffle=True)
        file["t"].attrs["units"] = "s"
        file["dt"] = 1 / 7
        file["image"] = np.zeros((3, 4, 5))
    with h5py.File(OUT / "groups.h5", "w") as file:
        for group, sign in (("a", 1), ("b/inner", -1)):
            file[f"{group}/t"], file[f"{group}/x"] = t, sign * v
        file["a/label"] = [f"row {i}" for i in range(len(t))]
    # As MATLAB writes version 7.3: a block of text before, and the dimensions in reverse order.
    with h5py.File(OUT / "v73.mat", "w", userblock_size=512) as file:
        for name in ("t", "u", "k"):
            file.create_dataset(name, data=np.atleast_2d(np.asarray(apart[name], float).T))
            file[name].attrs["MATLAB_class"] = np.bytes_("double")
        file["title"] = np.frombuffer("a title".encode("utf-16-le"), np.uint16)[:, None]
        file["title"].attrs["MATLAB_class"] = np.bytes_("char")
    block = b"MATLAB 7.3 MAT-file, Platform: GLNXA64, Created on: Mon Jan  1 00:00:00 2024".ljust(124) + b"\x00\x02IM"
    with open(OUT / "v73.mat", "r+b") as file:
        file.write(block.ljust(512, b"\0"))


def main() -> None:
    """Makes them all."""
    OUT.mkdir(parents=True, exist_ok=True)
    frames = {"plain": plain(), "dated": dated(), "long": long()}
    for name, frame in frames.items():
        frame.to_csv(OUT / f"{name}.csv", index=False)
        frame.to_parquet(OUT / f"{name}.parquet", index=False)
    zoned = frames["dated"].assign(time=frames["dated"]["time"].dt.tz_localize("Europe/Berlin"))
    zoned.set_index("time").to_parquet(OUT / "zoned.parquet", compression="gzip")
    frames["plain"].to_parquet(OUT / "zstd.parquet", compression="zstd")
    workbook(frames)
    arrays(frames["plain"])


if __name__ == "__main__":
    main()
