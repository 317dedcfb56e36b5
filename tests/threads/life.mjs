// A program with threads, run in a process of its own by life.test.ts: prints what it was asked for, and ends by itself.
//   life.mjs exit | two | worker | unshared | stats
import { isMainThread, parentPort, Worker } from "node:worker_threads";

const what = isMainThread ? process.argv[2] : "within";
if (what === "unshared") delete globalThis.SharedArrayBuffer;

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
  within: () => sumOf(tapir),
};
const answer = await answers[what]();
if (isMainThread) console.log(JSON.stringify(answer));
else parentPort.postMessage(answer);
