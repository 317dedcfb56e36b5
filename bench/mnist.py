# The training of `tapir train mnist` in PyTorch, as a whole process: python3 mnist.py FOLDER EPOCHS BATCH HIDDEN LR.
import json
import math
import sys
import torch
import torch.nn.functional as F
from mnist_data import read

folder, epochs, batch, hidden, rate = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]), float(sys.argv[5])
torch.manual_seed(0)
x, y = read(folder, "train")
tx, ty = read(folder, "t10k")
model = torch.nn.Sequential(torch.nn.Linear(784, hidden), torch.nn.ReLU(), torch.nn.Linear(hidden, 10))
optimizer = torch.optim.Adam(model.parameters(), lr=rate)
steps = math.ceil(len(x) / batch)
done = 0
for epoch in range(epochs):
    for rows in torch.randperm(len(x)).split(batch):
        for group in optimizer.param_groups:
            group["lr"] = rate * 0.5 * (1 + math.cos(math.pi * done / (epochs * steps)))
        loss = F.cross_entropy(model(x[rows]), y[rows])
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        done += 1
    with torch.no_grad():
        accuracy = (model(tx).argmax(1) == ty).float().mean().item()
print(json.dumps({"testAccuracy": accuracy}))
