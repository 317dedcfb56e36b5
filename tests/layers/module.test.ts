// State of modules: parameters, buffers and their names; and layers made and loaded with what does not fit.
import { test } from "uvu";
import * as assert from "uvu/assert";
import { ConfigError, DisposedError, DtypeError, grad, layers, noGrad, ones, ShapeError, type Tensor, zeros } from "../../ts-src/index.js";
import { assertThrows } from "../assert-close.js";

const { BatchNorm1d, Linear, Module, Sequential } = layers;

test("parameters are the tensors that require a gradient, buffers the others; the state has both, parameters first", () => {
  const model = new Sequential(new Linear(2, 3), new BatchNorm1d(3));
  const names = (entries: [string, Tensor][]): string[] => entries.map(([name]) => name);
  assert.equal(names(model.namedParameters()), ["0.weight", "0.bias", "1.weight", "1.bias"]);
  assert.equal(names(model.namedBuffers()), ["1.running_mean", "1.running_var", "1.num_batches_tracked"]);
  assert.equal(Object.keys(model.stateDict()), ["0.weight", "0.bias", "1.weight", "1.bias", "1.running_mean", "1.running_var", "1.num_batches_tracked"]);
  assert.is(model.stateDict()["1.running_var"].dtype, "float32");
  assert.is(model.stateDict()["1.num_batches_tracked"].dtype, "int32");
  assert.equal(model.buffers(), Object.values(model.stateDict()).slice(4));
});

class Tied extends Module {
  readonly first = new Linear(2, 2);
  readonly again = this.first;
  readonly stages = [new Linear(2, 2), new Linear(2, 2)];

  forward(x: Tensor): Tensor {
    return this.stages.reduce((y, stage) => stage.forward(y), this.again.forward(this.first.forward(x)));
  }
}

test("what is shared counts once among parameters and stands under each name in the state; modules in arrays are children", () => {
  const model = new Tied();
  const stages = ["stages.0.weight", "stages.0.bias", "stages.1.weight", "stages.1.bias"];
  assert.equal(
    model.namedParameters().map(([name]) => name),
    ["first.weight", "first.bias", ...stages],
  );
  assert.equal(Object.keys(model.stateDict()), ["first.weight", "first.bias", "again.weight", "again.bias", ...stages]);
  assert.equal(
    model.namedModules().map(([name]) => name),
    ["", "first", "stages.0", "stages.1"],
  );
});

test("a clone computes the same with tensors of its own, and shares within itself what the original shares", () => {
  const model = new Tied().eval();
  const copy = model.clone();
  const x = ones([3, 2]);
  assert.equal(copy.forward(x).data(), model.forward(x).data());
  assert.is(copy.again, copy.first);
  assert.is(copy.training, false);
  assert.is(copy.parameters().length, 6);
  noGrad(() => {
    for (const p of copy.parameters()) p.mul_(2);
  });
  assert.not.equal(copy.forward(x).data(), model.forward(x).data());
  const normed = layers.weightNorm(new Linear(2, 2));
  const other = normed.clone();
  noGrad(() => other.parameters()[1].mul_(3));
  assert.not.equal(other.forward(x).data(), normed.forward(x).data());
});

test("a state goes to another module of the same kind and back", () => {
  const [from, to] = [new Sequential(new Linear(2, 3), new BatchNorm1d(3)), new Sequential(new Linear(2, 3), new BatchNorm1d(3))];
  from.forward(grad((x: Tensor) => x.square().sum())(ones([4, 2])));
  to.loadStateDict(from.stateDict());
  for (const [name, t] of Object.entries(to.stateDict())) assert.equal([...t.data()], [...from.stateDict()[name].data()], name);
  assert.is(to.stateDict()["1.num_batches_tracked"].item(), 1);
});

test("loadStateDict refuses what is no tensor, has no memory, another shape or another dtype, and changes nothing", () => {
  const model = new Linear(3, 2);
  const before = model.parameters().map((p) => [...p.data()]);
  const gone = zeros([2]);
  gone.dispose();
  const refused = (state: unknown, kind: new (message: string) => Error, message: RegExp): void => {
    assertThrows(() => model.loadStateDict(state as layers.StateDict), kind, message);
    assert.equal(
      model.parameters().map((p) => [...p.data()]),
      before,
    );
  };
  const weight = zeros([2, 3]);
  refused(null, ConfigError, /tensors by name, as stateDict\(\) gives; got null/);
  refused(weight, ConfigError, /got a Tensor/);
  refused({ weight: 1, bias: 2 }, ConfigError, /a tensor for weight; got number 1/);
  refused({ weight, bias: null }, ConfigError, /a tensor for bias; got null/);
  refused({ weight, bias: gone }, DisposedError, /bias/);
  refused({ weight, bias: zeros([3]) }, ShapeError, /bias of shape \[2\]; got \[3\]/);
  refused({ weight, bias: zeros([2], { dtype: "float64" }) }, DtypeError, /bias of dtype float32; got float64/);
  refused({ weight, offset: zeros([2]), scale: zeros([2]) }, ConfigError, /names weight, bias; got missing bias; unexpected offset, scale/);
  refused({ weight }, ConfigError, /got missing bias$/);
});

test("layers refuse options and sizes that cannot be", () => {
  const refused = (make: () => unknown, message: RegExp): void => assertThrows(make, ConfigError, message);
  const any = (value: unknown): never => value as never;
  refused(() => new Linear(4, 3, any({ bais: false })), /Linear: expected options bias, dtype; got bais/);
  refused(() => new Linear(4, 3, any({ bias: 0 })), /true or false for bias; got 0/);
  refused(() => new Linear(4, 3, any(null)), /Linear: expected an object of options/);
  refused(() => new Linear(4, 3, any({ dtype: "int32" })), /float32 or float64/);
  refused(() => new Linear(any("4"), 3), /whole number >= 1 for inFeatures; got "4"/);
  refused(() => new Sequential(any(null)), /module at position 0; got null/);
  refused(() => new layers.Conv2d(3, 4, 3, { groups: 2 }), /multiples of 2 groups; got inChannels 3, outChannels 4/);
  refused(() => new layers.Conv2d(1, 1, [1, 2, 3]), /kernelSize/);
  refused(() => new layers.Conv2d(1, 1, 3, { stride: 0 }), /stride/);
  refused(() => new layers.Conv2d(1, 1, 3, { padding: any("reflect") }), /padding/);
  refused(() => new layers.Conv2d(1, 1, 3, { padding: "same", stride: 2 }), /stride of 1 with padding "same"/);
  refused(() => new layers.Conv2d(1, 1, 3, any({ outputPadding: 1 })), /got outputPadding/);
  refused(() => new layers.ConvTranspose2d(1, 1, 3, { outputPadding: 1 }), /outputPadding less than stride or dilation/);
  refused(() => new layers.MaxPool2d(2, any({ returnIndices: true })), /got returnIndices/);
  refused(() => new layers.AvgPool1d(0), /kernelSize/);
  refused(() => new layers.AdaptiveAvgPool2d([-1, 2]), /outputSize/);
  refused(() => new BatchNorm1d(3, { momentum: 2 }), /from 0 to 1 for momentum; got 2/);
  refused(() => new BatchNorm1d(0), /numFeatures/);
  refused(() => new layers.InstanceNorm1d(3, { momentum: any(null) }), /momentum; got null/);
  refused(() => new layers.GroupNorm(2, 3), /multiple of numGroups; got 3 and 2/);
  refused(() => new layers.LayerNorm([]), /at least/);
  refused(() => new layers.Dropout(1.5), /from 0 to 1 for p; got 1.5/);
  refused(() => new layers.Dropout(any({ q: 1 })), /Dropout: expected options p; got q/);
  refused(() => new layers.Embedding(4, 2, { paddingIdx: 4 }), /paddingIdx from -4 to 3, or null; got number 4/);
  refused(() => new layers.LSTM(2, 3, any({ num_layers: 2 })), /got num_layers/);
  refused(() => new layers.LSTM(2, 3, { numLayers: 0 }), /numLayers/);
  refused(() => new layers.RNN(2, 3, { nonlinearity: any("sigmoid") }), /"tanh" or "relu"; got string sigmoid/);
  refused(() => new layers.MultiheadAttention(5, 2), /embedDim that is a multiple of numHeads; got 5 and 2/);
  refused(() => new layers.TransformerEncoderLayer(4, 2, { activation: any("silu") }), /"relu" or "gelu"; got string silu/);
  refused(() => new layers.TransformerEncoder(any(new Linear(2, 2)), 2), /expected a TransformerEncoderLayer/);
  refused(() => new layers.Softmax(any({ dim: 1 })), /expected options axis; got dim/);
  refused(() => new layers.LeakyReLU({ negativeSlope: Number.NaN }), /negativeSlope/);
});

test.run();
