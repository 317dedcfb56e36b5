// What remote.test.ts has done in another thread, by name.
import * as tapir from "../../dist/index.js";
import { training } from "./training.mjs";

const { compile, ones, parallel, zeros } = tapir;

const jobs = {
  count({ input, report }) {
    for (let i = 0; i < input.n; i++) report({ i });
    return { sum: (input.n * (input.n - 1)) / 2, list: new Float32Array([1, 2]) };
  },
  threads: () => parallel.stats().threads,
  train({ input, report, signal }) {
    return training(tapir, { epochs: input.epochs, signal, onProgress: ({ epoch, step, training: { loss } }) => report({ epoch, step, loss }) });
  },
  /** One compiled step of 400 GFLOP, some seconds; planning it takes a few tenths of one. */
  step({ report }) {
    const w = zeros([512, 512]);
    const step = compile((x) => {
      for (let i = 0; i < 1500; i++) x = x.matmul(w);
      return x;
    });
    report("begins");
    try {
      step(ones([512, 512]));
    } catch (error) {
      report(error.message);
      throw error;
    }
  },
  /** Hears nothing. */
  deaf({ report }) {
    report("begins");
    for (;;);
  },
  async listens({ signal, report }) {
    report("begins");
    await new Promise((resolve) => signal.addEventListener("abort", resolve));
    report(signal.reason.message);
    return "a result all the same";
  },
  shape: () => ones([2, 3]).matmul(ones([2, 3])),
  async foreign() {
    throw new RangeError("too far", { cause: new Error("deeper") });
  },
  thrown() {
    throw "a string";
  },
  exit: ({ report }) => {
    report("last words");
    process.exit(7);
  },
  uncaught: () =>
    new Promise(() => {
      setTimeout(() => {
        throw new Error("nobody catches this");
      });
    }),
  tensor: () => ({ weights: ones([2]) }),
  reportsTensor: ({ report }) => report(ones([2])),
  serveAgain: () => parallel.serve(() => 1),
  prints({ input }) {
    for (let i = 0; i < input.n; i++) console.log(`line ${i}`);
    if (input.fails) throw new Error("after all lines");
  },
  /** Answers, and goes on. */
  stays() {
    setInterval(() => undefined, 1000);
    return "done";
  },
};

parallel.serve((job) => jobs[job.input.job](job));
