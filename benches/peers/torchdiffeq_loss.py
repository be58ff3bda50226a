"""Loss and gradient of a black box coupled to data, by torchdiffeq on one thread: usage torchdiffeq_loss.py INPUT.json.

Prints the loss, the gradient's norm and the median seconds of a call as JSON. Called by the benchmark loss_and_gradient.
"""

import json
import statistics
import sys
import time

import torch
from torchdiffeq import odeint

torch.set_num_threads(1)
torch.set_default_dtype(torch.float64)
with open(sys.argv[1]) as file:
    case = json.load(file)
t, u0 = torch.tensor(case["t"]), torch.tensor(case["u0"])
dof, hidden, coupling = len(u0), case["hidden"], case["coupling"]
u = torch.tensor(case["u"]).reshape(len(t), dof)
net = torch.nn.Sequential(torch.nn.Linear(dof, hidden), torch.nn.GELU(), torch.nn.Linear(hidden, dof))
torch.nn.utils.vector_to_parameters(torch.tensor(case["params"]), net.parameters())

# Natural cubic spline through the data, as power coefficients of each interval.
n, h = len(t), torch.diff(t)
system, right = torch.eye(n), torch.zeros(n, dof)
for i in range(1, n - 1):
    system[i, i - 1 : i + 2] = torch.stack((h[i - 1], 2 * (h[i - 1] + h[i]), h[i]))
    right[i] = 6 * ((u[i + 1] - u[i]) / h[i] - (u[i] - u[i - 1]) / h[i - 1])
m = torch.linalg.solve(system, right)
c1 = torch.diff(u, dim=0) / h[:, None] - h[:, None] * (2 * m[:-1] + m[1:]) / 6
c2, c3 = m[:-1] / 2, torch.diff(m, dim=0) / (6 * h[:, None])


def spline(s):
    i = (torch.bucketize(s, t, right=True) - 1).clamp(0, n - 2)
    x = s - t[i]
    return u[i] + x * (c1[i] + x * (c2[i] + x * c3[i]))


def call():
    net.zero_grad()
    solution = odeint(
        lambda s, y: net(y) + coupling * (spline(s) - y), u0, t, method="dopri5", rtol=1e-7, atol=1e-9
    )
    loss = ((solution - u) ** 2).mean()
    loss.backward()
    return loss.item()


loss = call()
norm = torch.cat([p.grad.reshape(-1) for p in net.parameters()]).norm().item()
times = []
for _ in range(5):
    start = time.perf_counter()
    call()
    times.append(time.perf_counter() - start)
print(json.dumps({"loss": loss, "norm": norm, "seconds": statistics.median(times)}))
