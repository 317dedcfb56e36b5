// Trains in another thread while this one stays free; Ctrl-C stops the training. Run: npm run build && node examples/remote/main.mjs
import { AbortError, layers, parallel, tensor } from "../../dist/index.js";

const heartbeat = setInterval(() => console.log("heartbeat"), 100);
const controller = new AbortController();
process.once("SIGINT", () => controller.abort());

const weights = await parallel
  .remote(new URL("worker.mjs", import.meta.url), {
    input: { epochs: 10 },
    signal: controller.signal,
    onProgress: ({ epoch, loss }) => console.log(`epoch ${epoch}  loss ${loss.toFixed(5)}`),
  })
  .catch((error) => {
    if (!(error instanceof AbortError)) throw error;
    console.log(error.message);
    process.exit(130); // as a shell says of an interrupt
  })
  .finally(() => clearInterval(heartbeat));

const model = new layers.Sequential(new layers.Linear(2, 64), new layers.ReLU(), new layers.Linear(64, 1));
model.loadStateDict(Object.fromEntries(Object.entries(weights).map(([name, { data, shape }]) => [name, tensor(data).reshape(shape)])));
console.log(
  `0.5 * -1.2 = ${model
    .forward(tensor([[0.5, -1.2]]))
    .item()
    .toFixed(3)}`,
);
