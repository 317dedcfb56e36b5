// npm run ulp [-- FUNCTION...]: the largest error of each elementary function in units in the last place, in each kernel
// build, against scripts/reference.js. Samples: every exponent of both signs with random mantissas, the interval where
// the function is neither constant nor its argument, and special values, which must come out as in C (Annex F).
// --quick: fewer samples; --json: one JSON object. Exits 1 if a bound is exceeded.
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import v8 from "node:v8";
import { reference, ulpError } from "./reference.js";
import { specialValues } from "./special-values.js";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
v8.setFlagsFromString("--experimental-wasm-relaxed-simd"); // Node 20

const { values: options, positionals } = parseArgs({
  options: { quick: { type: "boolean" }, json: { type: "boolean" }, seed: { type: "string", default: "1" } },
  allowPositionals: true,
});

/** Bounds in units [f32, f64], and where the function varies. */
const functions = {
  exp: { bounds: [2, 2], range: [-110, 95], wide: [-750, 712] },
  exp2: { bounds: [4, 4], range: [-151, 129], wide: [-1076, 1025] },
  expm1: { bounds: [4, 4], range: [-18, 95], wide: [-38, 712] },
  log: { bounds: [2, 2], range: [0.3, 3] },
  log2: { bounds: [4, 4], range: [0.3, 3] },
  log10: { bounds: [4, 4], range: [0.3, 3] },
  log1p: { bounds: [4, 4], range: [-1, 4] },
  sin: { bounds: [2, 2], range: [-50, 50] },
  cos: { bounds: [2, 2], range: [-50, 50] },
  tan: { bounds: [4, 4], range: [-50, 50] },
  asin: { bounds: [4, 4], range: [-1, 1] },
  acos: { bounds: [4, 4], range: [-1, 1] },
  atan: { bounds: [4, 4], range: [-4, 4] },
  atan2: { bounds: [4, 4], range: [-4, 4], second: [-4, 4] },
  sinh: { bounds: [4, 4], range: [-91, 91], wide: [-711, 711] },
  cosh: { bounds: [4, 4], range: [-91, 91], wide: [-711, 711] },
  tanh: { bounds: [2, 2], range: [-9.1, 9.1], wide: [-20, 20] },
  erf: { bounds: [2, 2], range: [-4, 4], wide: [-6, 6] },
  pow: { bounds: [4, 2], range: [0, 4], second: [-150, 150] },
  sigmoid: { bounds: [4, 4], range: [-105, 18], wide: [-746, 38] },
};

let state = Number(options.seed) >>> 0;
/** Uniform in [0, 1) with 53 bits (mulberry32, twice). */
function unit() {
  const word = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return (t ^ (t >>> 14)) >>> 0;
  };
  return ((word() >>> 5) * 67108864 + (word() >>> 6)) / 2 ** 53;
}

const formats = {
  f32: { bytes: 4, array: Float32Array, digits: 24, least: -126, exponents: 255, round: Math.fround },
  f64: { bytes: 8, array: Float64Array, digits: 53, least: -1022, exponents: 2047, round: (x) => x },
};

/** Numbers of every exponent and sign. */
function everyExponent(format, each) {
  const { digits, least, exponents, round } = format;
  const xs = [];
  for (let e = 0; e < exponents; e++) {
    for (let i = 0; i < each; i++) {
      const mantissa = i === 0 ? 0 : i === 1 ? 1 - 2 ** (1 - digits) : unit();
      const x = round((e === 0 ? mantissa : 1 + mantissa) * 2 ** (least + Math.max(e, 1) - 1));
      if (x !== 0 && Number.isFinite(x)) xs.push(x, -x);
    }
  }
  return xs;
}
function uniform(format, [low, high], count) {
  return Array.from({ length: count }, () => format.round(low + unit() * (high - low))).filter((x) => x !== 0);
}
/** Numbers next to multiples of pi/2, halves of ln 2 and powers of two, where a reduction changes its branch. */
function seams(format, count) {
  const xs = [];
  for (let i = 1; i <= count; i++) {
    for (const step of [Math.PI / 2, Math.PI / 4, Math.LN2 / 2, 0.5, Math.SQRT2 - 1, Math.SQRT1_2]) {
      const x = format.round(i * step);
      xs.push(x, -x, format.round(x * (1 + 2 ** (1 - format.digits))), format.round(x * (1 - 2 ** (1 - format.digits))));
    }
  }
  return xs;
}

function inDomain(name, x, y) {
  if (name === "asin" || name === "acos") return Math.abs(x) <= 1 && !(name === "acos" && x === 1);
  if (name === "log1p") return x > -1;
  if (name.startsWith("log")) return x > 0 && x !== 1;
  if (name === "pow") return x > 0 && y !== 0 && x !== 1;
  return true;
}

/** [arguments, exact results] of a function in a format. */
function samples(name, format) {
  const { range, wide = range, second } = functions[name];
  const active = format.bytes === 4 ? range : wide;
  const each = (format.bytes === 4 ? 64 : 6) / (options.quick ? (format.bytes === 4 ? 10 : 3) : 1);
  const count = options.quick ? 1500 : 20000;
  const first = [...everyExponent(format, Math.ceil(each)), ...uniform(format, active, count), ...seams(format, options.quick ? 20 : 200)];
  const args = [];
  if (second === undefined) for (const x of first) args.push([x, 0]);
  else {
    for (const x of uniform(format, range, 2 * count)) {
      const span = name === "pow" ? (format.bytes === 4 ? 130 : 1030) / Math.max(0.05, Math.abs(Math.log2(Math.abs(x)))) : 4;
      args.push([x, format.round((2 * unit() - 1) * span)]);
    }
    const others = everyExponent(format, 2);
    for (const x of first) {
      const other = name === "pow" ? format.round(((2 * unit() - 1) * (format.bytes === 4 ? 150 : 1080)) / Math.log2(Math.abs(x))) : x * (0.1 + 3 * unit());
      args.push([x, format.round(other)], [x, others[Math.floor(unit() * others.length)]]);
    }
  }
  const kept = args.filter(([x, y]) => Number.isFinite(y) && (second === undefined || y !== 0) && inDomain(name, x, y));
  return { args: kept, exact: kept.map(([x, y]) => reference[name](x, y)) };
}

const PAGES = 512;
const memory = new WebAssembly.Memory({ initial: PAGES, maximum: 65536, shared: true });
function kernels(build) {
  const abort = () => {
    throw new Error("abort");
  };
  const module = new WebAssembly.Module(readFileSync(join(root, "build/kernels", `${build}.wasm`)));
  const { exports } = new WebAssembly.Instance(module, { env: { memory, abort } });
  exports.writeConstants(0);
  return exports;
}

/** The kernel's results, a list for a list. */
function run(k, name, format, args) {
  const n = args.length;
  const bytes = Math.ceil((n * format.bytes) / 64) * 64;
  const [a, b, y] = [0, 1, 2].map((i) => 65536 + i * bytes);
  if (y + bytes > PAGES * 65536) throw new Error("ulp: more samples than memory");
  new format.array(memory.buffer, a, n).set(args.map(([x]) => x));
  new format.array(memory.buffer, b, n).set(args.map(([, x]) => x));
  if (functions[name].second) k[name](y, a, b, 1, 1, n, 0, 0, 1, 0, 0, 1);
  else k[name](y, a, n);
  return Array.from(new format.array(memory.buffer, y, n));
}

/** What comes out wrong for the special values, as text. */
function wrongSpecial(k, name, format) {
  const rows = [...specialValues(name), [Number.NaN, ...(functions[name].second ? [2] : []), Number.NaN]];
  const args = rows.map((row) => [row[0], row.length > 2 ? row[1] : 0]);
  const expected = rows.map((row) => format.round(row[row.length - 1]));
  // also one by one, as no other lane may decide
  const alone = args.map((one) => run(k, name, format, [one])[0]);
  return run(k, name, format, args).flatMap((y, i) =>
    Object.is(y, expected[i]) && Object.is(alone[i], y) ? [] : [`${name}(${args[i].join(", ")}) = ${y}, ${alone[i]}, expected ${expected[i]}`],
  );
}

const builds = { f32: ["f32-strict", "f32-relaxed"], f64: ["f64-strict", "f64-relaxed"] };
const names = Object.keys(functions).filter((name) => positionals.length === 0 || positionals.includes(name));
const rows = [];
for (const name of names) {
  const row = { name, samples: 0, errors: {}, worst: {}, wrong: [] };
  for (const [element, list] of Object.entries(builds)) {
    const format = formats[element];
    const { args, exact } = samples(name, format);
    row.samples += args.length;
    for (const build of list) {
      const k = kernels(build);
      const ys = run(k, name, format, args);
      let worst = 0;
      let at = 0;
      for (let i = 0; i < ys.length; i++) {
        const error = ulpError(ys[i], exact[i], format.digits, format.least);
        if (error > worst) [worst, at] = [error, i];
      }
      row.errors[build] = worst;
      row.worst[build] = functions[name].second ? args[at] : args[at].slice(0, 1);
      row.wrong.push(...wrongSpecial(k, name, format).map((text) => `${build}: ${text}`));
    }
  }
  row.bounds = { f32: functions[name].bounds[0], f64: functions[name].bounds[1] };
  row.passes = row.wrong.length === 0 && Object.entries(row.errors).every(([build, error]) => error <= row.bounds[build.slice(0, 3)]);
  rows.push(row);
  if (!options.json) {
    if (rows.length === 1) {
      console.log("| function | bound f32 | f32 strict | f32 relaxed | bound f64 | f64 strict | f64 relaxed | samples |\n|---|---|---|---|---|---|---|---|");
    }
    const cells = Object.values(row.errors).map((error) => error.toFixed(2));
    console.log(`| ${[name, row.bounds.f32, cells[0], cells[1], row.bounds.f64, cells[2], cells[3], row.samples].join(" | ")} |`);
    for (const text of row.wrong) console.log(text);
    if (!row.passes) console.log(`exceeds its bound: ${JSON.stringify(row.worst)}`);
  }
}
if (options.json) console.log(JSON.stringify(rows));
process.exit(rows.every((row) => row.passes) ? 0 : 1);
