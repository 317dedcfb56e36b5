// Learns exclusive or with a plain training loop. Run: npm run build && node examples/xor.mjs
import { layers, manualSeed, mseLoss, optim, tensor } from "../dist/index.js";

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

for (let step = 1; step <= 500; step++) {
  const loss = mseLoss(model.forward(x), y);
  optimizer.zeroGrad();
  loss.backward();
  optimizer.step();
  if (step % 100 === 0) console.log(`step ${step}  loss ${loss.item().toFixed(5)}`);
}
console.log(String(model.forward(x)));
