// Copies of any layout move each element to its place, whichever way they go: rows, tiles, reversed or repeated.
import { test } from "uvu";
import * as assert from "uvu/assert";
import { scope } from "../../bindings/lifetime.js";
import * as tapir from "../../ts-src/index.js";
import { Random } from "../draw.js";

const SEED = 20240711;
console.log(`seed ${SEED}`);
const dtypes = ["float32", "float64", "int32", "uint8", "bool"] as const;

function numbered(shape: readonly number[], dtype: tapir.DType): tapir.Tensor {
  const size = shape.reduce((a, b) => a * b, 1);
  const values = Int32Array.from({ length: size }, (_, i) => (i * 37) % 251);
  return tapir.tensor(values).reshape(shape).to(dtype);
}

for (const dtype of dtypes) {
  test(`${dtype}: a clone of a permuted, sliced and flipped view holds the elements of the view, whatever the sizes`, () => {
    const random = new Random(SEED);
    for (let n = 0; n < 60; n++) {
      scope(() => {
        const ndim = random.integer(1, 5);
        const shape = Array.from({ length: ndim }, () => random.integer(1, ndim < 3 ? 70 : ndim === 3 ? 23 : 7));
        const order = shape.map((_, i) => i).sort(() => random.unit() - 0.5);
        const x = numbered(shape, dtype);
        const flipped = random.integer(0, ndim - 1);
        const view = random.integer(0, 1) === 1 ? x.permute(order) : x.permute(order).flip({ axis: flipped });
        const y = view.clone();
        assert.ok(y.contiguous);
        assert.equal(y.shape, view.shape);
        const data = y.data();
        const source = x.data();
        let at = 0;
        const visit = (axis: number, offset: number): void => {
          if (axis === ndim) assert.is(data[at++], source[offset]);
          else for (let i = 0; i < view.shape[axis]; i++) visit(axis + 1, offset + i * view.strides[axis]);
        };
        visit(0, view.offset);
      });
    }
  });

  test(`${dtype}: pad sets every element outside of x to the value, and none inside`, () => {
    const random = new Random(SEED);
    for (let n = 0; n < 60; n++) {
      scope(() => {
        const ndim = random.integer(1, 4);
        const shape = Array.from({ length: ndim }, () => random.integer(0, ndim < 3 ? 40 : 6));
        const widths = shape.map((size) => [random.integer(-Math.min(1, size >> 1), 5), random.integer(-Math.min(1, size >> 1), 20)]);
        const x = numbered(shape, dtype);
        const y = x.pad(widths, { value: 1 });
        const [data, source] = [y.data(), x.data()];
        let at = 0;
        const visit = (axis: number, offset: number, inside: boolean): void => {
          if (axis === ndim) assert.is(data[at++], inside ? source[offset] : 1);
          else {
            for (let i = 0; i < y.shape[axis]; i++) {
              const j = i - widths[axis][0];
              visit(axis + 1, offset * shape[axis] + j, inside && j >= 0 && j < shape[axis]);
            }
          }
        };
        visit(0, 0, true);
      });
    }
  });
}

test("zeros, large and small, are zeros, and -0 stays -0", () => {
  for (const n of [1, 7, 1023, 1024, 5000]) {
    for (const dtype of ["float32", "float64"] as const) {
      for (const value of [0, -0]) assert.ok([...tapir.full([n], value, { dtype }).data()].every((v) => Object.is(v, value)));
    }
  }
});

test.run();
