// The training: runs in a thread that main.mjs starts.
import { layers, manualSeed, mseLoss, optim, parallel, randn, train } from "../../dist/index.js";

parallel.serve(async ({ input, report, signal }) => {
  manualSeed(1);
  const model = new layers.Sequential(new layers.Linear(2, 64), new layers.ReLU(), new layers.Linear(64, 1));
  // learns the product of two numbers
  const batches = Array.from({ length: 100 }, () => {
    const x = randn([256, 2]);
    return [x, x.prod({ axis: 1, keepdims: true })];
  });
  await train.fit(model, batches, {
    loss: mseLoss,
    optimizer: new optim.Adam(model.parameters(), { lr: 0.005 }),
    epochs: input.epochs,
    signal,
    onProgress: ({ epoch, ended, training }) => ended && report({ epoch, loss: training.loss }),
  });
  return Object.fromEntries(Object.entries(model.stateDict()).map(([name, weight]) => [name, { data: weight.data(), shape: weight.shape }]));
});
