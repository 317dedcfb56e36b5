// A training that is killed goes on from its checkpoints as if it had never been stopped.
import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { ConfigError, FormatError, formats, layers, memory, mseLoss, optim, type Tensor, tensor, train } from "../../ts-src/index.js";
import { assertRejects } from "../assert-close.js";
import { fresh, killed } from "./kills.js";

const SEED = 31;
console.log(`seed ${SEED}`);
/** 50 by npm run soak -- resume. */
const KILLS = 6;

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

test(`killed at ${KILLS} random moments, a training ends with the bits of one that was never stopped`, async () => {
  assert.is(await killed(KILLS, SEED), KILLS);
});

function setUp(): { model: layers.Module; data: [Tensor, Tensor][]; options: train.FitOptions } {
  const model = new layers.Linear(2, 1);
  const x = tensor([
    [1, 2],
    [3, 5],
  ]);
  return { model, data: [[x, tensor([[1], [2]])]], options: { loss: mseLoss, optimizer: new optim.SGD(model.parameters(), { lr: 0.01, momentum: 0.5 }) } };
}

test("the last few checkpoints and the best weights are kept", async () => {
  const folder = fresh();
  const { model, data, options } = setUp();
  await train.fit(model, data, { ...options, epochs: 6, checkpoint: { folder, every: 2, keepLast: 2, keepBest: "loss" } });
  assert.equal(readdirSync(folder), ["best.safetensors", "epoch-0004-step-000000.safetensors", "epoch-0006-step-000000.safetensors"]);
  const best = await formats.loadSafetensors(join(folder, "best.safetensors"));
  assert.equal(Object.keys(best), Object.keys(model.stateDict()));
  // a checkpoint is a file of tensors that anything can read
  const tree = (await formats.loadCheckpoint(join(folder, "epoch-0006-step-000000.safetensors"))) as unknown as { model: Record<string, Tensor> };
  assert.equal([...tree.model.weight.data()], [...model.stateDict().weight.data()]);
  const tensors = await formats.loadSafetensors(join(folder, "epoch-0006-step-000000.safetensors"));
  assert.ok("model.weight" in tensors && "optimizer.state.0.momentum_buffer" in tensors);
});

test("what does not fit is refused, and nothing is changed", async () => {
  const folder = fresh();
  const { model, data, options } = setUp();
  await train.fit(model, data, { ...options, epochs: 1, checkpoint: folder });
  const resume = { folder, resume: true };
  const other = setUp();
  const weights = (): number[] => [...other.model.stateDict().weight.data()];
  const before = weights();
  await assertRejects(
    train.fit(other.model, data, { ...other.options, checkpoint: resume, accumulate: 2 }),
    ConfigError,
    /a training with accumulated, as this one; got one without/,
  );
  const wide = new layers.Linear(3, 1);
  await assertRejects(
    train.fit(wide, data, { ...options, optimizer: new optim.SGD(wide.parameters()), checkpoint: resume }),
    Error,
    /expected weight of shape \[1,3\]; got \[1,2\]/,
  );
  const adam = new optim.Adam(other.model.parameters());
  await assertRejects(train.fit(other.model, data, { ...options, optimizer: adam, checkpoint: resume }), ConfigError, /Adam/);
  assert.equal(weights(), before);
  writeFileSync(join(folder, "epoch-0009-step-000000.safetensors"), "half a file");
  await assertRejects(
    train.fit(other.model, data, { ...other.options, checkpoint: resume }),
    FormatError,
    /loadCheckpoint: .*epoch-0009-step-000000.safetensors/,
  );
  const file = join(folder, "file");
  writeFileSync(file, "");
  await assertRejects(
    train.fit(other.model, data, { ...other.options, checkpoint: join(file, "below") }),
    FormatError,
    /fit: checkpoint: expected a folder to write to; a part of the path is a file/,
  );
  await assertRejects(
    train.fit(other.model, data, { ...other.options, checkpoint: { folder, keepBest: "accuracy" } }),
    ConfigError,
    /monitor loss; got string accuracy/,
  );
  await assertRejects(train.fit(other.model, data, { ...other.options, checkpoint: { folder, every: 0 } }), ConfigError, /every, a whole number >= 1/);
});

test("checkpoints and what they are restored from hold no memory", async () => {
  const { model, data, options } = setUp();
  let before = 0;
  for (let i = 0; i < 6; i++) {
    const folder = fresh();
    for (const epochs of [1, 2])
      await train.fit(model, data, {
        ...options,
        epochs,
        accumulate: 2,
        earlyStopping: {},
        spikeGuard: { action: "rollback", snapshotEvery: 1 },
        checkpoint: { folder, everySteps: 1, resume: true },
      });
    // states of the optimizer that were replaced may be in somebody's hands: they go as garbage
    for (let k = 0; k < 3; k++) {
      collect();
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    if (i === 2) before = memory.stats().bytes;
  }
  assert.ok(memory.stats().bytes <= before, `${memory.stats().bytes} after ${before} bytes`);
});

test.run();
