# PyTorch's side of gemm, mlp and optim, eager, on one thread. The protocol is that of serve.mjs.
import json
import sys
import time
import numpy as np
import torch
import torch.nn.functional as F

torch.set_num_threads(1)


def wave(shape, phase, scale):
    i = np.arange(np.prod(shape), dtype=np.float64)
    return torch.from_numpy((scale * np.sin(phase + 0.7 * i + 0.001 * i * (i % 1000))).astype(np.float32)).reshape(shape)


def gemm(name):
    letters, size = name.split(" ")
    n = int(size)
    a, b = wave([n, n], 1, 1), wave([n, n], 2, 1)
    a = a.t() if letters[0] == "t" else a
    b = b.t() if letters[1] == "t" else b
    return lambda: a @ b, lambda: {}


def mlp(name):
    layers, batch = name.split(" ")
    inputs, hidden, outputs = map(int, layers.split("-"))
    batch = int(batch)
    model = torch.nn.Sequential(torch.nn.Linear(inputs, hidden), torch.nn.ReLU(), torch.nn.Linear(hidden, outputs))
    state = {"0.weight": wave([hidden, inputs], 1, inputs**-0.5), "0.bias": wave([hidden], 2, 0.1)}
    state |= {"2.weight": wave([outputs, hidden], 3, hidden**-0.5), "2.bias": wave([outputs], 4, 0.1)}
    model.load_state_dict(state)
    x = wave([batch, inputs], 5, 1)
    y = torch.tensor([(3 * i * i + i) % outputs for i in range(batch)])
    optimizer = torch.optim.Adam(model.parameters())
    last = [None]

    def step():
        loss = F.cross_entropy(model(x), y)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        last[0] = loss.item()

    return step, lambda: {"loss": last[0]}


def optim(name):
    n = 1_000_000
    p = torch.nn.Parameter(wave([n], 1, 1))
    p.grad = wave([n], 2, 0.1)
    optimizer = torch.optim.Adam([p], foreach=True) if name.endswith("foreach") else torch.optim.Adam([p])
    return optimizer.step, lambda: {}


def case(name):
    if name.startswith("optim "):
        return optim(name)
    return mlp(name) if "-" in name else gemm(name)


cases = {}
for line in sys.stdin:
    request = json.loads(line)
    name = request["case"]
    if request.get("fresh") or name not in cases:
        cases[name] = case(name)
    step, finish = cases[name]
    count, elapsed, started = 0, 0.0, time.perf_counter()
    while elapsed * 1000 < request["ms"]:
        step()
        count += 1
        elapsed = time.perf_counter() - started
        if request.get("steps") and count >= request["steps"]:
            break
    print(json.dumps({"us": 1e6 * elapsed / count, **finish()}), flush=True)
