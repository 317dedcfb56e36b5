// Which functions share memory with their operand, and what that means for changes in place and for other functions.
import { test } from "uvu";
import * as assert from "uvu/assert";
import * as tapir from "../../ts-src/index.js";
import { assertThrows } from "../assert-close.js";

const { arange, ShapeError, tensor } = tapir;
type Tensor = tapir.Tensor;

const x34 = (): Tensor => arange(12).reshape([3, 4]);

const views: Record<string, (x: Tensor) => Tensor> = {
  "reshape of contiguous elements": (x) => x.reshape([2, 6]),
  "reshape that splits an axis of a transposed tensor": (x) => x.transpose().reshape([2, 2, 3]),
  "reshape that merges rows cut from matrices": (x) => x.reshape([2, 3, 2]).slice(null, [0, 2]).reshape([2, 4]),
  flatten: (x) => x.flatten(),
  "squeeze of a transposed tensor": (x) => x.transpose().unsqueeze(1).squeeze(1),
  "squeeze of a list": (x) => x.reshape([1, 3, 1, 4]).squeeze([0, 2]),
  unsqueeze: (x) => x.unsqueeze(0),
  transpose: (x) => x.transpose(0, 1),
  "permute by numbers": (x) => x.permute(1, 0),
  "permute by a list": (x) => x.permute([1, 0]),
  broadcastTo: (x) => x.broadcastTo([2, 3, 4]),
  expand: (x) => x.expand([2, -1, -1]),
  slice: (x) => x.slice([null, null, -2], [1, 3]),
  "slice at positions": (x) => x.slice(0, -1),
  flip: (x) => x.flip(),
  split: (x) => x.split([1, 2])[0],
  chunk: (x) => x.chunk(2, { axis: 1 })[1],
  diagonal: (x) => x.diagonal(),
  "einsum that only moves axes": (x) => tapir.einsum("ij->ji", x),
  detach: (x) => x.detach(),
};

const copies: Record<string, (x: Tensor) => Tensor> = {
  "reshape that merges the axes of a transposed tensor": (x) => x.transpose().reshape([12]),
  clone: (x) => x.clone(),
  tensor: (x) => tensor(x),
  "concat of one": (x) => tapir.concat([x]),
  stack: (x) => tapir.stack([x]),
  "tile once": (x) => x.tile([1, 1]),
  "roll by 0": (x) => x.roll(0, { axis: 0 }),
  "pad by 0": (x) => x.pad(0),
  tril: (x) => x.tril(),
  triu: (x) => x.triu(),
};

for (const [name, f] of Object.entries(views)) {
  test(`${name} is a view: it shows what is changed in place`, () => {
    const x = x34();
    const y = f(x);
    x.add_(100);
    assert.ok([...y.data()].every((v) => v >= 100));
    assert.equal(f(x34()).add(100).toArray(), y.toArray());
  });
}

for (const [name, f] of Object.entries(copies)) {
  test(`${name} is a copy: it keeps what it was`, () => {
    const x = x34();
    const y = f(x);
    x.add_(100);
    assert.ok([...y.data()].every((v) => v < 100));
  });
}

test("a change in place through a contiguous view shows in the base", () => {
  const x = x34();
  x.slice(1).fill_(-1);
  assert.equal(x.slice(1).toArray(), [-1, -1, -1, -1]);
  assert.is(x.sum().item(), 0 + 1 + 2 + 3 - 4 + 8 + 9 + 10 + 11);
  assertThrows(() => x.flip().add_(1), ShapeError, /contiguous/);
});

test("in-place arithmetic with a view of the same memory uses the elements from before", () => {
  const x = arange(4);
  assert.equal(x.add_(x.flip()).toArray(), [3, 3, 3, 3]);
  const y = arange(4).reshape([2, 2]);
  assert.equal(y.copy_(y.transpose()).toArray(), [
    [0, 2],
    [1, 3],
  ]);
  const z = arange(4);
  assert.equal(z.copy_(z.flip()).toArray(), [3, 2, 1, 0]);
  const w = tensor([2, 3]);
  assert.equal(w.mul_(w.slice([1, 2])).toArray(), [6, 9]);
});

test("elementwise functions, products, reductions and conversions read views with negative strides", () => {
  const x = x34();
  for (const axis of [[0], [1], [0, 1]]) {
    const y = x.flip({ axis });
    const plain = tensor(y.data()).reshape([3, 4]);
    for (const f of [
      (t: Tensor) => t.exp(),
      (t: Tensor) => t.add(x),
      (t: Tensor) => x.sub(t),
      (t: Tensor) => t.mul(t.slice(0)),
      (t: Tensor) => t.matmul(x.transpose()),
      (t: Tensor) => x.transpose().matmul(t),
      (t: Tensor) => t.transpose().matmul(t),
      (t: Tensor) => t.sum({ axis: 0 }),
      (t: Tensor) => t.softmax(),
      (t: Tensor) => t.to("int32"),
      (t: Tensor) => tensor(t),
    ]) {
      assert.equal(f(y).toArray(), f(plain).toArray());
    }
    assert.is(String(y), String(plain));
  }
});

test.run();
