// tapir's side: GEMM kernels beside the FMA peak, and eager training steps.
import { getHeapStatistics } from "node:v8";
import "../ts-src/fast.js";
import { kernelsOf } from "../bindings/kernels.js";
import { allocate, scratch, view } from "../bindings/memory.js";
import { compile, crossEntropy, layers, memory, optim, type Tensor, tensor } from "../ts-src/index.js";
import { autodiffCase } from "./autodiff-tapir.js";
import { opCase } from "./ops-tapir.js";
import { optimCase } from "./optim-tapir.js";
import { type Case, problem, serve, wave } from "./serve.mjs";
import { threadCase } from "./threads-tapir.js";

const LANES = 4; // of f32 in a vector
const CHAINS = 12; // of fmaPeak
const PEAK_MS = 2;

function gemm(name: string): Case {
  const [letters, size] = name.split(" ");
  const n = Number(size);
  const k = kernelsOf("float32");
  const [a, b, c] = [1, 2, 3].map(() => allocate(4 * n * n));
  view(a, n * n, "float32").set(wave(n * n, 1, 1));
  view(b, n * n, "float32").set(wave(n * n, 2, 1));
  const workspace = scratch(k.gemmScratchBytes(n, n, n));
  const kernel = k[`gemm${letters.toUpperCase()}` as "gemmNN"];
  const step = (): void => kernel(c, a, b, workspace, n, n, n, n, n, n);
  const iterations = 100_000;
  return {
    step,
    finish() {
      // the round's own best of short runs, and the peak between them
      let best = Number.POSITIVE_INFINITY;
      let peak = 0;
      const repeats = Math.max(1, Math.ceil(2e6 / n ** 3));
      const until = performance.now() + 20 * PEAK_MS;
      do {
        let started = performance.now();
        for (let i = 0; i < repeats; i++) step();
        best = Math.min(best, (performance.now() - started) / repeats);
        started = performance.now();
        k.fmaPeak(iterations);
        peak = Math.max(peak, (iterations * CHAINS * LANES * 2) / ((performance.now() - started) * 1e6));
      } while (performance.now() < until);
      return { bestUs: 1000 * best, peak };
    },
  };
}

const WARM_STEPS = 5000; // until the optimizing compiler has seen the step
const WINDOWS = 31; // the median leaves out those in which garbage was collected
const WINDOW_STEPS = 200;

/** What `steps` of a compiled function take of the memories, in bytes a step. */
function bytesOf(call: () => void): { heapBytes: number; wasmBytes: number } {
  for (let i = 0; i < WARM_STEPS; i++) call();
  const before = memory.stats().wasmBytes;
  const windows = Array.from({ length: WINDOWS }, () => {
    const used = getHeapStatistics().used_heap_size;
    for (let i = 0; i < WINDOW_STEPS; i++) call();
    return (getHeapStatistics().used_heap_size - used) / WINDOW_STEPS;
  });
  windows.sort((a, b) => a - b);
  return { heapBytes: windows[WINDOWS >> 1], wasmBytes: (memory.stats().wasmBytes - before) / (WINDOWS * WINDOW_STEPS) };
}

/**
 * "784-128-10 32": an eager step; "784-128-10 32 compiled": the same step as one program; "784-128-10 32 tracing": that
 * program made anew and run once; "784-128-10 32 bytes": what its steps take of the memories.
 */
function mlp(name: string): Case {
  const mode = name.split(" ")[2];
  const p = problem(name);
  const model = new layers.Sequential(new layers.Linear(p.inputs, p.hidden), new layers.ReLU(), new layers.Linear(p.hidden, p.outputs));
  model.loadStateDict({
    "0.weight": tensor(p.w1).reshape([p.hidden, p.inputs]),
    "0.bias": tensor(p.b1),
    "2.weight": tensor(p.w2).reshape([p.outputs, p.hidden]),
    "2.bias": tensor(p.b2),
  });
  const x = tensor(p.x).reshape([p.batch, p.inputs]);
  const y = tensor(p.labels);
  const optimizer = new optim.Adam(model.parameters());
  const train = (input: Tensor, target: Tensor): Tensor => {
    const loss = crossEntropy(model.forward(input), target);
    optimizer.zeroGrad();
    loss.backward();
    optimizer.step();
    return loss;
  };
  if (mode === "tracing") {
    return {
      step() {
        const fresh = compile(train);
        fresh(x, y);
        fresh.dispose();
      },
    };
  }
  const call = mode === undefined ? train : compile(train);
  if (mode === "bytes") {
    // batches of a loader lie at addresses of their own
    const inputs = [x, x.clone(), x.clone()];
    let next = 0;
    return { step: () => undefined, finish: () => bytesOf(() => void call(inputs[next++ % inputs.length], y).item()) };
  }
  if (mode === "compiled") call(x, y); // traced before the clock starts
  let last = 0;
  return {
    step() {
      last = call(x, y).item();
    },
    finish: () => ({ loss: last }),
  };
}

function caseOf(name: string): Case {
  if (name.startsWith("op ")) return opCase(name);
  if (name.startsWith("autodiff ")) return autodiffCase(name.slice("autodiff ".length));
  if (name.startsWith("optim ")) return optimCase(name.slice("optim ".length));
  if (name.startsWith("threads ")) return threadCase(name.slice("threads ".length));
  return name.includes("-") ? mlp(name) : gemm(name);
}

await serve(caseOf);
