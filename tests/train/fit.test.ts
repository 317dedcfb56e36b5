// Training with what does not fit, with numbers that are not finite, and with a signal to stop: the weights stay.
import { test } from "uvu";
import * as assert from "uvu/assert";
import {
  AbortError,
  ConfigError,
  crossEntropy,
  type data,
  layers,
  mseLoss,
  NumericError,
  optim,
  type Tensor,
  tensor,
  train,
  zeros,
} from "../../ts-src/index.js";
import { createBar } from "../../ts-src/train/progress.js";
import { assertRejects } from "../assert-close.js";

const model = (): layers.Module => new layers.Sequential(new layers.Linear(2, 3));
const batches = (x: number[][]): [ReturnType<typeof tensor>, ReturnType<typeof tensor>][] => [[tensor(x), zeros([x.length], { dtype: "int32" })]];

test("NaN in the data stops training before the weights change, and says where it is", async () => {
  const net = model();
  const before = net.parameters().map((p) => [...p.data()]);
  const optimizer = new optim.SGD(net.parameters(), { lr: 0.1 });
  await assertRejects(
    train.fit(
      net,
      batches([
        [1, 2],
        [3, Number.NaN],
      ]),
      { loss: crossEntropy, optimizer },
    ),
    NumericError,
    /NaN at element 3/,
  );
  assert.equal(
    net.parameters().map((p) => [...p.data()]),
    before,
  );
});

test("an AbortSignal stops training", async () => {
  const net = model();
  const signal = AbortSignal.abort(new Error("enough"));
  await assertRejects(train.fit(net, batches([[1, 2]]), { loss: crossEntropy, optimizer: new optim.Adam(net.parameters()), signal }), AbortError, /enough/);
});

test("fit refuses epochs that are no whole number >= 1", async () => {
  const net = model();
  const optimizer = new optim.Adam(net.parameters());
  await assertRejects(train.fit(net, batches([[1, 2]]), { loss: crossEntropy, optimizer, epochs: -1 }), ConfigError, /epochs >= 1; got -1/);
});

/** Anything at all, as a program without types may pass it. */
const any = (value: unknown): never => value as never;

test("fit and evaluate say what they expect of each argument and option", async () => {
  const net = model();
  const before = net.parameters().map((p) => [...p.data()]);
  const good = { loss: crossEntropy, optimizer: new optim.Adam(net.parameters()) };
  const batch = batches([[1, 2]]);
  const refused = async (args: unknown[], message: RegExp): Promise<void> => {
    await assertRejects(train.fit(...(args as Parameters<typeof train.fit>)), ConfigError, message);
  };
  await refused([null, batch, good], /^fit: expected a model, a Module; got null/);
  await refused([{ forward: () => 1 }, batch, good], /expected a model/);
  await refused([net, null, good], /fit: expected data, an iterable of batches.*got null/);
  await refused([net, {}, good], /expected data/);
  await refused([net, [1, 2], good], /expected batches \[x, y\].*got number 1/);
  await refused([net, [[tensor(1), tensor(1)]], good], /along the first axis; got \[float32 \[\], float32 \[\]\]/);
  await refused([net, [[tensor([1]), [1]]], good], /got \[float32 \[1\], an array/);
  await refused([net, [], good], /at least one batch/);
  await refused([net, batch], /a loss function.*got undefined/);
  await refused([net, batch, null], /fit: expected an object of options \(loss/);
  await refused([net, batch, { ...good, epoch: 3 }], /epochs.*got epoch/);
  await refused([net, batch, { ...good, epochs: "3" }], /epochs >= 1; got string 3/);
  await refused([net, batch, { ...good, loss: "mse" }], /loss function.*got string mse/);
  await refused([net, batch, { ...good, loss: () => 1 }], /a loss of one element; got number 1/);
  await refused([net, batch, { ...good, optimizer: { step() {} } }], /with step\(\) and zeroGrad\(\)/);
  await refused([net, batch, { ...good, metrics: { accuracy: 1 } }], /for the metric accuracy; got number 1/);
  await refused([net, batch, { ...good, metrics: { mean: (y: Tensor) => y.mean() } }], /metric mean to answer a number; got a Tensor/);
  await refused([net, batch, { ...good, metrics: null }], /metrics by name; got null/);
  await refused([net, batch, { ...good, validation: 5 }], /validation, an iterable/);
  await refused([net, batch, { ...good, onProgress: 5 }], /onProgress, a function/);
  await refused([net, batch, { ...good, progress: "no" }], /progress: true or false/);
  for (const signal of [5, null]) await refused([net, batch, { ...good, signal }], /signal, an AbortSignal/);
  await refused([net, batch, { ...good, seed: -1 }], /a seed from 0/);
  await assertRejects(train.evaluate(net, any(undefined), { loss: crossEntropy }), ConfigError, /^evaluate: expected data/);
  await assertRejects(train.evaluate(net, batch, any(undefined)), ConfigError, /^evaluate: expected a loss/);
  await assertRejects(train.evaluate(net, batch, any({ loss: crossEntropy, epochs: 1 })), ConfigError, /got epochs/);
  await assertRejects(train.evaluate(net, any([5]), { loss: crossEntropy }), ConfigError, /evaluate: expected batches/);
  assert.equal(
    net.parameters().map((p) => [...p.data()]),
    before,
  );
});

test("a signal that is aborted before, or while a batch is fetched, leaves the weights as they are", async () => {
  const net = model();
  const before = net.parameters().map((p) => [...p.data()]);
  const options = { loss: crossEntropy, optimizer: new optim.SGD(net.parameters(), { lr: 0.1 }) };
  const unchanged = (): void =>
    assert.equal(
      net.parameters().map((p) => [...p.data()]),
      before,
    );
  let fetched = 0;
  const controller = new AbortController();
  async function* slow(): AsyncGenerator<data.Batch> {
    fetched++;
    controller.abort(new Error("enough"));
    yield batches([[1, 2]])[0];
  }
  await assertRejects(train.fit(net, slow(), { ...options, signal: controller.signal }), AbortError, /enough/);
  unchanged();
  assert.is(fetched, 1);
  await assertRejects(train.fit(net, slow(), { ...options, signal: controller.signal }), AbortError, /enough/);
  await assertRejects(train.evaluate(net, slow(), { loss: crossEntropy, signal: controller.signal }), AbortError, /enough/);
  assert.is(fetched, 1, "no batch is asked for");
  unchanged();
});

test("a target that is not finite is named", async () => {
  const net = new layers.Linear(2, 1);
  const options = { loss: mseLoss, optimizer: new optim.SGD(net.parameters()) };
  const x = tensor([
    [1, 2],
    [3, 4],
  ]);
  await assertRejects(train.fit(net, [[x, tensor([[1], [Number.NaN]])]], options), NumericError, /the target has NaN at element 1 of float32 \[2,1\]/);
  await assertRejects(
    train.fit(net, [[x, zeros([2, 1])]], { ...options, loss: (y, t) => mseLoss(y, t).mul(Number.NaN) }),
    NumericError,
    /input, target and output are finite: check the loss function/,
  );
});

test("the bar is one line of the terminal's width, and a line stays for each epoch", async () => {
  let text = "";
  let now = 0;
  const bar = createBar({ write: (part) => (text += part), columns: 62 }, () => now);
  const progress = { epoch: 1, epochs: 12, step: 5, steps: 10, training: { loss: 0.5, accuracy: 0.25 }, rate: 1234.5, seconds: 1, secondsLeft: 61 };
  bar.update({ ...progress, ended: false, validation: undefined });
  assert.is(text, "\r\x1b[Kepoch 1/12 ━━━━━━━━━━━━             loss 0.5000  accuracy  25");
  const drawn = text;
  now = 99;
  bar.update({ ...progress, ended: false, validation: undefined });
  assert.is(text, drawn, "it is drawn ten times a second at most");
  now = 100;
  bar.update({ ...progress, ended: false, validation: undefined });
  assert.is(text, drawn + drawn);
  text = "";
  bar.update({ ...progress, ended: true, validation: { loss: 0.25 } });
  bar.stop();
  assert.is(text, "\r\x1b[Kepoch  1/12  loss 0.5000  accuracy  25.00 %   validation loss 0.2500\n");
});

test.run();
