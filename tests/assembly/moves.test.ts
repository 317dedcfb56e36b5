// The kernels that move elements in every build against plain loops. Operands end at the last byte of the memory or begin at its
// first, so that a read beyond them ends the test; outputs have guards around them.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { Random } from "../draw.js";

const SEED = 20241125;
const CASES = 400;
const GUARD = 0xa5;
const MIDDLE = 2 ** 20; // where outputs lie, at most 64 KiB
console.log(`seed ${SEED}`);

const readKernels = (build: string) => readFileSync(join(process.cwd(), "build/kernels", `${build}.wasm`));
if (!WebAssembly.validate(readKernels("f32-relaxed"))) setFlagsFromString("--experimental-wasm-relaxed-simd"); // Node 20

function same(got: Uint8Array, expected: Uint8Array, label: string): void {
  const at = expected.findIndex((value, i) => got[i] !== value);
  if (at >= 0 || got.length !== expected.length) assert.unreachable(`byte ${at}: ${got[at]} instead of ${expected[at]}; ${label}`);
}

/** Strides of three axes, in elements. */
type Strides = readonly [number, number, number];

for (const build of ["f32-strict", "f32-relaxed", "f64-strict", "f64-relaxed"]) {
  const memory = new WebAssembly.Memory({ initial: 32, maximum: 65536, shared: true });
  const end = memory.buffer.byteLength;
  const bytes = new Uint8Array(memory.buffer);
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(readKernels(build)), { env: { memory } });
  const kernel = (name: string) => exports[name] as (...args: number[]) => number;
  const random = new Random(SEED);
  const fill = (start: number, stop: number): void => {
    for (let i = start; i < stop; i++) bytes[i] = random.integer(0, 255);
  };

  /** Offsets of the elements of a layout, in row-major order. */
  const offsets = ([n0, n1, n2]: Strides, [s0, s1, s2]: Strides): number[] => {
    const out: number[] = [];
    for (let i = 0; i < n0; i++) for (let j = 0; j < n1; j++) for (let k = 0; k < n2; k++) out.push(i * s0 + j * s1 + k * s2);
    return out;
  };
  /** Calls `run` on an output of `size` elements that begins with guards, and answers what it holds; checks that the guards stayed. */
  const written = (size: number, item: number, run: (y: number) => void): Uint8Array<ArrayBuffer> => {
    bytes.fill(GUARD, MIDDLE, MIDDLE + 65536);
    const y = MIDDLE + 64 + item * random.integer(0, 15);
    run(y);
    const stop = y + size * item;
    for (let i = MIDDLE; i < MIDDLE + 65536; i++) if ((i < y || i >= stop) && bytes[i] !== GUARD) assert.unreachable(`wrote at ${i - y} of ${size * item}`);
    return Uint8Array.from(bytes.subarray(y, stop));
  };

  for (const item of [1, 4, 8]) {
    const name = `place${8 * item}`;
    test(`${build}: ${name} moves every element of ${CASES} random layouts and touches nothing else`, () => {
      for (let n = 0; n < CASES; n++) {
        const most = item === 8 ? 30 : 40;
        const sizes: Strides = [random.integer(1, 3), random.pick([1, 2, 3, random.integer(1, most)]), random.pick([1, 2, 3, random.integer(1, most)])];
        const [n0, n1, n2] = sizes;
        const s2 = random.pick([0, 1, 1, 2, 3, -1, -2, n1, n1 + 1, -n1]);
        const s1 = random.pick([0, 1, 1, -1, n2, Math.abs(s2) * n2 + random.integer(0, 2)]);
        const s: Strides = [random.pick([0, 5, 50]), s1, s2];
        const t2 = random.pick([1, 1, 1, 2, 3]);
        const t1 = t2 * n2 + random.integer(0, 2);
        const t: Strides = [t1 * n1, t1, t2];
        const from = offsets(sizes, s);
        const to = offsets(sizes, t);
        const [low, high] = [Math.min(...from), Math.max(...from)];
        const x = n % 2 === 0 ? end - item * (high + 1) : -item * low;
        fill(x + item * low, x + item * (high + 1));
        const size = Math.max(...to) + 1;
        const got = written(size, item, (y) => void kernel(name)(y, x, ...sizes, ...t, ...s));
        const expected = new Uint8Array(size * item).fill(GUARD);
        for (const [i, p] of to.entries()) for (let b = 0; b < item; b++) expected[p * item + b] = bytes[x + from[i] * item + b];
        same(got, expected, `sizes ${sizes}, to ${t}, from ${s}`);
        assert.ok(n0 > 0);
      }
    });

    test(`${build}: where${8 * item} takes each element from the operand that its condition names, in ${CASES} random layouts`, () => {
      for (let n = 0; n < CASES; n++) {
        const sizes: Strides = [1, random.integer(1, 4), random.integer(1, 70)];
        const wide = (): Strides => random.pick<Strides>([[0, sizes[2], 1], [0, sizes[2], 1], [0, 0, 1], [0, 1, 0], [0, 0, 0]]); // biome-ignore format: strides
        const layouts = [wide(), wide(), wide()].map((strides) => ({ strides, at: offsets(sizes, strides) }));
        const width = (i: number): number => (i === 0 ? 1 : item);
        // one operand ends the memory, the others lie before it
        const last = n % 3;
        let low = 64;
        const starts = layouts.map(({ at }, i) => {
          const size = width(i) * (Math.max(...at) + 1);
          const start = i === last ? end - size : low;
          if (i !== last) low = Math.ceil((low + size) / 64) * 64;
          fill(start, start + size);
          if (i === 0) for (let b = 0; b < size; b++) bytes[start + b] = random.pick([0, 0, 1, 1, 255, 2]);
          return start;
        });
        const size = sizes[1] * sizes[2];
        const got = written(
          size,
          item,
          (y) => void kernel(`where${8 * item}`)(y, starts[0], starts[1], starts[2], ...sizes, ...layouts.flatMap((l) => l.strides)),
        );
        for (let i = 0; i < size; i++) {
          const taken = bytes[starts[0] + layouts[0].at[i]] !== 0 ? 1 : 2;
          const from = starts[taken] + layouts[taken].at[i] * item;
          same(got.subarray(i * item, (i + 1) * item), bytes.subarray(from, from + item), `sizes ${sizes}, element ${i}`);
        }
      }
    });
  }

  test(`${build}: padRows copies rows and fills what is around them, in ${CASES} random layouts`, () => {
    for (let n = 0; n < CASES; n++) {
      const item = random.pick([1, 4, 8]);
      const [n0, n1, row] = [random.integer(1, 3), random.integer(1, 4), random.integer(1, 40)];
      const [before, after] = [random.integer(0, 9), random.integer(0, 30)];
      const t1 = before + row + after;
      const size = n0 * n1 * row * item;
      const x = end - size;
      fill(x, end);
      fill(64, 72);
      const steps = [n1 * t1, t1, n1 * row, row, before, after].map((step) => step * item);
      const got = written(n0 * n1 * t1, item, (y) => void kernel("padRows")(y, x, 64, n0, n1, row * item, ...steps, item));
      for (let i = 0; i < n0 * n1 * t1; i++) {
        const column = (i % t1) - before;
        const from = column >= 0 && column < row ? x + (Math.floor(i / t1) * row + column) * item : 64;
        same(got.subarray(i * item, (i + 1) * item), bytes.subarray(from, from + item), `rows of ${row} x ${item} bytes, element ${i}`);
      }
    }
  });

  const real = build.startsWith("f32") ? Float32Array : Float64Array;
  const special = [
    0,
    -0,
    0.5,
    -0.5,
    -1.5,
    255,
    256,
    -1,
    300.7,
    2 ** 31,
    -(2 ** 31),
    1e10,
    -1e10,
    1e300,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    Number.NEGATIVE_INFINITY,
  ];
  const integer = (v: number): number => (Number.isNaN(v) ? 0 : Math.max(-(2 ** 31), Math.min(2 ** 31 - 1, Math.trunc(v))));

  test(`${build}: conversions give each element what JavaScript gives it, for every count to 50`, () => {
    const kinds = { fromFloat32: Float32Array, fromFloat64: Float64Array, fromInt32: Int32Array, fromUint8: Uint8Array };
    for (let count = 0; count <= 50; count++) {
      for (const [name, From] of Object.entries(kinds)) {
        const x = new From(memory.buffer, end - count * From.BYTES_PER_ELEMENT, count);
        for (let i = 0; i < count; i++) x[i] = random.integer(0, 1) === 0 ? random.pick(special) : random.integer(-100_000, 100_000) / 8;
        const got = written(count, real.BYTES_PER_ELEMENT, (y) => void kernel(name)(y, x.byteOffset, count));
        assert.equal([...new real(got.buffer)].map(String), [...real.from(x)].map(String), `${name} of ${count}`);
      }
      const x = new real(memory.buffer, end - count * real.BYTES_PER_ELEMENT, count);
      for (let i = 0; i < count; i++) x[i] = random.integer(0, 1) === 0 ? random.pick(special) : random.integer(-100_000, 100_000) / 8;
      const numbers = [...x];
      const to = (name: string, item: number): Uint8Array<ArrayBuffer> => written(count, item, (y) => void kernel(name)(y, x.byteOffset, count));
      assert.equal([...new Int32Array(to("toInt32", 4).buffer)], [...Int32Array.from(numbers, integer)], `toInt32 of ${count}`);
      assert.equal([...to("toUint8", 1)], [...Uint8Array.from(numbers, (v) => integer(v) & 255)], `toUint8 of ${count}`);
      assert.equal([...to("toBool", 1)], [...Uint8Array.from(numbers, (v) => (v !== 0 ? 1 : 0))], `toBool of ${count}`);
    }
  });
}

test.run();
