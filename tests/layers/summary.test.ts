// The table of a model.
import { test } from "uvu";
import * as assert from "uvu/assert";
import { ConfigError, layers, ShapeError, zeros } from "../../ts-src/index.js";
import { assertThrows } from "../assert-close.js";

const { BatchNorm2d, Conv2d, Dropout, Flatten, Linear, MaxPool2d, ReLU, Sequential, summary } = layers;

test("a line for each layer with its output and parameters, then the sums", () => {
  const model = new Sequential(new Conv2d(1, 8, 3), new BatchNorm2d(8), new ReLU(), new MaxPool2d(2), new Flatten(), new Dropout(), new Linear(1352, 10));
  assert.is(
    summary(model, [4, 1, 28, 28]),
    [
      "layer             output       parameters",
      "-----------------------------------------",
      "Sequential        [4,10]",
      "  0: Conv2d       [4,8,26,26]          80",
      "  1: BatchNorm2d  [4,8,26,26]          16",
      "  2: ReLU         [4,8,26,26]",
      "  3: MaxPool2d    [4,8,13,13]",
      "  4: Flatten      [4,1352]",
      "  5: Dropout      [4,1352]",
      "  6: Linear       [4,10]           13,530",
      "-----------------------------------------",
      "trainable parameters  13,626",
      "buffers and frozen        17",
      "total                 13,643",
    ].join("\n"),
  );
});

test("what is within a layer stands under it, by its own name", () => {
  const layer = new layers.TransformerEncoderLayer(4, 2, { dimFeedforward: 3 });
  const names = summary(new layers.TransformerEncoder(layer, 1, { norm: new layers.LayerNorm(4) }), [5, 2, 4])
    .split("\n")
    .slice(2, -4);
  assert.equal(
    names.map((line) => line.split("[")[0].trimEnd()),
    [
      "TransformerEncoder",
      "  layers.0: TransformerEncoderLayer",
      "    self_attn: MultiheadAttention",
      "      out_proj: Linear",
      "    linear1: Linear",
      "    dropout: Dropout",
      "    linear2: Linear",
      "    norm1: LayerNorm",
      "    norm2: LayerNorm",
      "    dropout1: Dropout",
      "    dropout2: Dropout",
      "  norm: LayerNorm",
    ],
  );
});

test("several tensors go in and out", () => {
  const text = summary(new layers.LSTM(3, 4), [zeros([5, 2, 3])]);
  assert.match(text, /LSTM {3}\[5,2,4\] \[1,2,4\] \[1,2,4\] {9}144/);
  const x = zeros([5, 2, 4]);
  assert.match(summary(new layers.MultiheadAttention(4, 2), [x, x, x]), /out_proj: Linear {2}\[5,2,4\]/);
});

test("a model is as it was, also when it throws", () => {
  const model = new Sequential(new Linear(2, 3), new layers.BatchNorm1d(3), new Dropout());
  model.children()[2][1].eval();
  const state = (): unknown => [
    model.namedModules().map(([, module]) => [module.training, Object.keys(module)]),
    Object.values(model.stateDict()).map((t) => [...t.data()]),
  ];
  const before = state();
  summary(model, [4, 2]);
  assert.equal(state(), before);
  assertThrows(() => summary(model, [4, 3]), ShapeError, /linear/);
  assert.equal(state(), before);
  assert.ok(model.namedModules().every(([, module]) => !Object.hasOwn(module, "forward")));
  assertThrows(() => summary({} as layers.AnyModule, [1]), ConfigError, /expected a module/);
  assertThrows(() => summary(model, "2" as never), ConfigError, /a tensor, tensors, or a shape; got string 2/);
});

test.run();
