#!/usr/bin/env python3
"""Problems of public reports about other solvers, with SciPy's answers at tight tolerances: public_reports.json.

usage: make_public_reports.py OUT_FILE          (needs numpy and scipy)

Each entry has the address of the report, the problem as code of the script language (`o` is the map of options of the solve), and the
numbers that it gives, a part of the error that it ends in, or both where some methods can and others cannot. Where a right-hand side jumps in time or at an event, SciPy solves it in
pieces from one jump to the next, as the maintainers advise in the reports.
"""

import json
import sys

import numpy as np
from scipy.integrate import solve_ivp

SCIPY = "https://github.com/scipy/scipy/issues/"
PROBLEMS = []


def add(name, source, code, value=None, error=None, tolerance=1e-5):
    entry = {"name": name, "source": source, "code": code, "tolerance": tolerance}
    if value is not None:
        entry["value"] = np.atleast_1d(value).tolist()
    if error:
        entry["error"] = error
    PROBLEMS.append(entry)


def solve(f, u0, times, method="DOP853", **options):
    """The solution at the times, in pieces between them, as [time][dof]."""
    us = [np.atleast_1d(np.asarray(u0, float))]
    for a, b in zip(times[:-1], times[1:]):
        sol = solve_ivp(lambda t, u: np.atleast_1d(f(t, u)), (a, b), us[-1], method, rtol=1e-12, atol=1e-14, **options)
        assert sol.success, sol.message
        us.append(sol.y[:, -1])
    return np.array(us)


add("a constant of 1e50", SCIPY + "11698", "solve(system(1, |t, u| [1e50 / u[0]]), [1e6], [1.0, 1.5, 2.0], o).u.col(0)[1..] / 1e25",
    # From t = 1 the first steps are below the distance of numbers; from 0, as the report says, SciPy solves it.
    solve(lambda t, u: 1e50 / u, [1e6], [0.0, 0.5, 1.0], "LSODA")[1:, 0] / 1e25, "t = 1, u = [")
add("a derivative of 0", SCIPY + "8438", "solve(system(1, |t, u| [0.0 * u[0]]), [1.0], [0.0, 10.0], o).u[-1]",
    solve(lambda t, u: 0.0 * u, [1.0], [0.0, 10.0])[-1])


def event_times(f, u0, span, event, count):
    sol = solve_ivp(f, span, u0, "DOP853", rtol=1e-12, atol=1e-12, events=event, max_step=(span[1] - span[0]) / 2000)
    assert len(sol.t_events[0]) >= count
    return sol.t_events[0][:count]


def height(t, u):
    return u[0]


def falling(t, u):
    return u[0]


falling.direction = -1
add("an event after the last output", SCIPY + "12100",
    "solve(system(2, |t, u| [u[1], -0.5]), [0.0, 10.0], [0.0, 33.0, 66.0], o + #{ event: |t, u, p| u[0], direction: \"down\", "
    "terminal: true }).events[0].t",
    event_times(lambda t, u: [u[1], -0.5], [0.0, 10.0], (0.0, 66.0), falling, 1))
add("a parachute reaches the ground", SCIPY + "10319",
    "solve(system(2, |t, u| [u[1], -10.0 + 0.01 * u[1] ** 2]), [1000.0, 0.0], linspace(0.0, 40.0, 100), o + #{ event: |t, u, p| u[0], "
    "terminal: true }).events[0].t",
    event_times(lambda t, u: [u[1], -10 + 0.01 * u[1] ** 2], [1000.0, 0.0], (0.0, 40.0), falling, 1))
add("three roots in few steps", SCIPY + "9228",
    "solve(system(1, |t, u| [3.0 * t ** 2 + 12.0 * t - 4.0]), [-120.0], [-8.0, 4.0], o + #{ event: |t, u, p| u[0] }).events[0].t",
    event_times(lambda t, u: [3 * t**2 + 12 * t - 4], [-120.0], (-8.0, 4.0), height, 3))
add("an infinite initial state", SCIPY + "17846", "solve(system(1, |t, u| [-u[0]]), [INF], [0.0, 1.0], o)", error="not finite")
add("a field that ends where the span does", SCIPY + "17341",
    "solve(system(1, |t, u| [2.0 * u[0] * sqrt(1e-4 - t)]), [1.0], [0.0, 1e-4], o).u[-1]",
    solve(lambda t, u: 2 * u * np.sqrt(np.maximum(1e-4 - t, 0)), [1.0], [0.0, 1e-4])[-1])
pendulum = solve(lambda t, u: [-9.81 / 0.1 * np.sin(u[1]), u[0]], [0.0, np.radians(179)], np.linspace(0, 10, 5))
add("a pendulum from 179 degrees", "https://stackoverflow.com/questions/56153628/",
    "solve(system(2, |t, u| [-9.81 / 0.1 * sin(u[1]), u[0]]), [0.0, 179.0 * PI / 180.0], linspace(0.0, 10.0, 5), "
    "o + #{ rtol: 1e-10, atol: 1e-12 }).u.col(1)", pendulum[:, 1], tolerance=1e-4)
add("a blow-up in a long span", "https://scicomp.stackexchange.com/ (odeint: excess work done on this call, sensitive to the initial value)",
    "solve(system(1, |t, u| [-0.5 + 0.1 * u[0] + 0.08 * u[0] ** 2]), [20.0], [0.0, 500.0], o)", error="blows up")
add("a pole just beyond an unstable state", "https://stackoverflow.com/ (odeint: excess work depending on initial values)",
    "solve(system(1, |t, u| [2.0 * u[0] ** 2 - u[0]]), [0.51], [0.0, 10.0], o)", error="t = 3.93")
add("below that unstable state", "the same", "solve(system(1, |t, u| [2.0 * u[0] ** 2 - u[0]]), [0.49], [0.0, 5.0, 10.0], o).u.col(0)",
    solve(lambda t, u: 2 * u**2 - u, [0.49], [0.0, 5.0, 10.0])[:, 0], tolerance=2e-5)
GM = 4 * np.pi**2
r0, v0 = 0.7, -np.sqrt(GM * 1.3 / 0.7)


def orbit(t, u):
    r = np.hypot(u[0], u[1])
    return [u[2], u[3], -GM * u[0] / r**3, -GM * u[1] / r**3]


add("ten revolutions of an orbit", "https://zingale.github.io/computational_astrophysics/ODEs/ODEs-scipy.html",
    f"solve(system(4, |t, u| {{ let r = hypot(u[0], u[1]); [u[2], u[3], -{GM} * u[0] / (r * r * r), -{GM} * u[1] / (r * r * r)] }}), "
    f"[0.0, {r0}, {v0}, 0.0], [0.0, 3.3, 10.0], o + #{{ rtol: 1e-9, atol: 1e-11 }}).u[-1]",
    solve(orbit, [0.0, r0, v0, 0.0], [0.0, 3.3, 10.0])[-1], tolerance=1e-3)
add("a double well for a long time", "https://mathoverflow.net/questions/314940/",
    "solve(system(2, |t, u| [u[1], u[0] - u[0] ** 3]), [0.0, 2.0], [0.0, 50.0], o + #{ rtol: 1e-9, atol: 1e-11 }).u[-1]",
    solve(lambda t, u: [u[1], u[0] - u[0] ** 3], [0.0, 2.0], [0.0, 50.0])[-1], tolerance=1e-3)
kinetics = "solve(system(1, |t, u| {{ let c = where(t > {a} & t < {b}, 1.0, 0.0); [c * (1.0 - u[0]) - u[0]] }}), [0.0], {ts}, o).u.col(0)"
pulse = lambda a, b: lambda t, u: (1.0 if a < t < b else 0.0) * (1 - u) - u
for a in (2.0, 5.0):
    times = [0.0, a, a + 1, 10.0]
    mid = lambda t, u, a=a: (1 - u) - u
    us = [np.zeros(1)]
    us.append(us[-1])
    us.append(solve(mid, us[-1], [a, a + 1])[-1])
    us.append(solve(lambda t, u: -u, us[-1], [a + 1, 10.0])[-1])
    add(f"a pulse of concentration at {a:g}", "https://mail.python.org/archives/list/scipy-user@python.org/ (June 2012, odeint returns zeros)",
        kinetics.format(a=a, b=a + 1, ts=times), np.array(us)[:, 0])
for start in (2.0, 6.0):
    box = lambda t, u, on: -u + 0.8 * on
    lead = solve(lambda t, u: box(t, u, 0), [0.0], [0.0, start - 1])[-1]
    peak = solve(lambda t, u: box(t, u, 1), lead, [start - 1, start + 1])[-1]
    tail = solve(lambda t, u: box(t, u, 0), peak, [start + 1, 10.0])[-1]
    add(f"a pulse whose offset is {start:g}",
        "https://python.tutorialink.com/python-differential-equation-solver-for-time-dependent-coefficients-gives-different-dynamics-for-"
        "different-time-offsets/",
        f"solve(system(1, |t, u| [where(abs(t - {start}) < 1.0, 0.8, 0.0) - u[0]]), [0.0], [0.0, {start + 1}, 10.0], o).u.col(0)",
        [0.0, peak[0], tail[0]])
add("an integral of a pulse over a longer span", "https://github.com/SciML/ODE.jl/issues/139",
    "solve(system(1, |t, u| [where(t >= 1.0 & t < 2.0, 1.0, 0.0)]), [0.0], arange(0.0, 17.05, 0.1), o).u.col(0).max()", 1.0)


def charge(sign):
    return lambda t, u: [4.477e-7 * u[1] * 36.8 * abs(sign), -36.8 * sign / 8280]


u = [np.array([0.0, 0.55])]
for sign, (a, b) in zip((1, -1, 0), ((0.0, 25.0), (25.0, 50.0), (50.0, 150.0))):
    u.append(solve(charge(sign), u[-1], [a, b])[-1])
add("a current that is switched in each period", "https://github.com/SciML/DifferentialEquations.jl/issues/245",
    "solve(system(2, |t, u| { let c = where(t % 150.0 <= 25.0, 36.8, where(t % 150.0 <= 50.0, -36.8, 0.0)); "
    "[4.477e-7 * u[1] * abs(c), -c / 8280.0] }), [0.0, 0.55], [0.0, 149.9], o).u[-1]", u[-1])
add("a forcing at one instant", "https://github.com/patrick-kidger/diffrax/issues/211",
    "solve(system(1, |t, u| [100.0 * where(t == 0.5, 1.0, 0.0) - u[0]]), [1.0], [0.0, 0.5, 3.0], o).u.col(0)",
    # A set of times of measure zero adds nothing.
    solve(lambda t, u: -u, [1.0], [0.0, 0.5, 3.0])[:, 0])
damped = lambda force: lambda t, u: [u[1], force - 4 * np.pi**2 * u[0] - 4 * np.pi * 0.1 * u[1]]
first = solve(damped(0.0), [1.0, 0.0], [0.0, 7.5])[-1]
add("an oscillator that is forced from an instant on", "https://github.com/patrick-kidger/diffrax/issues/58",
    f"solve(system(2, |t, u| [u[1], where(t > 7.5, 10.0, 0.0) - {4 * np.pi**2} * u[0] - {0.4 * np.pi} * u[1]]), [1.0, 0.0], "
    "[0.0, 7.5, 12.0], o).u[-1]", solve(damped(10.0), first, [7.5, 12.0])[-1])
add("an end time that rounding could miss", "https://github.com/patrick-kidger/diffrax/issues/663",
    "solve(system(2, |t, u| [u[1] - u[0], 0.0 * u[0]]), [0.5, 0.25], [0.0, 1e3], o).u[-1]",
    solve(lambda t, u: [u[1] - u[0], 0.0], [0.5, 0.25], [0.0, 1e3], "Radau")[-1])
bounces = []
u, t = np.array([0.0, 0.0]), 0.0
hit = lambda t, u: u[0] + 1.0
hit.terminal, hit.direction = True, -1
while True:
    sol = solve_ivp(lambda t, u: [u[1], -9.8], (t, 1.2), u, "DOP853", rtol=1e-12, atol=1e-14, events=hit)
    if not len(sol.t_events[0]):
        break
    t, u = sol.t_events[0][0], np.array([-1.0, -0.5 * sol.y_events[0][0][1]])
    bounces.append(t)
add("a ball that bounces", "https://github.com/SciML/DifferentialEquations.jl/issues/696",
    "let s = solve(system(2, |t, u| [u[1], -9.8]), [0.0, 0.0], [0.0, 1.2], o + #{ event: |t, u, p| u[0] + 1.0, direction: \"down\", "
    "jump: |t, u, p| [-1.0, -0.5 * u[1]] }); concat([s.events[0].t, s.u[-1]])", [*bounces, *sol.y[:, -1]])
add("a forced parabola short of its tipping", "https://github.com/SciML/OrdinaryDiffEq.jl/issues/2179",
    "solve(system(1, |t, u| [u[0] ** 2 - 2.0 * u[0] + 3.374821173104435 * cos(PI * t)]), [0.0], [0.0, 5.0, 20.0], o).u.col(0)",
    solve(lambda t, u: u**2 - 2 * u + 3.374821173104435 * np.cos(np.pi * t), [0.0], [0.0, 5.0, 20.0])[:, 0], tolerance=1e-4)
unstable = np.zeros((10, 10))
for i, row in enumerate([{1: 1}, {0: -1, 1: -0.15}, {1: 1, 2: 2}, {2: -1, 3: 0.8}, {3: 0.3, 4: 1}, {4: 1, 5: 0.8}, {5: -1, 6: 1},
                         {6: 1, 7: -1}, {7: 3, 8: -1}, {8: 1, 9: -1}]):
    for j, x in row.items():
        unstable[i, j] = x
u0 = [1.0, 0.0, 0.0, 1.0, 0.5, -0.3, 1.0, 0.5, -0.3, -0.1]
linear = f"let a = {unstable.tolist()}; solve(system(10, |t, u| dot(a, u)), {u0}, "
add("a system that grows", "https://github.com/SciML/DifferentialEquations.jl/issues/921", linear + "[0.0, 10.0], o).u[-1]",
    solve(lambda t, u: unstable @ u, u0, [0.0, 10.0])[-1])
add("beyond all numbers", "the same", linear + "[0.0, 10000.0], o)", error="t = ")
add("fixed steps that rounding makes uneven", "https://github.com/rtqichen/torchdiffeq/issues/138",
    "solve(system(1, |t, u| [u[0]]), [0.5], [0.0, 5.9], #{ solver: \"euler\", step_size: 1e-4 }).u[-1] - "
    "0.5 * (1.0 + 1e-4) ** 59000.0", 0.0, tolerance=1e-8)

with open(sys.argv[1], "w") as file:
    json.dump(PROBLEMS, file, indent=1)
    file.write("\n")
print(f"{len(PROBLEMS)} problems")
