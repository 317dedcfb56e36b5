// Changes in place with an operand that shares their memory: the result is that of an operand that does not.
import { test } from "uvu";
import * as assert from "uvu/assert";
import { arange, DtypeError, memory, Tensor } from "../../ts-src/index.js";
import { assertThrows } from "../assert-close.js";

const square = (): Tensor => arange(1, 10).reshape([3, 3]);
const views: [string, (x: Tensor) => Tensor][] = [
  ["itself", (x) => x],
  ["another handle", (x) => x.detach()],
  ["its transpose", (x) => x.transpose(0, 1)],
];
const changes = ["add_", "sub_", "mul_", "div_", "copy_"] as const;

for (const [what, view] of views) {
  test(`${changes.join(", ")} with ${what} read every element before it is changed`, () => {
    for (const change of changes) {
      const expected = square();
      expected[change](view(square()).clone());
      const x = square();
      const before = memory.stats().tensors;
      x[change](view(x));
      assert.equal(x.toArray(), expected.toArray(), change);
      assert.is(memory.stats().tensors, before, `${change} frees its copy`);
    }
  });
}

test("a row of it, broadcast over all rows, is read before it is changed", () => {
  for (const change of changes) {
    for (const row of [0, 1, 2]) {
      const part = (x: Tensor): Tensor => new Tensor(x.storage, "row", x.dtype, [3], [1], 3 * row);
      const expected = square();
      expected[change](part(square()).clone());
      const x = square();
      x[change](part(x));
      assert.equal(x.toArray(), expected.toArray(), `${change} of row ${row}`);
    }
  }
});

test("a value that is no number and cannot be shown is a typed error", () => {
  assertThrows(() => square().fill_(Object.create(null)), DtypeError, /^fill_: expected a number; got an object/);
});

test.run();
