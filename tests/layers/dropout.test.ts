// Dropout against its own law, and as nothing in use.
import { test } from "uvu";
import * as assert from "uvu/assert";
import { layers, manualSeed, ones, type Tensor } from "../../ts-src/index.js";

const N = 100_000;
const SEED = 11;

test("a share of p elements is 0, the others are divided by 1 - p, and gradients follow the same mask", () => {
  manualSeed(SEED);
  for (const p of [0.1, 0.5, 0.9]) {
    const x = ones([N], { requiresGrad: true });
    const y = new layers.Dropout(p).forward(x);
    const kept = y.data().filter((v) => v !== 0);
    assert.ok([...kept].every((v) => v === Math.fround(1 / (1 - p))));
    // five standard deviations of the number that is dropped
    assert.ok(Math.abs(N - kept.length - p * N) < 5 * Math.sqrt(N * p * (1 - p)), `seed ${SEED}, p ${p}: ${N - kept.length} of ${N} dropped`);
    y.sum().backward();
    assert.equal((x.grad as Tensor).data(), y.data());
  }
});

test("each call draws another mask, and the same one after the same seed", () => {
  const layer = new layers.Dropout({ p: 0.5 });
  const draw = (): number[] => [...layer.forward(ones([64])).data()];
  manualSeed(SEED);
  const [first, second] = [draw(), draw()];
  assert.not.equal(first, second);
  manualSeed(SEED);
  assert.equal(draw(), first);
});

test("in eval(), and with p = 0, x itself is the answer; with p = 1 all is 0", () => {
  const x = ones([5]);
  assert.is(new layers.Dropout().eval().forward(x), x);
  assert.is(new layers.Dropout(0).forward(x), x);
  assert.equal([...new layers.Dropout(1).forward(x).data()], [0, 0, 0, 0, 0]);
});

test("dropout between the layers of an LSTM is drawn in training only, and not behind the last layer", () => {
  const x = ones([3, 2, 4]);
  manualSeed(SEED);
  const deep = new layers.LSTM(4, 5, { numLayers: 2, dropout: 0.5 });
  const y = (layer: layers.LSTM): number[] => [...layer.forward(x)[0].data()];
  assert.not.equal(y(deep), y(deep));
  deep.eval();
  assert.equal(y(deep), y(deep));
  const single = new layers.LSTM(4, 5, { dropout: 0.5 });
  assert.equal(y(single), y(single));
});

test.run();
