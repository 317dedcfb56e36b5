// From a constant to a trained network: the first of these that fails says where to look.
import { test } from "uvu";
import * as assert from "uvu/assert";
import { add, crossEntropy, data, grad, layers, manualSeed, matmul, mseLoss, mul, optim, sum, type Tensor, tensor, train } from "../ts-src/index.js";

test("a constant keeps its values", () => {
  assert.equal(
    tensor([
      [1, 2.5],
      [-3, 0],
    ]).toArray(),
    [
      [1, 2.5],
      [-3, 0],
    ],
  );
});

test("add broadcasts", () => {
  assert.equal(
    add(
      tensor([
        [1, 2],
        [3, 4],
      ]),
      tensor([10, 20]),
    ).toArray(),
    [
      [11, 22],
      [13, 24],
    ],
  );
});

test("matmul multiplies matrices", () => {
  assert.equal(
    matmul(
      tensor([
        [1, 2],
        [3, 4],
      ]),
      tensor([
        [5, 6],
        [7, 8],
      ]),
    ).toArray(),
    [
      [19, 22],
      [43, 50],
    ],
  );
});

test("grad differentiates, and again", () => {
  const cube = (x: Tensor): Tensor => sum(mul(x, mul(x, x)));
  assert.equal(grad(cube)(tensor([1, 2, -3])).toArray(), [3, 12, 27]);
  assert.is(grad(grad(cube))(tensor(2)).item(), 12);
});

test("backward adds to the gradients of leaves", () => {
  const w = tensor([2, 3], { requiresGrad: true });
  w.mul(w).sum().backward();
  w.mul(5).sum().backward();
  assert.equal(w.grad?.toArray(), [9, 11]);
});

test("a small network learns XOR", () => {
  manualSeed(1);
  const x = tensor([
    [0, 0],
    [0, 1],
    [1, 0],
    [1, 1],
  ]);
  const y = tensor([[0], [1], [1], [0]]);
  const model = new layers.Sequential(new layers.Linear(2, 16), new layers.ReLU(), new layers.Linear(16, 1));
  const optimizer = new optim.Adam(model.parameters(), { lr: 0.02 });
  for (let step = 0; step < 500; step++) {
    const loss = mseLoss(model.forward(x), y);
    optimizer.zeroGrad();
    loss.backward();
    optimizer.step();
  }
  assert.equal([...model.forward(x).data()].map(Math.round), [0, 1, 1, 0]);
});

test("a small run on MNIST reaches 85 %", async () => {
  const { train: images, test: held } = await data.mnist();
  manualSeed(0);
  const some = new data.ImageDataset(images.images, images.labels, 0.1307, 0.3081);
  const first = (n: number, from: data.ImageDataset): data.Dataset => ({ length: n, take: (index) => from.take(index) });
  const model = new layers.Sequential(new layers.Linear(784, 32), new layers.ReLU(), new layers.Linear(32, 10));
  const history = await train.fit(model, new data.DataLoader(first(2000, some), { batchSize: 32, shuffle: true }), {
    loss: crossEntropy,
    optimizer: new optim.Adam(model.parameters(), { lr: 2e-3 }),
    epochs: 5,
    metrics: { accuracy: train.accuracy },
    validation: new data.DataLoader(first(1000, held), { batchSize: 200 }),
  });
  assert.ok((history.epochs[4].validation?.accuracy ?? 0) > 0.85, `accuracy ${history.epochs[4].validation?.accuracy}`);
});

test.run();
