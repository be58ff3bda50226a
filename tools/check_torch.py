#!/usr/bin/env python3
"""Takes a trained gray box to PyTorch, trains it there some more, and brings it back: the same derivatives at both ends.

    tools/check_torch.py [PROGRAM]         # PROGRAM: odesync, target/release/odesync where none is given

Needs torch, torchdiffeq and safetensors, in the virtual environment of tools/check_exports.py --install.
"""

import importlib.util
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from environment import ROOT, enter

PACKAGES = ["numpy", "torch", "torchdiffeq", "safetensors"]
GRAY = """
let gray = graybox([2, 8, 2], "tanh", |t, u, nn, p| [p.a * u[0] + nn[0], -p.b * u[1] + nn[1]], #{ a: 1.3, b: 1.8 });
"""
AWAY = """
let data = dataset(lotka_volterra(), [1.0, 1.0], arange(0.0, 3.0, 0.1));
seed(10);
%s
let run = train(gray, data, vanilla(), #{ epochs: 60, progress: false });
data.write_csv("data.csv");
export_model(run, "gray.py", #{ target: "torch" });
export_model(run, "network.safetensors");
run.save("run");
print(states.map(|u| run.model.derivative(0.3, u).to_list()));
"""
BACK = """
%s
gray.params = from_torch("trained.safetensors", #{ activation: "tanh" }).params;
print(states.map(|u| gray.derivative(0.3, u).to_list()));
"""


def main():
    enter("exports", PACKAGES)
    import numpy
    import torch
    from safetensors.torch import load_file, save_file

    program = Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "target" / "release" / "odesync").resolve()
    states = numpy.random.default_rng(1).normal(1.0, 1.0, (50, 2))
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)

        def odesync(script):
            code = f"let states = {states.tolist()};\n{script % GRAY}"
            done = subprocess.run([program, "--quiet", "eval", code], cwd=work, capture_output=True, text=True)
            assert done.returncode == 0, done.stdout + done.stderr
            return numpy.array(json.loads(done.stdout))

        def check(what, found, expected):
            error = (numpy.abs(found - expected) / numpy.maximum(numpy.abs(expected), 1.0)).max()
            assert error <= 1e-12, f"{what}: error {error}"
            print(f"{what}: error {error:.1e} at {len(states)} states")

        expected = odesync(AWAY)
        spec = importlib.util.spec_from_file_location("gray", work / "gray.py")
        gray = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(gray)
        field = gray.Field()
        u, t = torch.tensor(states), torch.tensor(0.3, dtype=torch.float64)
        check("to PyTorch, the gray box", field(t, u).detach().numpy(), expected)
        # The network alone, as its state_dict.
        network = torch.nn.Sequential(torch.nn.Linear(2, 8), torch.nn.Tanh(), torch.nn.Linear(8, 2)).double()
        weights = load_file(work / "network.safetensors")
        names = {"layers.0": "0", "layers.1": "2"}
        network.load_state_dict({f"{names[key.rpartition('.')[0]]}.{key.rpartition('.')[2]}": x for key, x in weights.items()})
        known = torch.tensor([1.3, -1.8], dtype=torch.float64) * u
        check("to PyTorch, its network with the known terms", (known + network(u)).detach().numpy(), expected)

        table = numpy.genfromtxt(work / "data.csv", delimiter=",", skip_header=1)
        times, data = torch.tensor(table[:, 0]), torch.tensor(table[:, 1:3])
        optimizer = torch.optim.Adam(field.parameters(), lr=0.01)
        losses = []
        for _ in range(10):
            optimizer.zero_grad()
            loss = ((gray.solve(data[0], times, field=field) - data) ** 2).mean()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        assert losses[-1] < losses[0], losses
        print(f"trained in PyTorch: loss {losses[0]:.2e} to {losses[-1]:.2e}")
        trained = {}
        for key, value in field.named_parameters():
            layer, kind = key.removeprefix("p_layer").split("_")
            trained[f"layers.{layer}.{kind}"] = value.detach().clone()
        save_file(trained, work / "trained.safetensors")
        check("back from PyTorch", odesync(BACK), field(t, u).detach().numpy())


if __name__ == "__main__":
    main()
