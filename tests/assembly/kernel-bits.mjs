// node kernel-bits.mjs BUILD: calls every kernel of a build on fixed inputs and prints a JSON object, kernel -> hash of
// all memory that it may have written. Fails if a kernel is exported that it does not know how to call.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";

const build = process.argv[2];
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
const real = (ptr, n) => new (single ? Float32Array : Float64Array)(memory.buffer, ptr, n);
const [ROWS, COLS] = [17, 59];

function prepare() {
  new Uint8Array(memory.buffer, 65536).fill(0);
  k.writeConstants();
  let state = 1;
  const next = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
  const fill = (array, value) => {
    for (let i = 0; i < array.length; i++) array[i] = value(i);
  };
  for (const ptr of [Y, A, B, D]) fill(real(ptr, 8192), () => (next() - 0.5) * 8);
  fill(new Int32Array(memory.buffer, INDEX, 64), (i) => (i * 7) % COLS);
  fill(new Uint8Array(memory.buffer, BYTES, 8192), () => Math.floor(next() * 256));
  new Float64Array(memory.buffer, CELLS, 8).set([1e-3, 0.9, 0.999, 1e-8, 1e-2, 0.9, 0.999, 8]);
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
  n0: 3,
  n1: 5,
  n2: 7,
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
};
const calls = {
  copy8: () => k.copy8(Y, BYTES, 3, 5, 7, 100, 20, 2),
  fromFloat64: () => k.fromFloat64(Y, CELLS, 7),
  fromInt32: () => k.fromInt32(Y, INDEX, 64),
  fromUint8: () => k.fromUint8(Y, BYTES, N),
  takeRowsUint8: () => k.takeRowsUint8(Y, BYTES, INDEX, 20, 31, 0.0123, -0.4),
  takeRows: () => k.takeRows(Y, A, INDEX, 20, 31 * bytes),
  tril: () => k.tril(Y, A, 3, 7, 9, 2, bytes),
  triu: () => k.triu(Y, A, 3, 7, 9, -2, bytes),
  sumColumns: () => k.sumColumns(Y, A, 3, 37, 9),
  crossEntropy: () => k.crossEntropy(Y, A, INDEX, ROWS, COLS, 7, 0.1, 2),
  crossEntropyGrad: () => k.crossEntropyGrad(Y, D, A, INDEX, ROWS, COLS, 7, 0.1, 2),
  crossEntropyScale: () => k.crossEntropyScale(Y, INDEX, ROWS, 7, 2),
  sgd: () => k.sgd(A, B, CELLS, N),
  sgdMomentum: () => k.sgdMomentum(A, B, D, CELLS, N, 0, 1),
  adamAdvance: () => k.adamAdvance(CELLS),
  adam: () => {
    k.abs(D, D, N);
    k.adam(A, B, Y, D, CELLS, N);
  },
  philox: () => k.philox(Y, 1, 2, 3, 4, 5, 6),
  uniform: () => k.uniform(Y, N, -2, 3, 5, 6, 7, SCRATCH),
  normal: () => k.normal(Y, N, 5, 6, 7, SCRATCH),
  scatterAdd: () => k.scatterAdd(Y, A, INDEX, ...WALK, 15, 5, 1, 15, COLS, 0, 1) + k.scatterAdd(Y, A, INDEX, ...ROW_WALK, 0, 20, 1, 15, COLS, 0, 0.7),
  argsortRows: () => k.argsortRows(Y, A, SCRATCH, ROWS, COLS, 7, 1) + k.argsortRows(Y + 8192, A, SCRATCH, 3, 2000, 2000, 0),
  groupFirsts: () => k.groupFirsts(Y, INDEX, 64, COLS),
  groupSizes: () => k.groupSizes(Y, INDEX, 64, COLS),
  gemmScratchBytes: () => k.gemmScratchBytes(31, 33, 35),
  fmaPeak: () => k.fmaPeak(10),
};
for (const letters of ["NN", "NT", "TN", "TT"]) {
  for (const name of [`gemm${letters}`, `gemmAdd${letters}`]) calls[name] = () => k[name](Y, A, B, SCRATCH, 31, 33, 35, 37, 37, 39);
}
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
  .filter((key) => typeof k[key] === "function")
  .sort()) {
  prepare();
  const answer = call(name);
  hashes[name] = createHash("sha256").update(new Uint8Array(memory.buffer).slice(0, SCRATCH)).update(String(answer)).digest("hex").slice(0, 16);
}
console.log(JSON.stringify(hashes));
