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
  /** Large products until a worker of this thread has joined in; goes on until it is stopped if told so. */
  async divides({ input, report }) {
    const x = ones([256, 256]);
    while (parallel.stats().workers === 0 || input.goesOn) {
      x.matmul(x).dispose();
      if (parallel.stats().workers > 0) report("joined");
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  },
  train({ input, report, signal }) {
    return training(tapir, { epochs: input.epochs, signal, onProgress: ({ epoch, step, training: { loss } }) => report({ epoch, step, loss }) });
  },
  /** One compiled step of 400 GFLOP, some seconds, of few instructions, so that planning takes a small part of one. */
  step({ report }) {
    const w = zeros([1024, 1024]);
    const step = compile((x) => {
      for (let i = 0; i < 190; i++) x = x.matmul(w);
      return x;
    });
    report("begins");
    try {
      step(ones([1024, 1024]));
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
  throwsObject() {
    throw { status: 500, detail: "no room" };
  },
  throwsBare() {
    throw Object.assign(Object.create(null), { why: "bare" });
  },
  throwsRing() {
    const ring = {};
    throw Object.assign(ring, { ring });
  },
  throwsNothing() {
    throw undefined;
  },
  throwsFunction() {
    throw () => "secret";
  },
  throwsRevoked() {
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    throw proxy;
  },
  throwsGetter() {
    const error = new TypeError("hidden", { cause: "a string" });
    throw Object.defineProperty(error, "message", {
      get() {
        throw new Error("inner");
      },
    });
  },
  throwsForeignCode() {
    throw Object.assign(new Error("slow"), { code: "timeout" });
  },
  throwsMany() {
    const parts = [new RangeError("first"), Object.assign(new Error("second"), { code: "ENOENT" }), "third"];
    const all = new AggregateError(parts, "all failed");
    parts.push(all);
    throw all;
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
