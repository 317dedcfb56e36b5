// A training that may be killed at any moment and goes on from its checkpoints; prints a digest of the weights at its end.
//   resume.mjs FOLDER
import { createHash } from "node:crypto";
import { data, dropout, layers, manualSeed, optim, randn, tensor, train } from "../../dist/index.js";

manualSeed(5);
const x = randn([240, 12]);
const y = tensor(
  Array.from({ length: 240 }, (_, i) => (i * i + 3 * i) % 4),
  { dtype: "int32" },
);

class Network extends layers.Module {
  first = new layers.Linear(12, 32);
  last = new layers.Linear(32, 4);
  forward(x) {
    return this.last.forward(dropout(this.first.forward(x).relu(), { p: 0.3, training: this.training }));
  }
}
const model = new Network();
const optimizer = new optim.Adam(model.parameters(), { lr: 0.01 });
let halvings = 0;
// halves the rate every second epoch
const schedule = {
  step() {
    if (++halvings % 2 === 0) optimizer.paramGroups[0].lr /= 2;
  },
  stateDict: () => ({ halvings }),
  loadStateDict(state) {
    halvings = state.halvings;
  },
};
const average = new optim.ExponentialMovingAverage(model.parameters(), { decay: 0.9 });
const history = await train.fit(model, new data.DataLoader(new data.TensorDataset(x, y), { batchSize: 7, shuffle: true, seed: 3 }), {
  loss: train.zeroOneObjective(),
  optimizer,
  schedule,
  epochs: 12,
  seed: 8,
  accumulate: 2,
  clip: 1,
  average,
  validation: new data.DataLoader(new data.TensorDataset(x, y), { batchSize: 60 }),
  earlyStopping: { monitor: "zeroOne", patience: 12 },
  spikeGuard: { action: "rollback", snapshotEvery: 10 },
  checkpoint: { folder: process.argv[2], everySteps: 5, keepLast: 2, keepBest: "zeroOne", resume: true },
});
const hash = createHash("sha256");
for (const t of [...Object.values(model.stateDict()), ...average.stateDict().averages]) hash.update(t.data());
hash.update(new Float64Array(history.losses)).update(new Float64Array(history.gradientNorms));
hash.update(JSON.stringify(history.epochs.map(({ training, validation }) => [training, validation])));
console.log(hash.digest("hex"));
