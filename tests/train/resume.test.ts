// A training that is killed goes on from its checkpoints as if it had never been stopped.
import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { ConfigError, FormatError, formats, layers, memory, mseLoss, optim, randn, type Tensor, tensor, train } from "../../ts-src/index.js";
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
    /a training with accumulate 2, as this one; got number 1/,
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

test("a folder with checkpoints is refused unless training goes on from them", async () => {
  const folder = fresh();
  const { model, data, options } = setUp();
  await train.fit(model, data, { ...options, epochs: 2, checkpoint: folder });
  await assertRejects(
    train.fit(model, data, { ...options, epochs: 1, checkpoint: folder }),
    ConfigError,
    /a folder without checkpoints; got 2 of them in .*; resume: true goes on/,
  );
});

test("a training that was set up otherwise does not go on, and nothing is changed", async () => {
  const folder = fresh();
  const { model, data, options } = setUp();
  await train.fit(model, data, { ...options, epochs: 1, checkpoint: folder });
  const other = setUp();
  const before = [...other.model.stateDict().weight.data()];
  const resume = { folder, resume: true };
  const measured = { ...other.options, metrics: { own: () => 1 } };
  await assertRejects(
    train.fit(other.model, data, { ...measured, checkpoint: resume }),
    ConfigError,
    /a training with metrics own, as this one; got string none/,
  );
  assert.equal([...other.model.stateDict().weight.data()], before);
});

test("a training that a callback has stopped within an epoch goes on there; one that stopped early goes on with more patience", async () => {
  const batches = (): [Tensor, Tensor][] => [1, 2, 3, 4, 5].map((i) => [tensor([[i, 1]]), tensor([[i]])]);
  const run = async (folder: string | undefined, stopAt: number): Promise<{ losses: number[]; stopped: string | undefined }> => {
    const { model, options } = setUp();
    model.loadStateDict({ weight: tensor([[0.1, 0.2]]), bias: tensor([0.3]) });
    let steps = 0;
    const callbacks = [{ onStepEnd: () => (++steps === stopAt ? "stop" : undefined) }];
    return train.fit(model, batches(), { ...options, epochs: 3, callbacks, checkpoint: folder && { folder, resume: true } });
  };
  const whole = await run(undefined, 0);
  const folder = fresh();
  const half = await run(folder, 7);
  assert.is(half.losses.length, 7);
  assert.is(half.stopped, "a callback asked for it");
  assert.equal((await run(folder, 0)).losses, whole.losses);
  const early = fresh();
  const { model, data, options } = setUp();
  const stopping = (patience: number, epochs: number): Promise<train.History> =>
    train.fit(model, data, {
      ...options,
      epochs,
      metrics: { worse: () => 1 },
      earlyStopping: { monitor: "worse", better: "lower", patience },
      checkpoint: { folder: early, resume: true },
    });
  assert.is((await stopping(1, 10)).epochs.length, 2);
  assert.is((await stopping(4, 10)).epochs.length, 5);
});

test("data that draw random numbers and have no place of their own go on with the same ones", async () => {
  const run = async (folder: string | undefined, stopAt: number): Promise<number[]> => {
    const { model, options } = setUp();
    model.loadStateDict({ weight: tensor([[0.1, 0.2]]), bias: tensor([0.3]) });
    const noisy = {
      length: 5,
      *[Symbol.iterator](): Generator<[Tensor, Tensor]> {
        for (let i = 0; i < 5; i++) yield [randn([4, 2]), randn([4, 1])];
      },
    };
    let steps = 0;
    const callbacks = [{ onStepEnd: () => (++steps === stopAt ? "stop" : undefined) }];
    const history = await train.fit(model, noisy, { ...options, epochs: 2, seed: 4, callbacks, checkpoint: folder && { folder, resume: true } });
    return history.losses;
  };
  const whole = await run(undefined, 0);
  for (const stopAt of [1, 3, 4, 6, 9]) {
    const folder = fresh();
    await run(folder, stopAt);
    assert.equal(await run(folder, 0), whole, `stopped after ${stopAt}`);
  }
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
