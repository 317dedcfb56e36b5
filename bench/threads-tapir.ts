// What the scaling of threads is measured on: kernel families as compiled functions, and the latency of fork and join.
import { Worker } from "node:worker_threads";
import { Capture } from "../bindings/capture.js";
import { grainOf } from "../bindings/cost.js";
import { kernelsOf } from "../bindings/kernels.js";
import { type HomeTask, reserveBlock, theMemory } from "../bindings/memory.js";
import { Program } from "../bindings/program.js";
import { batchNorm, compile, conv2d, dropout, grad, layerNorm, maxPool2d, ones, optim, randn, type Tensor, zeros } from "../ts-src/index.js";
import type { Case } from "./serve.mjs";

const MILLION = 1 << 20;
type Family = () => () => void;

function called(f: (...xs: Tensor[]) => Tensor | Tensor[], ...xs: Tensor[]): () => void {
  const call = compile(f as (...xs: Tensor[]) => Tensor);
  return () => void call(...xs);
}

function convolution(): [Tensor, Tensor] {
  return [randn([16, 32, 28, 28]), randn([64, 32, 3, 3])];
}

function adam(): () => void {
  const w = zeros([MILLION]);
  w.requiresGrad = true;
  const optimizer = new optim.Adam([w]);
  w.grad = randn([MILLION]);
  // its gradient stays: the update alone is measured
  return () => optimizer.step();
}

export const families: Readonly<Record<string, Family>> = {
  "matmul 128": () => called((a, b) => a.matmul(b), randn([128, 128]), randn([128, 128])),
  "matmul 512": () => called((a, b) => a.matmul(b), randn([512, 512]), randn([512, 512])),
  "matmul 1024": () => called((a, b) => a.matmul(b), randn([1024, 1024]), randn([1024, 1024])),
  "bmm 64 x 64 x 64 x 64": () => called((a, b) => a.matmul(b), randn([64, 64, 64]), randn([64, 64, 64])),
  "conv2d 32 to 64, 3 x 3, 28 x 28": () => called((x, w) => conv2d(x, w, null), ...convolution()),
  "conv2d, both gradients": () => {
    const slopes = grad((x: Tensor, w: Tensor) => conv2d(x, w, null).square().sum(), { wrt: [0, 1] }) as unknown as (...xs: Tensor[]) => Tensor[];
    return called(slopes, ...convolution());
  },
  "maxPool2d 2, 64 x 32 x 28 x 28": () => called((x) => maxPool2d(x, 2), randn([64, 32, 28, 28])),
  "add 1 M": () => called((a, b) => a.add(b), randn([MILLION]), randn([MILLION])),
  "add 8 M": () => called((a, b) => a.add(b), randn([8 * MILLION]), randn([8 * MILLION])),
  "tanh 1 M": () => called((x) => x.tanh(), randn([MILLION])),
  "dropout 1 M": () => called((x) => dropout(x, { p: 0.5 }), randn([MILLION])),
  "softmax 1024 x 1024": () => called((x) => x.softmax(), randn([1024, 1024])),
  "layerNorm 1024 x 1024": () => called((x, w, b) => layerNorm(x, [1024], w, b), randn([1024, 1024]), ones([1024]), zeros([1024])),
  "batchNorm and gradients, 64 x 32 x 14 x 14": () => {
    const statistics: [Tensor, Tensor] = [zeros([32]), ones([32])];
    const slopes = grad(
      (x: Tensor, w: Tensor, b: Tensor) =>
        batchNorm(x, ...statistics, w, b, { training: true })
          .square()
          .sum(),
      {
        wrt: [0, 1, 2],
      },
    ) as unknown as (...xs: Tensor[]) => Tensor[];
    return called(slopes, randn([64, 32, 14, 14]), ones([32]), zeros([32]));
  },
  "randn 1 M": () => () => randn([MILLION]).dispose(),
  "sum of rows 1024 x 1024": () => called((x) => x.sum({ axis: 1 }), randn([1024, 1024])),
  "sum of columns 1024 x 1024": () => called((x) => x.sum({ axis: 0 }), randn([1024, 1024])),
  "sum of 1 M": () => called((x) => x.sum(), randn([MILLION])),
  "Adam 1 M": adam,
};

const TASK = 4096; // elements of tanh: 2 to 3 us, which the leader would lose by doing both itself
const ROUNDS = 400; // over some seconds: how far apart the two cores are varies with the host
const RUNS = 200;
const PINGS = 20;

function median(times: number[]): number {
  times.sort((a, b) => a - b);
  return times[times.length >> 1];
}

/** A task's work, in memory of its own. */
function work(): HomeTask {
  const [y, x] = [reserveBlock(4 * TASK), reserveBlock(4 * TASK)];
  // the same for all: tanh takes longer for some
  new Float32Array(theMemory().buffer, x, TASK).fill(0.5);
  return { reads: [], writes: [], run: () => kernelsOf("float32").tanh(y, x, TASK) };
}

/** Runs a program of these tasks; answers the median us of some runs. */
function taskTime(tasks: readonly HomeTask[]): () => number {
  const capture = new Capture();
  capture.run(() =>
    capture.node(
      0,
      () => capture.divide(tasks),
      () => ({ reads: [], writes: [] }),
    ),
  );
  const program = new Program(capture, [], Number.POSITIVE_INFINITY);
  const once = (): number => {
    const started = performance.now();
    program.run(0, true);
    return 1000 * (performance.now() - started);
  };
  return () => median(Array.from({ length: RUNS }, once));
}

/** Sends an empty message to a thread, which sends it back; answers the median us of some. */
function pingTime(worker: Worker): () => Promise<number> {
  const ping = (): Promise<number> => {
    const started = performance.now();
    return new Promise((resolve) => {
      worker.once("message", () => resolve(1000 * (performance.now() - started)));
      worker.postMessage(0);
    });
  };
  return async () => {
    const times: number[] = [];
    for (let i = 0; i < PINGS; i++) times.push(await ping());
    return median(times);
  };
}

/** Messages, two tasks one at a time and both together, by turns: the best round of each. */
async function latency(): Promise<Record<string, number>> {
  const worker = new Worker('const { parentPort } = require("node:worker_threads"); parentPort.on("message", (m) => parentPort.postMessage(m));', {
    eval: true,
  });
  const tasks = [work(), work()];
  const times = [pingTime(worker), ...tasks.map((task) => taskTime([task])), taskTime(tasks)];
  const best = times.map(() => Number.POSITIVE_INFINITY);
  for (let round = 0; round < ROUNDS; round++) {
    for (const [i, time] of times.entries()) best[i] = Math.min(best[i], await time());
  }
  await worker.terminate();
  const [pingUs, first, second, together] = best;
  // where their memory lies makes one of them slower by some tenths
  return { forkJoinUs: together - Math.max(first, second), pingUs };
}

/** What the first question of a process to the cost model takes, in ms: it measures the machine then. */
async function calibration(): Promise<Record<string, number>> {
  const started = performance.now();
  grainOf({ flops: MILLION, bytes: MILLION });
  return { calibrationMs: performance.now() - started };
}

/**
 * "threads latency": fork and join of all threads beyond the work of one, and a message there and back; "threads calibration": of the
 * cost model, in a process that did nothing before; "threads FAMILY": a kernel family.
 */
export function threadCase(name: string): Case {
  if (name === "calibration") return { step: () => undefined, finish: calibration };
  if (name !== "latency") return { step: families[name]() };
  return { step: () => undefined, finish: latency };
}
