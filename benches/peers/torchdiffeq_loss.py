"""Loss and gradient of a black box coupled to data, by torchdiffeq."""

import case as peer
import torch
from torchdiffeq import odeint

torch.set_num_threads(1)
torch.set_default_dtype(torch.float64)
case = peer.read()
t, u0, u = (torch.tensor(case[key]) for key in ("t", "u0", "u"))
coefficients, coupling = torch.tensor(peer.spline(case)), case["coupling"]
net = peer.torch_network(case)


def data(s):
    i = (torch.bucketize(s, t, right=True) - 1).clamp(0, len(t) - 2)
    x, (c3, c2, c1, c0) = s - t[i], coefficients[:, i]
    return c0 + x * (c1 + x * (c2 + x * c3))


def field(s, y):
    return net(y) + coupling * (data(s) - y)


def call():
    net.zero_grad()
    solution = odeint(field, u0, t, method="dopri5", rtol=case["rtol"], atol=case["atol"])
    loss = ((solution - u) ** 2).mean()
    loss.backward()
    return loss.item()


loss = call()
peer.answer(call, loss=loss, gradient=peer.torch_gradient(net))
