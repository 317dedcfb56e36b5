// node kernel-bits.mjs BUILD [wide]: calls every kernel of a build on fixed inputs and prints a JSON object, kernel -> hash of
// all memory that it may have written. Fails if a kernel is exported that it does not know how to call.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";

const build = process.argv[2];
const WIDE = process.argv[3] === "wide" ? 1 : 0; // matrix products cut as for vectors of 256 bits
const single = build.startsWith("f32");
const bytes = single ? 4 : 8;
const PAGES = 64;
const memory = new WebAssembly.Memory({ initial: PAGES, maximum: 65536, shared: true });
const trap = () => {
  throw new Error("abort");
};
const wasm = readFileSync(join(process.cwd(), "build/kernels", `${build}.wasm`));
const { exports: k } = new WebAssembly.Instance(new WebAssembly.Module(wasm), { env: { memory, abort: trap } });

const [Y, A, B, D, INDEX, BYTES, CELLS, SCRATCH] = [1, 2, 3, 4, 5, 6, 7, 8].map((i) => i * 262144);
const N = 1003; // not a multiple of any vector
const LONGEST = 262144 / 8; // elements between two of the addresses above
const real = (ptr, n) => new (single ? Float32Array : Float64Array)(memory.buffer, ptr, n);
const [ROWS, COLS] = [17, 59];

function prepare() {
  new Uint8Array(memory.buffer, 65536).fill(0);
  k.writeConstants(WIDE);
  let state = 1;
  const next = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
  const fill = (array, value) => {
    for (let i = 0; i < array.length; i++) array[i] = value(i);
  };
  for (const ptr of [Y, A, B, D]) fill(real(ptr, LONGEST), () => (next() - 0.5) * 8);
  fill(new Int32Array(memory.buffer, INDEX, 64), (i) => (i * 7) % COLS);
  fill(new Uint8Array(memory.buffer, BYTES, 8192), () => Math.floor(next() * 256));
  new Float64Array(memory.buffer, CELLS, 8).set([1e-3, 0.9, 0.999, 1e-8, 1e-2, 0.9, 0.999, 8]); // chunks of joinSums
}

/** Updates of optimizers, at a step 8, on w, g, state and cells; squares are kept above 0. */
function optimizers() {
  const [w, v, b] = [A, D, INDEX + 4096];
  const called = (fn) => () => {
    new Float64Array(memory.buffer, CELLS, 12).set([7, 1e-3, 1e-2, -1, 0.9, 0.999, 1e-8, 0.5, 0.3, 0.2, 0.1, 0.4]);
    for (const x of [Y, D]) k.abs(x, x, N);
    fn();
  };
  const updates = {
    countStep: () => k.countStep(CELLS),
    averageAdvance: () => k.averageAdvance(CELLS),
    average: () => k.average(w, B, CELLS, N),
    muonMomentum: () => k.muonMomentum(Y, B, A, CELLS, N),
    muonStep: () => k.muonStep(Y, A, CELLS, 1.5, N),
    sgd: () => k.sgd(w, B, CELLS, N),
  };
  for (const name of ["adagrad", "adam", "adamax", "nadam", "radam"]) updates[`${name}Advance`] = () => k[`${name}Advance`](CELLS);
  for (const name of ["sgdMomentum", "lion", "adagrad", "rmsprop"]) updates[name] = () => k[name](w, B, v, CELLS, N);
  for (const name of ["adam", "adamax", "nadam", "radam", "rmspropMomentum", "rmspropCentered"]) updates[name] = () => k[name](w, B, Y, v, CELLS, N);
  updates.adadelta = () => k.adadelta(w, B, v, Y, CELLS, N);
  for (const name of ["amsgrad", "rmspropCenteredMomentum"]) updates[name] = () => k[name](w, B, v, Y, b, CELLS, N);
  return Object.fromEntries(Object.entries(updates).map(([name, fn]) => [name, called(fn)]));
}

// What a parameter of this name gets; a kernel whose parameters mean something else has a call of its own below.
const usual = {
  y: Y,
  dx: Y,
  a: A,
  x: A,
  b: B,
  w: B,
  dy: D,
  g: D,
  index: INDEX,
  target: INDEX,
  scratch: SCRATCH,
  value: 1.1,
  n: N,
  rows: ROWS,
  cols: COLS,
  masked: 1,
  n0: 3,
  n1: 5,
  n2: 7,
  bStep: 1,
  cStep: 0,
  a0: 35,
  a1: 7,
  a2: 1,
  b0: 0,
  b1: 9,
  b2: 1,
  c: BYTES,
  c0: 7,
  c1: 0,
  c2: 1,
  low: -1.5,
  high: 2.5,
  least: -100,
  slope: 0.01,
  nan: 0.5,
  posinf: 9,
  neginf: -9,
  most: 1 << 30,
  s0: 100,
  s1: 20,
  s2: 2,
  t0: 150,
  t1: 25,
  t2: 3,
  alpha: 0.7,
  beta: 1.3,
  threshold: 2.5,
  scale: 1.1,
  outer: 3,
  count: 7,
  descending: 1,
  inner: 9,
  reverse: 1,
};
// groups, channels and image, output channels and image, kernel, strides, padding, dilations
const CONV = [2, 6, 12, 17, 10, 6, 14, 3, 3, 2, 1, 1, 1, 1, 2];
// planes, image, output, kernel, strides, padding, dilations: any windows, and those of 2 x 2 that touch
const POOLS = [
  [5, 9, 11, 4, 9, 3, 3, 2, 1, 1, 0, 1, 1],
  [5, 9, 14, 4, 7, 2, 2, 2, 2, 0, 0, 1, 1],
];
/** Writes a table of windows, first element, end and divisor; answers its address. */
function windows(at, count, n) {
  const table = Array.from({ length: count }, (_, i) => [Math.floor((i * n) / count), Math.ceil(((i + 1) * n) / count), 3]).flat();
  new Int32Array(memory.buffer, at, table.length).set(table);
  return at;
}
// sizes, strides of y and x: apart, transposed, dense, one element
const TRANSPOSES = [
  [3, 5, 7, 150, 25, 3, 100, 20, 2],
  [2, 19, 23, 500, 25, 1, 500, 1, 21],
  [2, 19, 23, 500, 25, 1, 500, 24, 1],
  [2, 19, 23, 500, 25, 1, 0, 0, 0],
  [2, 19, 3, 500, 25, 1, 500, 1, 21],
  [2, 2, 23, 500, 25, 1, 500, 1, 21],
  [2, 19, 3, 500, 25, 1, 500, 7, 1],
  [2, 5, 37, 500, 80, 1, 500, 90, 2],
  [2, 5, 21, 500, 80, 2, 500, 90, 3],
];
const calls = {
  writeConstants: () => k.writeConstants(WIDE),
  run: () => k.run(SCRATCH, SCRATCH), // tests/graph runs programs
  place8: () => TRANSPOSES.forEach((sizes, i) => void k.place8(Y + i * 2048, BYTES, ...sizes)),
  place32: () => TRANSPOSES.forEach((sizes, i) => void k.place32(Y + i * 8192, A, ...sizes)),
  place64: () => TRANSPOSES.forEach((sizes, i) => void k.place64(Y + i * 8192, A, ...sizes)),
  padRows: () => k.padRows(Y, A, B, 3, 5, 7 * bytes, 100 * bytes, 20 * bytes, 80 * bytes, 16 * bytes, 2 * bytes, 3 * bytes, bytes),
  copy8: () => k.copy8(Y, BYTES, 3, 5, 7, 100, 20, 2),
  fromFloat64: () => k.fromFloat64(Y, CELLS, 7),
  fromInt32: () => k.fromInt32(Y, INDEX, 64),
  fromUint8: () => k.fromUint8(Y, BYTES, N),
  takeRowsUint8: () => k.takeRowsUint8(Y, BYTES, INDEX, 20, 31, 0.0123, -0.4),
  takeRows: () => k.takeRows(Y, A, INDEX, 20, 31 * bytes),
  widen: () => k.widen(Y, BYTES, N),
  findFirst: () => k.findFirst(Y, A, A + 5 * bytes, 1, 37, 9, 0, 9, 1),
  findFirstInt32: () => k.findFirstInt32(Y, INDEX, INDEX + 20, 1, 5, 9, 0, 9, 1),
  onesAt: () => k.onesAt(Y, INDEX, 5, COLS, 3),
  absPower: () => k.absPower(Y, A, N, 1.7, 0, 1),
  cumsumInt32: () => k.cumsumInt32(Y, INDEX, 2, 5, 3),
  cumprodInt32: () => k.cumprodInt32(Y, INDEX, 2, 5, 3),
  powInt32: () => k.powInt32(Y, A, INDEX, 2, 3, 7, 35, 7, 1, 0, 9, 1),
  argsortSlicesInt32: () => k.argsortSlicesInt32(Y, INDEX, SCRATCH, 16, 4),
  argsortSlicesUint8: () => k.argsortSlicesUint8(Y, BYTES, SCRATCH, 100, 3),
  groupSlicesInt32: () => k.groupSlicesInt32(Y, INDEX, INDEX, 16, 4),
  groupSlicesUint8: () => k.groupSlicesUint8(Y, BYTES, INDEX, 60, 3),
  tril: () => k.tril(Y, A, 3, 7, 9, 2, bytes),
  triu: () => k.triu(Y, A, 3, 7, 9, -2, bytes),
  crossEntropy: () => k.crossEntropy(Y, A, INDEX, B, ROWS, COLS, 7, 0.1, 2),
  crossEntropyGrad: () => k.crossEntropyGrad(Y, D, A, INDEX, B, ROWS, COLS, 7, 0.1, 2),
  crossEntropyWithGrad: () => k.crossEntropyWithGrad(Y, D, A, INDEX, B, ROWS, COLS, 7, 0.1, 2),
  crossEntropyScale: () => k.crossEntropyScale(Y, INDEX, B, ROWS, COLS, 7, 0.1, 2),
  nllLoss: () => k.nllLoss(Y, A, INDEX, B, 3, COLS, 5, 7, 2),
  nllLossGrad: () => k.nllLossGrad(Y, D, INDEX, B, 3, COLS, 5, 7, 2),
  layerNorm: () => k.layerNorm(Y, A, B, D, ROWS, COLS - 2, 1, 1, 1e-5, 1),
  layerNormGrad: () => k.layerNormGrad(Y, D, A, B, ROWS, COLS - 2, 1, 1, 1e-5, 1),
  layerNormWeightGrad: () => k.layerNormWeightGrad(Y, D, A, SCRATCH, ROWS, COLS - 2, 1, 1, 1e-5, 1),
  batchStats: () => k.batchStats(Y, A, 3, 5, 31),
  batchNorm: () => k.batchNorm(Y, A, B, D, B, B, SCRATCH, 31, 15, 1, 100),
  lstmCell: () => k.lstmCell(Y, A, B, D, ROWS, COLS, ROWS * COLS),
  lstmCellGrad: () => k.lstmCellGrad(Y, D, A, B, A, ROWS, COLS, ROWS * COLS),
  batchNormGrad: () => k.batchNormGrad(Y, D, A, B, D, B, SCRATCH, 3, 5, 31, 100),
  batchNormWeightGrad: () => k.batchNormWeightGrad(Y, D, A, B, D, SCRATCH, 31, 15, 1, 100),
  movingAverage: () => k.movingAverage(Y, A, 101, 3, 0.1, 1.01),
  ...optimizers(),
  philox: () => k.philox(Y, 1, 2, 3, 4, 5, 6),
  conv2dScratchBytes: () => k.conv2dScratchBytes(...CONV),
  conv2d: () => k.conv2d(Y, A, B, D, SCRATCH, 2, ...CONV),
  conv2dGradInput: () => k.conv2dGradInput(Y, D, B, SCRATCH, 2, ...CONV),
  conv2dGradWeight: () => k.conv2dGradWeight(Y, A, D, SCRATCH, 2, ...CONV, 12 * 6 * 14),
  maxPoolIndices: () => POOLS.forEach((sizes, i) => void k.maxPoolIndices(Y + i * 4096, A, SCRATCH, ...sizes)),
  maxPool: () => POOLS.forEach((sizes, i) => void k.maxPool(Y + i * 4096 * 2, A, SCRATCH, ...sizes)),
  maxPoolScratchBytes: () => k.maxPoolScratchBytes(4, 9, 3, 3, 2, 1, 1, 1),
  planeGather: () => k.planeGather(Y, A, INDEX, 4, 16, COLS, 1.1),
  planeScatter: () => k.planeScatter(Y, A, INDEX, 4, 16, COLS),
  windowMean: () => {
    k.windowMean(Y, A, windows(BYTES, 4, 9), windows(BYTES + 256, 5, 11), SCRATCH, 6, 9, 11, 4, 5);
    k.windowMean(Y + 65536, A, windows(BYTES, 4, 8), windows(BYTES + 256, 7, 14), SCRATCH, 6, 9, 14, 4, 7);
  },
  windowMeanGrad: () => {
    k.windowMeanGrad(Y, A, windows(BYTES, 4, 9), windows(BYTES + 256, 5, 11), SCRATCH, 6, 9, 11, 4, 5);
    k.windowMeanGrad(Y + 65536, A, windows(BYTES, 4, 8), windows(BYTES + 256, 7, 14), SCRATCH, 6, 9, 14, 4, 7);
  },
  interpolate: () => k.interpolate(Y, A, INDEX, B, INDEX + 64, D, SCRATCH, 2, 2, 3, COLS, COLS, 8, 7),
  interpolateGrad: () => k.interpolateGrad(Y, A, INDEX, B, INDEX + 64, D, SCRATCH, 2, 2, 3, COLS, COLS, 8, 7),
  interpolateScratchBytes: () => k.interpolateScratchBytes(17, 33, 2),
  interpolateGradScratchBytes: () => k.interpolateGradScratchBytes(17, 33, 21, 40, 2, 2),
  uniform: () => k.uniform(Y, N, 32, -2, 3, 5, 6, 7, SCRATCH),
  normal: () => k.normal(Y, N, 32, 5, 6, 7, SCRATCH),
  randomWords: () => k.randomWords(Y, N, 32, 5, 6, 7, SCRATCH),
  randint: () => k.randint(Y, N, 32, -7, 100, 5, 6, 7, SCRATCH),
  shuffle: () => k.shuffle(Y, BYTES, N),
  dropout: () => k.dropout(Y, A, N, 32, 1e9, 1.5, 5, 6, 7, SCRATCH),
  scatterAdd: () => k.scatterAdd(Y, A, INDEX, ...WALK, 15, 5, 1, 15, COLS, 0, 1) + k.scatterAdd(Y, A, INDEX, ...ROW_WALK, 0, 20, 1, 15, COLS, 0, 0.7),
  argsortRows: () => k.argsortRows(Y, A, SCRATCH, ROWS, COLS, 7, 1) + k.argsortRows(Y + 8192, A, SCRATCH, 3, 2000, 2000, 0),
  groupFirsts: () => k.groupFirsts(Y, INDEX, 64, COLS),
  groupSizes: () => k.groupSizes(Y, INDEX, 64, COLS),
  gemmScratchBytes: () => k.gemmScratchBytes(31, 33, 35),
  fmaPeak: () => k.fmaPeak(10),
};
// m, n, k: tiles with edges; few rows, which are made as (B A')'; one row; one column; more than one block of k
const products = [
  [31, 33, 35],
  [12, 40, 20],
  [1, 33, 36],
  [33, 1, 36],
  [8, 40, 600],
];
for (const [a, b] of ["NN", "NT", "TN", "TT"]) {
  for (const name of [`gemm${a}${b}`, `gemmAdd${a}${b}`]) {
    calls[name] = () => {
      let y = Y;
      for (const [m, n, depth] of products) {
        // one column has a way of its own where it is contiguous
        const ldc = n === 1 ? 1 : n + 6;
        k[name](y, A, B, SCRATCH, m, n, depth, (a === "N" ? depth : m) + 2, (b === "N" ? n : depth) + 4, ldc);
        y += m * ldc * bytes;
      }
    };
  }
}
const ENDINGS = [[B, 0], [0, 1], [B, 4], [0, 8]]; // biome-ignore format: bias and epilogue
calls.gemmEpilogue = () => {
  let y = Y;
  for (const [m, n, depth] of products) {
    for (const layout of [0, 1, 2, 3]) {
      const [ta, tb] = [layout & 1, layout >> 1];
      for (const [bias, epilogue] of ENDINGS) {
        k.gemmEpilogue(y, A, B, bias, D, SCRATCH, m, n, depth, (ta ? m : depth) + 2, (tb ? depth : n) + 4, n, ta, tb, epilogue);
        y += m * n * bytes;
      }
    }
  }
};
// walks of gather and scatter over 2 x 3 x 5 positions, and over rows of 13 elements an index
const WALK = [2, 3, 5, 0, 5, 1, 15, 5, 1];
const ROW_WALK = [1, 20, 13, 0, 0, 1, 0, 1, 0];
for (const [bits, source] of [
  [8, BYTES],
  [32, A],
  [64, A],
]) {
  calls[`gather${bits}`] = () =>
    k[`gather${bits}`](Y, source, INDEX, ...WALK, 15, COLS, 0) + k[`gather${bits}`](Y + 512, source, INDEX, ...ROW_WALK, 15, COLS, 0);
  calls[`scatter${bits}`] = () =>
    k[`scatter${bits}`](Y, source, INDEX, ...WALK, 15, 5, 1, 15, COLS, 0) + k[`scatter${bits}`](Y, source, INDEX, ...ROW_WALK, 0, 20, 1, 15, COLS, 0);
}
for (const name of ["scatterProd", "scatterMax", "scatterMin"]) {
  for (const suffix of ["", "Int32"]) {
    calls[name + suffix] = () =>
      k[name + suffix](Y, A, INDEX, ...WALK, 15, 5, 1, 15, COLS, 0) + k[name + suffix](Y, A, INDEX, ...ROW_WALK, 0, 20, 1, 15, COLS, 0);
  }
}
calls.scatterAddInt32 = () => k.scatterAddInt32(Y, A, INDEX, ...WALK, 15, 5, 1, 15, COLS, 0);
for (const [suffix, source] of [
  ["", A],
  ["Int32", A],
  ["Uint8", BYTES],
]) {
  calls[`nonzero${suffix}`] = () => {
    new Int32Array(memory.buffer, B, 2).set([ROWS, COLS]);
    k[`nonzero${suffix}`](Y, source, B, N, 2);
  };
}

// rows, columns and short rows of each reduction, with a number for the last parameter if it has one
const layouts = [
  [7, 2, 550, 1, 1100, 550, 1, 0],
  [1, 1, 1100, 7, 0, 0, 7, 1],
  [1, 3, 37, 100, 0, 1500, 40, 1],
  [1, 1, 7, 50, 0, 0, 1, 9],
  [1, 1, 40, 11, 0, 0, 13, 3],
];
for (const name of ["sum", "sumSquares", "prod", "max", "min", "variance", "logsumexp"]) {
  calls[name] = () => layouts.forEach((sizes, i) => void k[name](Y + i * 4096, A, SCRATCH, ...sizes, 2));
}
for (const name of ["sumChunks", "sumSquaresChunks"]) calls[name] = () => k[name](Y, A, 3000);
calls.joinSums = () => k.joinSums(Y, CELLS, 7, 3);
for (const name of ["sumInt32", "prodInt32", "maxInt32", "minInt32"]) {
  calls[name] = () => layouts.forEach((sizes, i) => void k[name](Y + i * 4096, BYTES, SCRATCH, ...sizes));
}

// the kernels' signatures, as the compiler wrote them
const typings = readFileSync(join(process.cwd(), "build/kernels", `${build}.d.ts`), "utf8");
const parameters = new Map([...typings.matchAll(/^ {2}export function (\w+)\(([^)]*)\)/gm)].map(([, name, list]) => [name, list.match(/\w+(?=: )/g) ?? []]));

/** Calls a kernel: by its own entry, or with what its parameters' names say. */
function call(name) {
  if (calls[name]) return calls[name]();
  const names = parameters.get(name);
  const unknown = names.find((parameter) => !(parameter in usual));
  if (unknown) throw new Error(`kernel-bits.mjs: expected parameters ${Object.keys(usual).join(", ")} or an entry in calls; got ${name}(${names.join(", ")})`);
  return k[name](...names.map((parameter) => usual[parameter]));
}

const hashes = {};
for (const name of Object.keys(k)
  // teams compute nothing: tests/threads
  .filter((key) => typeof k[key] === "function" && !key.startsWith("team"))
  .sort()) {
  prepare();
  const answer = call(name);
  if (WIDE) k.writeConstants(0); // of the tables, that alone is to differ
  hashes[name] = createHash("sha256").update(new Uint8Array(memory.buffer).slice(0, SCRATCH)).update(String(answer)).digest("hex").slice(0, 16);
}
console.log(JSON.stringify(hashes));
