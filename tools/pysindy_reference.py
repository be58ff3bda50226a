#!/usr/bin/env python3
"""Prints PySINDy's coefficients for data, the figures with which the tests of equations compare.

    tools/pysindy_reference.py DATA.csv

DATA has a column of times and one for each state variable, as write_csv writes it. Needs `pip install pysindy==2.1.0` in a virtual
environment. The library is that of degree 2, the derivatives are smoothed finite differences, and the threshold of the sequentially
thresholded least squares, on which the answer depends, runs over a range.
"""

import sys

import numpy
import pysindy

if len(sys.argv) != 2 or sys.argv[1].startswith("-"):
    sys.exit(__doc__)
data = numpy.loadtxt(sys.argv[1], delimiter=",", skiprows=1)
t, u = data[:, 0], data[:, 1:]
for threshold in [0.02, 0.05, 0.1, 0.2, 0.4, 0.8]:
    model = pysindy.SINDy(
        optimizer=pysindy.STLSQ(threshold=threshold),
        feature_library=pysindy.PolynomialLibrary(degree=2),
        differentiation_method=pysindy.SmoothedFiniteDifference(),
    )
    model.fit(u, t=t)
    coefficients = model.coefficients()
    print(f"threshold {threshold}: {(coefficients != 0).sum()} terms")
    for row in coefficients:
        terms = zip(row, model.get_feature_names())
        print("   ", " ".join(f"{c:+.4f} {name}" for c, name in terms if c != 0))
