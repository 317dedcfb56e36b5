# The training of `examples/mnist --model lenet` in PyTorch, as a whole process: python3 lenet_torch.py FOLDER EPOCHS.
import json
import math
import sys
import torch
import torch.nn.functional as F
from torch.nn import Conv2d, Flatten, Linear, MaxPool2d, ReLU, Sequential, Unflatten
from mnist_data import read

folder, epochs = sys.argv[1], int(sys.argv[2])
batch, rate = 32, 0.004
torch.manual_seed(0)

x, y = read(folder, "train")
tx, ty = read(folder, "t10k")
model = Sequential(
    Unflatten(1, (1, 28, 28)),
    Conv2d(1, 6, 5, padding=2), ReLU(), MaxPool2d(2),
    Conv2d(6, 16, 5), ReLU(), MaxPool2d(2),
    Flatten(), Linear(400, 120), ReLU(), Linear(120, 84), ReLU(), Linear(84, 10),
)
optimizer = torch.optim.Adam(model.parameters())
schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, rate, epochs=epochs, steps_per_epoch=math.ceil(len(x) / batch))
for epoch in range(epochs):
    model.train()
    for rows in torch.randperm(len(x)).split(batch):
        loss = F.cross_entropy(model(x[rows]), y[rows])
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        schedule.step()
    model.eval()
    with torch.no_grad():
        outputs = torch.cat([model(rows) for rows in tx.split(500)])
        accuracy = (outputs.argmax(1) == ty).float().mean().item()
print(json.dumps({"testAccuracy": accuracy, "testLoss": F.cross_entropy(outputs, ty).item()}))
