// What attention layers refuse, and their masks.
import { test } from "uvu";
import * as assert from "uvu/assert";
import { ConfigError, DtypeError, layers, ShapeError, type Tensor, tensor, zeros } from "../../ts-src/index.js";
import { assertClose, assertThrows } from "../assert-close.js";

function wave(...shape: number[]): Tensor {
  const n = shape.reduce((a, b) => a * b, 1);
  return tensor(Float32Array.from({ length: n }, (_, i) => Math.sin(0.7 * i + 0.01 * i * i))).reshape(shape);
}

test("isCausal is the mask of what comes later, in bool and in float, and weights are rows that add up to 1", () => {
  const layer = new layers.MultiheadAttention(4, 2, { batchFirst: true });
  const x = wave(2, 3, 4);
  const later = [0, 1, 1, 0, 0, 1, 0, 0, 0];
  const bool = tensor(later).reshape([3, 3]).to("bool");
  const float = tensor(later.map((v) => (v === 1 ? Number.NEGATIVE_INFINITY : 0))).reshape([3, 3]);
  const [y, weights] = layer.forward(x, x, x, { isCausal: true });
  assert.equal(layer.forward(x, x, x, { attnMask: bool })[0].data(), y.data());
  assert.equal(layer.forward(x, x, x, { attnMask: float })[0].data(), y.data());
  assertClose((weights as Tensor).sum({ axis: -1 }).data(), new Array(6).fill(1), { rtol: 1e-6, atol: 0 });
  assert.is(layer.forward(x, x, x, { needWeights: false })[1], null);
});

test("a query that may see no key gets nothing from the heads", () => {
  const layer = new layers.MultiheadAttention(4, 2);
  const x = wave(3, 1, 4);
  const [y] = layer.forward(x, x, x, { keyPaddingMask: tensor([1, 1, 1]).reshape([1, 3]).to("bool") });
  assert.ok([...y.data()].every((v) => v === 0));
});

test("an encoder's layers begin as copies of the one given, and learn apart", () => {
  const layer = new layers.TransformerEncoderLayer(4, 2, { dimFeedforward: 3, dropout: 0 });
  const encoder = new layers.TransformerEncoder(layer, 2);
  const [first, second] = encoder.layers.map((one) => one.linear1.weight);
  assert.equal(first.data(), layer.linear1.weight.data());
  assert.equal(second.data(), first.data());
  encoder
    .forward(wave(3, 2, 4))
    .square()
    .sum()
    .backward();
  assert.not.equal((first.grad as Tensor).data(), (second.grad as Tensor).data());
  assert.is(layer.linear1.weight.grad, undefined);
});

test("wrong shapes, masks and options are typed errors", () => {
  const layer = new layers.MultiheadAttention(4, 2);
  const x = zeros([3, 2, 4]);
  const refused = (call: () => unknown, kind: new (message: string) => Error, message: RegExp): void => assertThrows(call, kind, message);
  refused(() => layer.forward(zeros([3, 2, 5]), x, x), ShapeError, /q \[L, B, 4\], k and v \[S, B, 4\]; got \[3,2,5\], \[3,2,4\], \[3,2,4\]/);
  refused(() => layer.forward(x, zeros([3, 1, 4]), zeros([3, 1, 4])), ShapeError, /k and v/);
  refused(() => layer.forward(x, x, zeros([2, 2, 4])), ShapeError, /k and v/);
  refused(() => layer.forward(x, x, x.to("float64")), DtypeError, /one dtype/);
  refused(() => layer.forward(x, x, x, { attnMask: zeros([2, 3]) }), ShapeError, /attnMask \[3,3\] or \[4,3,3\]; got \[2,3\]/);
  refused(() => layer.forward(x, x, x, { attnMask: zeros([3, 3], { dtype: "int32" }) }), DtypeError, /attnMask of dtype bool or float32; got int32/);
  refused(() => layer.forward(x, x, x, { keyPaddingMask: zeros([3, 2]) }), ShapeError, /keyPaddingMask \[2,3\]; got \[3,2\]/);
  refused(() => layer.forward(x, x, x, { mask: null } as layers.AttentionCall), ConfigError, /got mask/);
  refused(() => layer.forward(x, x, x, { isCausal: 1 as never }), ConfigError, /isCausal/);
  refused(() => new layers.TransformerEncoderLayer(4, 2).forward(x, { mask: null } as never), ConfigError, /srcMask/);
});

test.run();
