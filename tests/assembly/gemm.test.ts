// The matrix products of every build, C[m,n] = op(A)[m,k] op(B)[k,n], against a plain twin: one chain over ascending k.
// Strict builds must give the twin's bits. Fused builds must lie within 2 (k + 2) u (|C| + sum |a| |b|) of the twin in f64,
// u = 2^-24 or 2^-53: twice the bound of Higham (2002, section 3.1), as the twin rounds too.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { test } from "uvu";
import * as assert from "uvu/assert";

type Gemm = (c: number, a: number, b: number, scratch: number, m: number, n: number, k: number, lda: number, ldb: number, ldc: number) => void;

const PAGES = 64;
const MEMORY_BYTES = PAGES * 65536;
const GUARD = 0x7fc0beef; // a NaN in f32, and in f64 where it fills both halves
const MARGIN = 8; // guarded elements before and after each operand

const ENDING = [
  [1, 1, 1],
  [3, 3, 3],
  [7, 9, 5],
  [13, 17, 7],
  [40, 45, 33],
  [6, 8, 4],
  [6, 8, 5],
  [12, 32, 7],
  [4, 4, 3],
  [48, 64, 3],
  [1, 16, 5],
  [1, 32, 6],
  [1, 64, 1],
  [16, 1, 5],
  [32, 1, 9],
] as const;

const readKernels = (build: string) => readFileSync(join(process.cwd(), "build/kernels", `${build}.wasm`));
if (!WebAssembly.validate(readKernels("f32-relaxed"))) setFlagsFromString("--experimental-wasm-relaxed-simd"); // Node 20

// wide: tiles as for an engine that runs pairs of vectors as one
const cases = ["f32-strict", "f32-relaxed", "f64-strict", "f64-relaxed"].flatMap((build) => [0, 1].map((wide) => ({ build, wide })));
for (const { build, wide } of cases) {
  const single = build.startsWith("f32");
  const strict = build.endsWith("strict");
  const memory = new WebAssembly.Memory({ initial: PAGES, maximum: PAGES, shared: true });
  const words = new Uint32Array(memory.buffer);
  const reals = single ? new Float32Array(memory.buffer) : new Float64Array(memory.buffer);
  const elementBytes = reals.BYTES_PER_ELEMENT;
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(readKernels(build)), { env: { memory } });
  const kernel = (name: string) => exports[name] as Gemm;
  const scratchBytes = exports.gemmScratchBytes as (m: number, n: number, k: number) => number;
  const round = single ? Math.fround : (x: number) => x;

  // A bump allocator: reset for each case, 16-byte aligned plus one element, so that no operand is aligned.
  const HEAP = 65536; // the tables lie below
  const writeTables = () => (exports.writeConstants as (wide: number) => void)(wide);
  writeTables();
  let top = 0;
  const reset = () => {
    top = HEAP;
  };
  const reserve = (count: number): number => {
    const start = top + MARGIN * elementBytes;
    top = (start + (count + MARGIN) * elementBytes + 15) & ~15;
    assert.ok(top <= MEMORY_BYTES);
    words.fill(GUARD, start / 4 - (MARGIN * elementBytes) / 4, top / 4);
    return start + elementBytes;
  };
  const reserveScratch = (m: number, n: number, k: number): number => {
    const start = (top + 63) & ~63;
    top = start + scratchBytes(m, n, k);
    assert.ok(top + 64 <= MEMORY_BYTES);
    words.fill(GUARD, start / 4, top / 4 + 16);
    return start;
  };
  const scratchIntact = () => words.subarray(top / 4, top / 4 + 16).every((word) => word === GUARD);

  /** Writes x[rows, columns], or its transpose, with `stride` elements between rows and guards in the gaps. */
  const writeMatrix = (x: ArrayLike<number>, rows: number, columns: number, transposed: boolean, stride: number): number => {
    const [outer, inner] = transposed ? [columns, rows] : [rows, columns];
    const start = reserve(Math.max(0, (outer - 1) * stride + inner));
    const first = start / elementBytes;
    for (let i = 0; i < outer; i++) for (let j = 0; j < inner; j++) reals[first + i * stride + j] = transposed ? x[j * columns + i]! : x[i * columns + j]!;
    return start;
  };

  /** The sum in the order and the roundings of the strict build, the sum in f64, and the bound. */
  const twin = (a: Sample, b: Sample, c: Sample | null, m: number, n: number, k: number) => {
    const exact = new Float64Array(m * n);
    const wide = new Float64Array(m * n);
    const bound = new Float64Array(m * n);
    const unit = single ? 2 ** -24 : 2 ** -53;
    for (let i = 0; i < m; i++) {
      for (let j = 0; j < n; j++) {
        let chain = c ? c[i * n + j]! : 0;
        let sum = chain;
        let size = Math.abs(chain);
        for (let p = 0; p < k; p++) {
          const product = a[i * k + p]! * b[p * n + j]!;
          chain = round(round(product) + chain);
          sum += product;
          size += Math.abs(product);
        }
        exact[i * n + j] = chain;
        wide[i * n + j] = sum;
        bound[i * n + j] = 2 * (k + 2) * unit * size;
      }
    }
    return { exact, wide, bound };
  };

  /** Runs one variant and returns the bits of C without its gaps, after checking values, gaps and margins. */
  const check = (variant: string, a: Sample, b: Sample, c: Sample, m: number, n: number, k: number, gap: number, want: Twin): Uint32Array => {
    reset();
    const add = variant.length > 2;
    const transA = variant.at(-2) === "T";
    const transB = variant.at(-1) === "T";
    const lda = (transA ? m : k) + gap;
    const ldb = (transB ? k : n) + 2 * gap;
    const ldc = n + gap;
    const pointerA = writeMatrix(a, m, k, transA, lda);
    const pointerB = writeMatrix(b, k, n, transB, ldb);
    const pointerC = add ? writeMatrix(c, m, n, false, ldc) : reserve((m - 1) * ldc + n);
    const endC = top;
    const scratch = reserveScratch(m, n, k);
    kernel(`gemm${variant}`)(pointerC, pointerA, pointerB, scratch, m, n, k, lda, ldb, ldc);

    const name = `${build}${wide ? ", wide," : ""} gemm${variant} ${m} x ${n} x ${k}`;
    const first = pointerC / elementBytes;
    const perElement = elementBytes / 4;
    const bits = new Uint32Array(m * n * perElement);
    for (let i = 0; i < m; i++) {
      for (let j = 0; j < n; j++) {
        const at = first + i * ldc + j;
        const got = reals[at]!;
        const to = i * n + j;
        const right = strict ? Object.is(got, want.exact[to]!) : Math.abs(got - want.wide[to]!) <= want.bound[to]!;
        if (!right) assert.unreachable(`${name}: C[${i},${j}] = ${got}, not ${strict ? want.exact[to] : want.wide[to]}`);
        for (let w = 0; w < perElement; w++) {
          bits[to * perElement + w] = words[at * perElement + w]!;
          words[at * perElement + w] = GUARD;
        }
      }
    }
    // With its values taken out, C and its surroundings must be nothing but guards.
    for (let w = pointerC / 4 - MARGIN * perElement; w < endC / 4; w++)
      if (words[w] !== GUARD) assert.unreachable(`${name}: wrote ${w * 4 - pointerC} bytes from the start of C`);
    if (!scratchIntact()) assert.unreachable(`${name}: wrote beyond gemmScratchBytes`);
    return bits;
  };

  /** All eight variants, with `gap` elements (for B twice as many) between rows. */
  const checkAll = (m: number, n: number, k: number, gap: number) => {
    const a = sample(m * k, round);
    const b = sample(k * n, round);
    const c = sample(m * n, round);
    const plain = twin(a, b, null, m, n, k);
    const added = twin(a, b, c, m, n, k);
    for (const kind of ["", "Add"]) {
      const bits = ["NN", "NT", "TN", "TT"].map((layout) => check(kind + layout, a, b, c, m, n, k, gap, kind ? added : plain));
      for (const other of bits.slice(1)) assert.ok(same(bits[0]!, other), `${build} ${m} x ${n} x ${k}: bits differ between layouts`);
    }
  };

  const tileM = strict ? 4 : 6;
  const tileN = single ? 8 : 4;

  test(`${build}${wide ? ", wide" : ""}: every product of up to two tiles and one is right and touches nothing around C`, () => {
    for (const k of [0, 1, 3, 5, 17, 64]) for (let m = 1; m <= 2 * tileM + 1; m++) for (let n = 1; n <= 2 * tileN + 1; n++) checkAll(m, n, k, 3);
  });

  test(`${build}${wide ? ", wide" : ""}: products of many tiles and of several blocks of k and of rows are right`, () => {
    for (const [m, n, k] of [
      [67, 131, 300],
      [64, 256, 784],
      [205, 37, 600],
      [401, 9, 40],
    ] as const)
      checkAll(m, n, k, 5);
    checkAll(67, 131, 300, 0);
    checkAll(14, 1024, 20, 0);
  });

  test(`${build}${wide ? ", wide" : ""}: a single row or column is right, with rows apart and without`, () => {
    for (const gap of [0, 1])
      for (const k of [0, 1, 2, 3, 4, 7, 64, 601, 1026])
        for (const n of [1, 3, 8, 15, 16, 31, 32, 33, 77]) {
          checkAll(1, n, k, gap);
          checkAll(n, 1, k, gap);
        }
  });

  test(`${build}${wide ? ", wide" : ""}: an empty C is left alone, and an empty sum gives zero or leaves C`, () => {
    for (const variant of ["NN", "NT", "TN", "TT", "AddNN", "AddNT", "AddTN", "AddTT"]) {
      for (const [m, n, k] of [
        [0, 5, 7],
        [5, 0, 7],
        [0, 0, 0],
        [0, 3, 0],
      ] as const) {
        reset();
        const pointer = reserve(64);
        const scratch = reserveScratch(m, n, k);
        kernel(`gemm${variant}`)(pointer, pointer, pointer, scratch, m, n, k, 8, 8, 8);
        assert.ok(
          words.subarray(HEAP / 4, scratch / 4).every((word) => word === GUARD),
          variant,
        );
      }
    }
  });

  test(`${build}${wide ? ", wide" : ""}: an operand may end at the last byte of memory or begin at the first`, () => {
    for (const variant of ["NN", "NT", "TN", "TT", "AddNN", "AddNT", "AddTN", "AddTT"]) {
      for (const [m, n, k] of ENDING) {
        const [lda, ldb] = [variant.at(-2) === "T" ? m : k, variant.at(-1) === "T" ? k : n];
        const lengths = [m * n, m * k, k * n].map((count) => count * elementBytes);
        for (let operand = 0; operand < 3; operand++) {
          for (const atEnd of [true, false]) {
            const pointers = [131072, 196608, 262144];
            pointers[operand] = atEnd ? MEMORY_BYTES - lengths[operand]! : 0;
            const [c, a, b] = pointers as [number, number, number];
            writeTables(); // what begins at the first byte was written over them
            kernel(`gemm${variant}`)(c, a, b, 1048576, m, n, k, lda, ldb, n);
          }
        }
      }
    }
  });

  test(`${build}${wide ? ", wide" : ""}: splitting rows or columns anywhere gives the same bits`, () => {
    const [m, n, k] = [29, 43, 611];
    for (const variant of ["NN", "NT", "TN", "TT", "AddNN", "AddTT"]) {
      const add = variant.length > 2;
      const transA = variant.at(-2) === "T";
      const transB = variant.at(-1) === "T";
      const lda = transA ? m : k;
      const ldb = transB ? k : n;
      reset();
      const a = writeMatrix(sample(m * k, round), m, k, transA, lda);
      const b = writeMatrix(sample(k * n, round), k, n, transB, ldb);
      const from = sample(m * n, round);
      const c = reserve(m * n);
      const scratch = reserveScratch(m, n, k);
      const part = (row: number, column: number, rows: number, columns: number) =>
        kernel(`gemm${variant}`)(
          c + (row * n + column) * elementBytes,
          a + row * (transA ? 1 : lda) * elementBytes,
          b + column * (transB ? ldb : 1) * elementBytes,
          scratch,
          rows,
          columns,
          k,
          lda,
          ldb,
          n,
        );
      const run = (...parts: [number, number, number, number][]): Uint32Array => {
        if (add) reals.set(from, c / elementBytes);
        for (const [row, column, rows, columns] of parts) part(row, column, rows, columns);
        return words.slice(c / 4, c / 4 + (m * n * elementBytes) / 4);
      };
      const whole = run([0, 0, m, n]);
      for (let i = 1; i < m; i++) assert.ok(same(run([0, 0, i, n], [i, 0, m - i, n]), whole), `${variant}, rows split at ${i}`);
      for (let j = 1; j < n; j++) assert.ok(same(run([0, 0, m, j], [0, j, m, n - j]), whole), `${variant}, columns split at ${j}`);
    }
  });

  test(`${build}${wide ? ", wide" : ""}: the peak loop returns a finite number`, () => {
    assert.ok(Number.isFinite((exports.fmaPeak as (n: number) => number)(1000)));
  });
}

type Sample = Float64Array;
type Twin = { exact: Float64Array; wide: Float64Array; bound: Float64Array };

let seed = 1;

/** Numbers in [-1, 1) that `round` leaves as they are; a linear congruential generator (Numerical Recipes, 7.1). */
function sample(count: number, round: (x: number) => number): Sample {
  return Float64Array.from({ length: count }, () => {
    seed = (Math.imul(seed, 1664525) + 1013904223) | 0;
    return round(seed / 2 ** 31 + seed / 2 ** 45);
  });
}

function same(x: Uint32Array, y: Uint32Array): boolean {
  return x.length === y.length && x.every((word, i) => word === y[i]);
}

test.run();
