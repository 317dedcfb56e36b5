// What a derivative costs, against its theory: time and nodes linear in the edges of a graph (Baur and Strassen 1983; Griewank and
// Walther 2008, section 3.3), a small multiple of the function's own time at any depth, and memory that checkpoints bring down to
// the square root of the depth (Chen et al. 2016). Tables, exponents by least squares on logarithms, and a picture each.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type ChartOptions, chart } from "./chart.mjs";
import { type Answer, Contestant, note, TAPIR, verdict } from "./contestants.js";
import { slope } from "./fit.js";

const FOLDER = "bench/results";
const ROUNDS = 5;
const ROUND_MS = 40;
const WARM_MS = 500;
const CHAIN = [16, 64, 256, 1024, 4096, 16_384];
const DENSE = [8, 16, 32, 64, 128];
const MLP = [4, 16, 64, 250, 1000, 4000];
const DEEP = [16, 64, 250, 1000, 4000];
/** Graphs with fewer edges tell the fixed cost of a call. */
const FITTED = 200;
/** MiB of new objects before garbage is collected: with less, what a large graph is made of is copied and what a small one is made of is not. */
const YOUNG = 512;
/** How far an exponent may lie above the theory's. */
const MARGIN = 0.15;
/** The time of the function and its derivative, against the function's. */
const RATIO = 3;
/** How much the ratio may grow from 16 layers to the deepest, and still be called flat. */
const FLAT = 1.15;
/** At 1,000 layers with checkpoints: share of the memory and multiple of the time of storing all. */
const [DEEP_AT, MEMORY, TIME] = [1000, 0.08, 1.4];

function tapir(...flags: string[]): Contestant {
  const [node, ...args] = TAPIR;
  return new Contestant("tapir", [node, ...flags, ...args]);
}

async function picture(name: string, options: ChartOptions): Promise<void> {
  mkdirSync(FOLDER, { recursive: true });
  const path = join(FOLDER, `${name}.svg`);
  writeFileSync(path, await chart(options));
  console.log(`        picture ${path}`);
}

/** Least processor time of each case over rounds in turn, us, and what the last answer tells besides. */
async function measured(contestant: (name: string) => Contestant, what: string, names: readonly string[]): Promise<Map<string, Required<Answer>>> {
  const best = new Map<string, Required<Answer>>();
  for (let round = 0; round < ROUNDS; round++) {
    for (const name of names) {
      note(`autodiff: ${what}, round ${round + 1} of ${ROUNDS}, ${name}`);
      // each case answers the figures that are read of it
      const answer = (await contestant(name).round(`autodiff ${name}`, ROUND_MS, { cpu: true })) as Required<Answer>;
      best.set(name, { ...answer, us: Math.min(best.get(name)?.us ?? Number.POSITIVE_INFINITY, answer.bestCpuUs) });
    }
  }
  note("");
  return best;
}

function row(cells: readonly (string | number)[], widths: readonly number[]): void {
  console.log(cells.map((cell, i) => String(cell).padStart(widths[i])).join(""));
}

function digits(value: number): string {
  return value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2);
}

/** Graphs of small ops: what grows with n, and how. */
async function growth(kind: "chain" | "dense", sizes: readonly number[], title: string): Promise<object> {
  const own = tapir(`--min-semi-space-size=${YOUNG}`, `--max-semi-space-size=${YOUNG}`);
  const names = sizes.flatMap((n) => ["graph", "forward", "gradient"].map((what) => `${kind} ${n} ${what}`));
  const best = await measured(() => own, title, names);
  own.stop();
  const found = sizes.map((n) => {
    const of = (what: string): Required<Answer> => best.get(`${kind} ${n} ${what}`) as Required<Answer>;
    const { edges, gradientNodes, us } = of("graph");
    return { n, edges, gradientNodes, makeUs: us, forwardUs: of("forward").us, gradientUs: of("gradient").us };
  });
  console.log(`\n${title}: us of processor time, best of ${ROUNDS} rounds`);
  const widths = [8, 10, 18, 16, 16, 16];
  row(["n", "edges", "gradient nodes", "gradient(graph)", "eager forward", "eager gradient"], widths);
  for (const p of found) row([p.n, p.edges, p.gradientNodes, digits(p.makeUs), digits(p.forwardUs), digits(p.gradientUs)], widths);
  const large = found.filter(({ edges }) => edges >= FITTED);
  const exponents = {
    nodes: slope(large.map((p) => ({ x: p.edges, y: p.gradientNodes }))),
    make: slope(large.map((p) => ({ x: p.edges, y: p.makeUs }))),
    gradient: slope(large.map((p) => ({ x: p.edges, y: p.gradientUs }))),
  };
  const labels = { nodes: "nodes of the gradient", make: "time of gradient(graph)", gradient: "time of the eager gradient" };
  for (const [key, exponent] of Object.entries(exponents))
    verdict(`${kind}: ${labels[key as keyof typeof labels]} linear in edges, exponent 1: ${exponent.toFixed(2)}`, exponent <= 1 + MARGIN);
  if (kind === "dense") {
    const inNodes = slope(large.map((p) => ({ x: p.n, y: p.gradientUs })));
    verdict(`dense: time of the eager gradient quadratic in nodes, exponent 2: ${inNodes.toFixed(2)}`, inNodes <= 2 + 2 * MARGIN);
  }
  await picture(`autodiff-${kind}`, {
    title: `Derivative of ${title}`,
    subtitle: `exponents in edges: gradient(graph) ${exponents.make.toFixed(2)}, eager gradient ${exponents.gradient.toFixed(2)}`,
    x: "edges of the graph",
    y: "microseconds of processor time",
    points: found.flatMap((p) => [
      { x: p.edges, y: p.makeUs, series: "gradient(graph)" },
      { x: p.edges, y: p.gradientUs, series: "eager gradient" },
      { x: p.edges, y: p.forwardUs, series: "eager forward" },
    ]),
  });
  return { points: found, exponents };
}

/** The derivative of a network, against its forward pass. */
async function ratio(): Promise<object> {
  const found: { layers: number; mode: string; forwardUs: number; gradientUs: number; ratio: number; reverse: number }[] = [];
  for (const layers of MLP) {
    // weights, gradients and activations of 4,000 layers are gigabytes, which go with their process
    const own = tapir();
    // the engine compiles a kernel well only after many calls, which five passes through 250 layers are not: 138 instead of 76 ms
    for (const mode of ["", " compiled"]) await own.round(`autodiff mlp 16 gradient${mode}`, WARM_MS);
    const best = await measured(
      () => own,
      "MLP",
      ["", " compiled"].flatMap((mode) => [`mlp ${layers} forward${mode}`, `mlp ${layers} gradient${mode}`]),
    );
    own.stop();
    for (const mode of ["", " compiled"]) {
      const [forwardUs, gradientUs] = ["forward", "gradient"].map((what) => best.get(`mlp ${layers} ${what}${mode}`)?.us as number);
      found.push({ layers, mode: mode.trim() || "eager", forwardUs, gradientUs, ratio: gradientUs / forwardUs, reverse: gradientUs / forwardUs - 1 });
    }
  }
  console.log(`\nMLP of n layers of 128 units, batch 128: us of processor time, best of ${ROUNDS} rounds; gradient: with its forward pass; reverse: without`);
  const widths = [8, 14, 12, 8, 10, 18, 12, 8, 10];
  row(["layers", "eager forward", "gradient", "x", "reverse x", "compiled forward", "gradient", "x", "reverse x"], widths);
  for (const layers of MLP) {
    const cells = found
      .filter((p) => p.layers === layers)
      .flatMap((p) => [digits(p.forwardUs), digits(p.gradientUs), p.ratio.toFixed(2), p.reverse.toFixed(2)]);
    row([layers, ...cells], widths);
  }
  for (const mode of ["eager", "compiled"]) {
    const own = found.filter((p) => p.mode === mode);
    const most = Math.max(...own.map((p) => p.reverse));
    const whole = Math.max(...own.map((p) => p.ratio));
    verdict(
      `${mode}: reverse pass at most ${RATIO}x of forward at every depth: ${most.toFixed(2)}x at worst, ${whole.toFixed(2)}x with the forward pass`,
      most <= RATIO,
    );
    const deeper = own.filter(({ layers }) => layers >= 16).map((p) => p.ratio);
    const grown = Math.max(...deeper) / Math.min(...deeper);
    verdict(`${mode}: flat from 16 layers on, within ${FLAT}x: ${grown.toFixed(2)}x`, grown <= FLAT);
  }
  await picture("autodiff-depth", {
    title: "The time of a gradient does not depend on depth",
    subtitle: "MLP of n layers of 128 units, batch 128",
    x: "layers",
    y: "reverse pass / forward pass",
    points: found.map((p) => ({ x: p.layers, y: p.reverse, series: p.mode })),
    targets: [{ y: RATIO, label: `target: at most ${RATIO}` }],
    linearY: true,
  });
  return { points: found };
}

/** What must be kept for a derivative, and what recomputing saves. */
async function memory(): Promise<object> {
  const found: { layers: number; mode: string; us: number; peak: number }[] = [];
  for (const layers of DEEP) {
    // peaks only rise, so each mode has a process of its own
    const own = new Map(["store", "checkpoint"].map((mode) => [`deep ${layers} ${mode}`, tapir()]));
    const best = await measured((name) => own.get(name) as Contestant, "memory", [...own.keys()]);
    for (const [name, contestant] of own) {
      contestant.stop();
      const { us, peak } = best.get(name) as Required<Answer>;
      found.push({ layers, mode: name.split(" ")[2], us, peak });
    }
    const [a, b] = [...best.values()].map(({ sum }) => sum);
    // the gradient of the one weight is summed a segment, which rounds otherwise
    if (!(Math.abs((a as number) - (b as number)) <= 1e-5 * Math.abs(a as number))) {
      throw new Error(`bench: expected the same gradient with checkpoints at ${layers} layers; got ${b} instead of ${a}`);
    }
  }
  const of = (layers: number, mode: string) => found.find((p) => p.layers === layers && p.mode === mode) as (typeof found)[number];
  console.log(`\nchain of n layers with one weight, 64 units, batch 128, checkpoints at sqrt(n) segments: us of processor time, best of ${ROUNDS} rounds`);
  const widths = [8, 14, 14, 8, 14, 14, 8];
  row(["layers", "stored MiB", "checkpoint", "%", "stored us", "checkpoint", "x"], widths);
  for (const layers of DEEP) {
    const [all, some] = [of(layers, "store"), of(layers, "checkpoint")];
    row([layers, digits(all.peak / 2 ** 20), digits(some.peak / 2 ** 20), ((100 * some.peak) / all.peak).toFixed(1), digits(all.us), digits(some.us), (some.us / all.us).toFixed(2)], widths); // biome-ignore format: a row
  }
  const [all, some] = [of(DEEP_AT, "store"), of(DEEP_AT, "checkpoint")];
  verdict(`${DEEP_AT} layers: peak memory with checkpoints at most ${100 * MEMORY} % of storing all: ${((100 * some.peak) / all.peak).toFixed(1)} %`, some.peak <= MEMORY * all.peak); // biome-ignore format: one call
  verdict(`${DEEP_AT} layers: time with checkpoints at most ${TIME}x: ${(some.us / all.us).toFixed(2)}x`, some.us <= TIME * all.us);
  const exponent = (mode: string): number => slope(found.filter((p) => p.mode === mode && p.layers >= 64).map((p) => ({ x: p.layers, y: p.peak })));
  const exponents = { store: exponent("store"), checkpoint: exponent("checkpoint") };
  verdict(`memory of storing all linear in depth, exponent 1: ${exponents.store.toFixed(2)}`, exponents.store <= 1 + MARGIN);
  verdict(`memory with checkpoints like the square root, exponent 0.5: ${exponents.checkpoint.toFixed(2)}`, exponents.checkpoint <= 0.5 + MARGIN);
  await picture("autodiff-memory", {
    title: "Checkpoints: memory of the square root of the depth",
    subtitle: `exponents ${exponents.store.toFixed(2)} and ${exponents.checkpoint.toFixed(2)}; at ${DEEP_AT.toLocaleString("en-US")} layers ${(some.us / all.us).toFixed(2)}x the time`,
    x: "layers",
    y: "peak memory of the gradient, MiB",
    points: found.map((p) => ({ x: p.layers, y: p.peak / 2 ** 20, series: p.mode === "store" ? "everything stored" : "checkpoints" })),
  });
  return { points: found, exponents };
}

export async function autodiff(): Promise<object> {
  return {
    chain: await growth("chain", CHAIN, "a chain of n ops"),
    dense: await growth("dense", DENSE, "n nodes, each reading all earlier ones"),
    ratio: await ratio(),
    memory: await memory(),
  };
}
