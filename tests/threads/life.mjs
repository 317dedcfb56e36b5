// A program with threads, run in a process of its own by life.test.ts: prints what it was asked for, and ends by itself.
//   life.mjs exit | two | worker | unshared | refused | page
import { isMainThread, parentPort, Worker } from "node:worker_threads";

const what = isMainThread ? process.argv[2] : "within";
if (what === "unshared") delete globalThis.SharedArrayBuffer;
const builtin = process.getBuiltinModule;
const hide = (module) => {
  process.getBuiltinModule = (name) => (name === "node:worker_threads" ? module : builtin(name));
};
if (what === "refused") {
  hide({
    Worker: class {
      constructor() {
        throw new Error("no more of them");
      }
    },
  });
}
/** Of workers as a page has them: they end when they close themselves or are terminated. */
const page = { started: 0, ended: 0, addresses: 0 };
if (what === "page") {
  hide(undefined);
  const blobs = new Map();
  URL.createObjectURL = (blob) => {
    page.addresses++;
    const address = `blob:${page.started}`;
    blobs.set(address, blob);
    return address;
  };
  URL.revokeObjectURL = (address) => {
    page.addresses -= Number(blobs.delete(address));
  };
  const scope = `const { parentPort } = require("node:worker_threads"); const alive = setInterval(() => {}, 1e6);
    globalThis.addEventListener = (name, f) => parentPort.once("message", (data) => f({ data }));
    globalThis.postMessage = (message) => parentPort.postMessage(message); globalThis.close = () => clearInterval(alive);\n`;
  globalThis.Worker = class {
    constructor(address) {
      page.started++;
      this.thread = blobs
        .get(address)
        .text()
        .then((program) => {
          const worker = new Worker(scope + program, { eval: true });
          worker.unref();
          worker.on("exit", () => page.ended++);
          return worker;
        });
    }
    addEventListener(name, heard) {
      if (name === "message") this.thread.then((worker) => worker.on("message", (data) => heard({ data })));
    }
    postMessage(message) {
      this.thread.then((worker) => worker.postMessage(message));
    }
    terminate() {
      this.thread.then((worker) => worker.terminate());
    }
  };
}

const url = new URL("../../dist/index.js", import.meta.url).href;
const tapir = await import(url);

/** Sum of a few products, large enough for two threads; the same in every runtime. */
function sumOf(t) {
  t.configure({ deterministic: true });
  t.manualSeed(3);
  const [x, w] = [t.randn([256, 256]), t.randn([256, 256])];
  const call = t.compile((a, b) => a.matmul(b).tanh().sum());
  let sum = 0;
  const end = performance.now() + 300;
  while (performance.now() < end) sum = call(x, w).item();
  return sum;
}

const answers = {
  exit: () => sumOf(tapir),
  async two() {
    // another instance of the package, with a memory and threads of its own
    const other = await import(`${url}?other`);
    const [first, second] = [sumOf(tapir), sumOf(other)];
    // in turn, so that both teams are awake at once
    const [x, y] = [tapir.ones([512, 512]), other.ones([512, 512])];
    for (let i = 0; i < 50; i++) {
      tapir.scope(() => tapir.matmul(x, x).sum().item());
      other.scope(() => other.matmul(y, y).sum().item());
    }
    return [first, second, sumOf(tapir), sumOf(other)];
  },
  async worker() {
    const within = Array.from({ length: 2 }, () => new Worker(new URL(import.meta.url)));
    const sums = within.map((worker) => new Promise((resolve) => worker.once("message", resolve)));
    return [sumOf(tapir), ...(await Promise.all(sums))];
  },
  unshared: () => sumOf(tapir),
  refused: () => sumOf(tapir),
  async page() {
    const x = tapir.ones([256, 256]);
    const call = tapir.compile((t) => t.matmul(t));
    const pause = () => new Promise((resolve) => setTimeout(resolve, 10));
    for (let i = 0; i < 4; i++) {
      tapir.configure({ threads: 2 });
      call(x);
      while (tapir.parallel.stats().workers === 0) await pause();
      call(x);
      tapir.configure({ threads: 1 });
    }
    for (let i = 0; i < 200 && (page.ended < page.started || page.addresses > 0); i++) await pause();
    return [page.started, page.ended, page.addresses];
  },
  within: () => sumOf(tapir),
};
const answer = await answers[what]();
if (isMainThread) console.log(JSON.stringify(answer));
else parentPort.postMessage(answer);
