// The kernels of pools and interpolation in every build against plain twins, over random windows: positions exactly, means within
// the bound of a sum, transposes by <A x, y> = <x, A' y>. Guards lie around outputs and scratch.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { Random } from "../draw.js";

const GUARD = 0x7fc0beef; // a NaN in f32, and in f64 where it fills both halves
const MARGIN = 64; // guarded bytes before and after each block
const SEED = 20240613;
const CASES = 300;
console.log(`seed ${SEED}`);

const readKernels = (build: string) => readFileSync(join(process.cwd(), "build/kernels", `${build}.wasm`));
if (!WebAssembly.validate(readKernels("f32-relaxed"))) setFlagsFromString("--experimental-wasm-relaxed-simd"); // Node 20

for (const build of ["f32-strict", "f32-relaxed", "f64-strict", "f64-relaxed"]) {
  const single = build.startsWith("f32");
  const tolerance = single ? 1e-5 : 1e-13;
  const memory = new WebAssembly.Memory({ initial: 16, maximum: 65536, shared: true });
  const words = new Uint32Array(memory.buffer);
  const ints = new Int32Array(memory.buffer);
  const reals = single ? new Float32Array(memory.buffer) : new Float64Array(memory.buffer);
  const bytes = reals.BYTES_PER_ELEMENT;
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(readKernels(build)), { env: { memory } });
  const kernel = (name: string) => exports[name] as (...args: number[]) => number;
  const random = new Random(SEED);

  let top = 0;
  const writable: [number, number][] = [];
  const reset = (): void => {
    words.fill(GUARD);
    writable.length = 0;
    top = 0;
  };
  /** Room for output or scratch; all else must stay as it is. */
  const room = (size: number, align = 8): number => {
    const start = Math.ceil((top + MARGIN) / 64) * 64 + (align < 64 ? align : 0);
    top = start + size;
    writable.push([start, start + size]);
    return start;
  };
  const numbers = (array: typeof reals | Int32Array, values: readonly number[]): number => {
    const start = room(values.length * array.BYTES_PER_ELEMENT);
    writable.pop();
    array.set(values, start / array.BYTES_PER_ELEMENT);
    return start;
  };
  const untouched = (label: string, call: () => void): void => {
    const before = words.slice();
    call();
    for (let i = 0; i < top / 4 + 64; i++) {
      if (words[i] !== before[i] && !writable.some(([start, end]) => i * 4 >= start && i * 4 < end)) assert.unreachable(`${label}: wrote at ${i * 4}`);
    }
  };
  const drawn = (count: number): number[] => Array.from({ length: count }, () => (single ? Math.fround(random.unit() * 2 - 1) : random.unit() * 2 - 1));
  const at = (start: number, count: number): number[] => [...reals.subarray(start / bytes, start / bytes + count)];

  test(`${build}: maxPoolIndices and maxPool find the first largest element, or the last NaN, of ${CASES} random windows`, () => {
    for (let i = 0; i < CASES; i++) {
      reset();
      const planes = random.integer(1, 3);
      const halves = i % 3 === 0; // windows of 2 x 2 that touch have a way of their own
      const [h, w] = [random.integer(halves ? 2 : 1, 12), random.integer(halves ? 2 : 1, halves ? 24 : 12)];
      const [oh, ow] = halves ? [random.integer(1, h >> 1), random.integer(1, w >> 1)] : [random.integer(1, 9), random.integer(1, 9)];
      const [kh, kw, sy, sx] = halves ? [2, 2, 2, 2] : [random.integer(1, 4), random.integer(1, 4), random.integer(1, 3), random.integer(1, 3)];
      const [padY, padX, dy, dx] = halves ? [0, 0, 1, 1] : [random.integer(0, 3), random.integer(0, 3), random.integer(1, 3), random.integer(1, 3)];
      // few values, so that there are ties
      const x = Array.from({ length: planes * h * w }, () => random.pick([0, 1, 2, 3, Number.NEGATIVE_INFINITY, random.unit() < 0.2 ? Number.NaN : 4]));
      const label = `${build} ${JSON.stringify({ h, w, oh, ow, kh, kw, sy, sx, padY, padX, dy, dx })}`;
      const from = numbers(reals, x);
      const y = room(planes * oh * ow * 4);
      const scratch = room(kernel("maxPoolScratchBytes")(oh, ow, kh, kw, sy, sx, dy, dx), 64);
      const values = room(planes * oh * ow * bytes);
      const sizes = [scratch, planes, h, w, oh, ow, kh, kw, sy, sx, padY, padX, dy, dx];
      untouched(label, () => kernel("maxPoolIndices")(y, from, ...sizes));
      untouched(label, () => kernel("maxPool")(values, from, ...sizes));
      for (let n = 0; n < planes * oh * ow; n++) {
        const [p, r, c] = [Math.floor(n / (oh * ow)), Math.floor(n / ow) % oh, n % ow];
        let best = -1;
        let most = Number.NEGATIVE_INFINITY;
        for (let u = 0; u < kh; u++)
          for (let v = 0; v < kw; v++) {
            const [row, col] = [r * sy - padY + u * dy, c * sx - padX + v * dx];
            if (row < 0 || row >= h || col < 0 || col >= w) continue;
            const value = x[(p * h + row) * w + col];
            if (best === -1 || value > most || Number.isNaN(value)) {
              best = row * w + col;
              most = value;
            }
          }
        assert.is(ints[y / 4 + n], best, `${label} at ${n}`);
        assert.ok(Object.is(reals[values / bytes + n], most), `${label}: ${reals[values / bytes + n]} instead of ${most} at ${n}`);
      }
    }
  });

  test(`${build}: windowMean is right and windowMeanGrad its transpose in ${CASES} random cases`, () => {
    for (let i = 0; i < CASES; i++) {
      reset();
      const planes = random.integer(0, 2);
      const [oh, ow] = [random.integer(1, 9), random.integer(1, 9)];
      const table = (n: number, count: number): number[][] =>
        Array.from({ length: count }, () => {
          const start = random.integer(0, n);
          return [start, random.integer(start, n), random.integer(1, 5)];
        });
      const pairs = (count: number): number[][] => Array.from({ length: count }, (_, j) => [2 * j, 2 * j + 2, 3]);
      const halves = i % 3 === 0; // windows of 2 x 2 that touch have a way of their own
      const [h, w] = halves ? [2 * oh + random.integer(0, 1), 2 * ow + random.integer(0, 1)] : [random.integer(1, 12), random.integer(1, 12)];
      const [rows, cols] = halves ? [pairs(oh), pairs(ow)] : [table(h, oh), table(w, ow)];
      const [x, dy] = [drawn(planes * h * w), drawn(planes * oh * ow)];
      const [xAt, dyAt, rowsAt, colsAt] = [numbers(reals, x), numbers(reals, dy), numbers(ints, rows.flat()), numbers(ints, cols.flat())];
      const [y, dx, line] = [room(planes * oh * ow * bytes), room(planes * h * w * bytes), room(w * bytes)];
      untouched("windowMean", () => kernel("windowMean")(y, xAt, rowsAt, colsAt, line, planes, h, w, oh, ow));
      untouched("windowMeanGrad", () => kernel("windowMeanGrad")(dx, dyAt, rowsAt, colsAt, line, planes, h, w, oh, ow));
      const got = at(y, planes * oh * ow);
      for (const [n, value] of got.entries()) {
        const [p, r, c] = [Math.floor(n / (oh * ow)), Math.floor(n / ow) % oh, n % ow];
        let total = 0;
        for (let row = rows[r][0]; row < rows[r][1]; row++) for (let col = cols[c][0]; col < cols[c][1]; col++) total += x[(p * h + row) * w + col];
        assert.ok(Math.abs(value - total / (rows[r][2] * cols[c][2])) <= tolerance * 10, `${value} instead of ${total}`);
      }
      const dot = (a: readonly number[], b: readonly number[]): number => a.reduce((sum, v, j) => sum + v * b[j], 0);
      assert.ok(Math.abs(dot(got, dy) - dot(x, at(dx, planes * h * w))) <= tolerance * 100);
    }
  });

  test(`${build}: windowMean and windowMeanGrad have the bits of sums that begin with 0, by whichever way`, () => {
    for (let i = 0; i < 30; i++) {
      reset();
      const [oh, ow] = [random.integer(1, 4), random.integer(4, 9)];
      const pairs = (count: number): number[][] => Array.from({ length: count }, (_, j) => [2 * j, 2 * j + 2, 3]);
      // an empty window behind the others leaves the kernels only the general way
      const general = [...pairs(oh), [0, 0, 3]];
      const x = Array.from({ length: 4 * oh * ow }, () => random.pick([0, -0, -0, -0, random.unit() - 0.5]));
      const dy = Array.from({ length: oh * ow }, () => random.pick([0, -0, random.unit() - 0.5]));
      const [xAt, dyAt] = [numbers(reals, x), numbers(reals, [...dy, ...new Array(ow).fill(0)])];
      const [rows, cols, more] = [numbers(ints, pairs(oh).flat()), numbers(ints, pairs(ow).flat()), numbers(ints, general.flat())];
      const line = room(2 * ow * bytes);
      const [y, other] = [room(oh * ow * bytes), room((oh + 1) * ow * bytes)];
      kernel("windowMean")(y, xAt, rows, cols, line, 1, 2 * oh, 2 * ow, oh, ow);
      kernel("windowMean")(other, xAt, more, cols, line, 1, 2 * oh, 2 * ow, oh + 1, ow);
      for (const [n, value] of at(y, oh * ow).entries()) assert.ok(Object.is(value, reals[other / bytes + n]));
      const [dx, same] = [room(x.length * bytes), room(x.length * bytes)];
      kernel("windowMeanGrad")(dx, dyAt, rows, cols, line, 1, 2 * oh, 2 * ow, oh, ow);
      kernel("windowMeanGrad")(same, dyAt, more, cols, line, 1, 2 * oh, 2 * ow, oh + 1, ow);
      for (const [n, value] of at(dx, x.length).entries()) assert.ok(Object.is(value, reals[same / bytes + n]));
    }
  });

  test(`${build}: interpolate is right and interpolateGrad its transpose in ${CASES} random cases`, () => {
    for (let i = 0; i < CASES; i++) {
      reset();
      const planes = random.integer(0, 2);
      const [h, w, oh, ow] = [random.integer(1, 12), random.integer(1, 12), random.integer(1, 9), random.integer(1, 9)];
      const [rowTaps, colTaps] = [random.integer(1, 4), random.integer(1, 4)];
      const index = (n: number, count: number): number[] => Array.from({ length: count }, () => random.integer(0, n - 1));
      // neighbours that lie close together are picked by shuffles
      const close = Array.from({ length: ow }, (_, j) => Array.from({ length: colTaps }, (_, e) => Math.min(w - 1, (j >> 1) + e))).flat();
      const [rows, cols] = [index(h, oh * rowTaps), i % 2 === 0 ? close : index(w, ow * colTaps)];
      const [rowWeights, colWeights] = [drawn(oh * rowTaps), drawn(ow * colTaps)];
      const [x, dy] = [drawn(planes * h * w), drawn(planes * oh * ow)];
      const [xAt, dyAt] = [numbers(reals, x), numbers(reals, dy)];
      const tables = [numbers(ints, rows), numbers(reals, rowWeights), numbers(ints, cols), numbers(reals, colWeights)];
      const [y, dx, scratch] = [room(planes * oh * ow * bytes), room(planes * h * w * bytes), room(kernel("interpolateScratchBytes")(w, ow, colTaps))];
      const own = room(kernel("interpolateGradScratchBytes")(h, w, oh, ow, rowTaps, colTaps));
      const sizes = [rowTaps, colTaps, planes, h, w, oh, ow];
      untouched("interpolate", () => kernel("interpolate")(y, xAt, ...tables, scratch, ...sizes));
      untouched("interpolateGrad", () => kernel("interpolateGrad")(dx, dyAt, ...tables, own, ...sizes));
      const got = at(y, planes * oh * ow);
      for (const [n, value] of got.entries()) {
        const [p, r, c] = [Math.floor(n / (oh * ow)), Math.floor(n / ow) % oh, n % ow];
        let total = 0;
        for (let a = r * rowTaps; a < (r + 1) * rowTaps; a++)
          for (let e = c * colTaps; e < (c + 1) * colTaps; e++) total += rowWeights[a] * colWeights[e] * x[(p * h + rows[a]) * w + cols[e]];
        assert.ok(Math.abs(value - total) <= tolerance, `${value} instead of ${total}`);
      }
      const dot = (a: readonly number[], b: readonly number[]): number => a.reduce((sum, v, j) => sum + v * b[j], 0);
      assert.ok(Math.abs(dot(got, dy) - dot(x, at(dx, planes * h * w))) <= tolerance * 100);
    }
  });
}

test.run();
