// Packed sequences, states, and what recurrent layers refuse.
import { test } from "uvu";
import * as assert from "uvu/assert";
import { ConfigError, DtypeError, layers, manualSeed, ShapeError, type Tensor, tensor, zeros } from "../../ts-src/index.js";
import { assertClose, assertThrows } from "../assert-close.js";

const { packPaddedSequence, padPackedSequence } = layers;

function wave(...shape: number[]): Tensor {
  const n = shape.reduce((a, b) => a * b, 1);
  return tensor(Float64Array.from({ length: n }, (_, i) => Math.sin(0.7 * i + 0.01 * i * i))).reshape(shape);
}

test("packing keeps the steps of each sequence, longest first, and padding gives them back", () => {
  const x = tensor([1, 2, 3, 0, 5, 6, 0, 8, 0]).reshape([3, 3, 1]); // sequences 1, 2 5 8 and 3 6 as columns
  const packed = packPaddedSequence(x, [1, 3, 2], { enforceSorted: false });
  assert.equal([...packed.data.data()], [2, 3, 1, 5, 6, 8]);
  assert.equal(packed.batchSizes, [3, 2, 1]);
  assert.equal(packed.sortedIndices, [1, 2, 0]);
  const [padded, lengths] = padPackedSequence(packed, { paddingValue: -1, totalLength: 4 });
  assert.equal(lengths, [1, 3, 2]);
  assert.equal(padded.shape, [4, 3, 1]);
  assert.equal([...padded.data()], [1, 2, 3, -1, 5, 6, -1, 8, -1, -1, -1, -1]);
  const [batched] = padPackedSequence(packPaddedSequence(x.transpose(0, 1), [1, 3, 2], { enforceSorted: false, batchFirst: true }), { batchFirst: true });
  assert.equal([...batched.data()], [1, 0, 0, 2, 5, 8, 3, 6, 0]);
  assert.equal(packPaddedSequence(x, tensor([3, 2, 2], { dtype: "int32" })).batchSizes, [3, 3, 1]);
});

for (const kind of ["RNN", "GRU", "LSTM"] as const) {
  test(`${kind} treats each packed sequence as it treats that sequence alone`, () => {
    manualSeed(4);
    const layer = new layers[kind](3, 4, { numLayers: 2, bidirectional: true, dtype: "float64" });
    const x = wave(5, 3, 3);
    const lengths = [2, 5, 4];
    const [y, state] = layer.forward(packPaddedSequence(x, lengths, { enforceSorted: false }));
    const [padded] = padPackedSequence(y);
    for (const [i, n] of lengths.entries()) {
      const [alone, last] = layer.forward(x.slice([0, n], i));
      assertClose(padded.slice([0, n], i).data(), alone.data(), { rtol: 1e-12, atol: 1e-15 }, `output of sequence ${i}`);
      for (const [part, whole] of (Array.isArray(state) ? state : [state]).entries()) {
        const own = Array.isArray(last) ? last[part] : last;
        assertClose(whole.slice(null, i).data(), own.data(), { rtol: 1e-12, atol: 1e-15 }, `state of sequence ${i}`);
      }
    }
  });
}

test("a sequence may be cut, the state of the first part given to the second", () => {
  const layer = new layers.LSTM(3, 4, { numLayers: 2 });
  const x = wave(6, 2, 3).to("float32");
  const [whole, [h, c]] = layer.forward(x);
  const [first, state] = layer.forward(x.slice([0, 2]));
  const [second, [lastH, lastC]] = layer.forward(x.slice([2, 6]), state);
  assert.equal([...first.data(), ...second.data()], [...whole.data()]);
  assert.equal([lastH.data(), lastC.data()], [h.data(), c.data()]);
});

test("a cell is a step of its layer", () => {
  const layer = new layers.GRU(3, 4);
  const cell = new layers.GRUCell(3, 4);
  cell.loadStateDict(Object.fromEntries(Object.entries(layer.stateDict()).map(([name, t]) => [name.replace("_l0", ""), t])));
  const x = wave(1, 2, 3).to("float32");
  assert.equal(cell.forward(x.squeeze(0)).data(), layer.forward(x)[0].squeeze(0).data());
});

test("wrong shapes, states, lengths and packs are typed errors", () => {
  const layer = new layers.LSTM(3, 4);
  const any = (value: unknown): never => value as never;
  assertThrows(() => layer.forward(zeros([5, 2, 4])), ShapeError, /LSTM: expected x \[T, B, 3\] or \[T, 3\], T and B at least 1; got \[5,2,4\]/);
  assertThrows(() => layer.forward(zeros([0, 2, 3])), ShapeError, /T and B at least 1/);
  assertThrows(() => new layers.LSTM(3, 4, { batchFirst: true }).forward(zeros([3])), ShapeError, /expected x \[B, T, 3\]/);
  assertThrows(() => layer.forward(zeros([5, 2, 3]), any([zeros([1, 2, 4])])), ConfigError, /a state \[h, c\]; got 1 tensors/);
  assertThrows(() => layer.forward(zeros([5, 2, 3]), any(zeros([1, 2, 4]))), ConfigError, /a state \[h, c\]; got a Tensor/);
  assertThrows(() => layer.forward(zeros([5, 2, 3]), [zeros([1, 2, 4]), zeros([1, 3, 4])]), ShapeError, /c of shape \[1,2,4\]; got \[1,3,4\]/);
  assertThrows(() => layer.forward(zeros([5, 2, 3], { dtype: "float64" })), DtypeError, /float64/);
  assertThrows(() => layer.forward(any([1, 2])), DtypeError, /a tensor for x/);
  const x = zeros([4, 2, 3]);
  assertThrows(() => packPaddedSequence(x, [1, 4]), ConfigError, /descending order; got \[1,4\]; \{ enforceSorted: false \} sorts them/);
  assertThrows(() => packPaddedSequence(x, [5, 4]), ConfigError, /lengths from 1 to 4; got number 5/);
  assertThrows(() => packPaddedSequence(x, [4, 0]), ConfigError, /lengths from 1 to 4/);
  assertThrows(() => packPaddedSequence(x, [4]), ShapeError, /a length for each of 2 sequences; got 1/);
  assertThrows(() => packPaddedSequence(x, any("4")), ConfigError, /lengths as an array or a tensor/);
  const pack = packPaddedSequence(x, [4, 2]);
  assertThrows(() => padPackedSequence(pack, { totalLength: 3 }), ConfigError, /totalLength of at least 4; got number 3/);
  assertThrows(() => padPackedSequence({ ...pack, batchSizes: [2, 2, 1] }), ShapeError, /a row for each step/);
  assertThrows(() => padPackedSequence({ ...pack, sortedIndices: [0, 0] }), ShapeError, /a row for each step/);
  assertThrows(() => padPackedSequence(any(x)), ConfigError, /expected a packed sequence/);
  assertThrows(() => new layers.LSTM(2, 4).forward(pack), ShapeError, /packed rows of 2 elements/);
  assertThrows(() => new layers.GRUCell(3, 4).forward(zeros([2, 2])), ShapeError, /GRUCell: expected x \[B, 3\] or \[3\]/);
  assertThrows(() => new layers.GRUCell(3, 4).forward(zeros([2, 3]), zeros([3, 4])), ShapeError, /expected h \[2,4\]; got \[3,4\]/);
});

test.run();
