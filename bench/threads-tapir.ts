// What the scaling of threads is measured on: kernel families as compiled functions, and the latency of fork and join.
import { Worker } from "node:worker_threads";
import { Capture } from "../bindings/capture.js";
import { kernelsOf } from "../bindings/kernels.js";
import { type HomeTask, reserveBlock } from "../bindings/memory.js";
import { Program } from "../bindings/program.js";
import { compile, conv2d, dropout, grad, layerNorm, maxPool2d, ones, optim, randn, type Tensor, zeros } from "../ts-src/index.js";
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
  "sum of rows 1024 x 1024": () => called((x) => x.sum({ axis: 1 }), randn([1024, 1024])),
  "sum of columns 1024 x 1024": () => called((x) => x.sum({ axis: 0 }), randn([1024, 1024])),
  "sum of 1 M": () => called((x) => x.sum(), randn([MILLION])),
  "Adam 1 M": adam,
};

const TASK = 16384; // elements of tanh: 10 us
const RUNS = 2000;
const PINGS = 400;

function median(times: number[]): number {
  times.sort((a, b) => a - b);
  return times[times.length >> 1];
}

/** Median us of a program of as many tasks as threads, one each; `threads` 1: of one task alone. */
function taskTime(threads: number): number {
  const blocks = Array.from({ length: threads }, () => [reserveBlock(4 * TASK), reserveBlock(4 * TASK)]);
  const tasks = blocks.map(([y, x]): HomeTask => ({ reads: [], writes: [], run: () => kernelsOf("float32").tanh(y, x, TASK) }));
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
  for (let i = 0; i < RUNS; i++) once();
  return median(Array.from({ length: RUNS }, once));
}

/** Median us until an empty message has come back from a thread. */
async function pingTime(): Promise<number> {
  const worker = new Worker('const { parentPort } = require("node:worker_threads"); parentPort.on("message", (m) => parentPort.postMessage(m));', {
    eval: true,
  });
  const ping = (): Promise<number> => {
    const started = performance.now();
    return new Promise((resolve) => {
      worker.once("message", () => resolve(1000 * (performance.now() - started)));
      worker.postMessage(0);
    });
  };
  const times: number[] = [];
  for (let i = 0; i < 2 * PINGS; i++) times.push(await ping());
  await worker.terminate();
  return median(times.slice(PINGS));
}

/** "threads latency": fork and join of all threads beyond the work of one, and a message there and back; "threads FAMILY": a kernel family. */
export function threadCase(name: string): Case {
  if (name !== "latency") return { step: families[name]() };
  return {
    step: () => undefined,
    async finish() {
      const alone = taskTime(1);
      const forkJoinUs = taskTime(2) - alone;
      return { forkJoinUs, pingUs: await pingTime(), taskUs: alone };
    },
  };
}
