// Long runs that are done by hand (npm run soak): pools started and stopped, and steps beside a process that hogs a core.
import { spawn } from "node:child_process";
import { divideAlways } from "../../bindings/cost.js";
import { readyTeam } from "../../bindings/team.js";
import * as tapir from "../../ts-src/index.js";
import { progress, watchdog } from "./watch.js";

const { compile, configure, memory } = tapir;
type T = tapir.Tensor;
const CYCLES = 10_000;
const STEPS = 1_000_000;
/** Resident memory may differ by this much between a tenth of a run and its end: what the system keeps of ended threads. */
const MOST_GROWTH = 64 * 2 ** 20;

const f = (x: T, w: T): T => x.matmul(w).tanh().mul(x).sum({ axis: 0 });

function expectSame(y: T, expected: Buffer, where: string): void {
  if (!Buffer.from(y.data().buffer).equals(expected)) throw new Error(`${where}: wrong numbers`);
}

async function cycles(): Promise<void> {
  const [x, w] = [tapir.randn([24, 24]), tapir.randn([24, 24])];
  configure({ threads: 1 });
  const expected = Buffer.from(f(x, w).data().buffer);
  divideAlways(true);
  const call = compile(f);
  const dog = watchdog("cycles");
  let joined = 0;
  let before: { rss: number; bytes: number } | undefined;
  const started = performance.now();
  for (let i = 0; i < CYCLES; i++) {
    configure({ threads: 2 });
    call(x, w);
    // half of the pools are stopped before their worker is there
    if (i % 2 === 0) while (readyTeam() === undefined) await new Promise((resolve) => setTimeout(resolve, 1));
    if (readyTeam() !== undefined) joined++;
    for (let k = 0; k < 5; k++) expectSame(call(x, w), expected, `cycle ${i}`);
    configure({ threads: 1 });
    await new Promise((resolve) => setImmediate(resolve));
    dog.alive();
    if (i % 100 === 0) progress("cycles", i, CYCLES);
    if (i === CYCLES / 10) before = { rss: process.memoryUsage.rss(), bytes: memory.stats().bytes };
  }
  await new Promise((resolve) => setTimeout(resolve, 500));
  dog.end();
  call.dispose();
  divideAlways(false);
  const grown = process.memoryUsage.rss() - (before?.rss ?? 0);
  const seconds = (performance.now() - started) / 1000;
  console.log(
    `\r${CYCLES} pools started and stopped in ${seconds.toFixed(0)} s, ${joined} of them joined in: no wrong number, resident memory ${(grown / 2 ** 20).toFixed(1)} MiB beyond that after a tenth`,
  );
  if (grown > MOST_GROWTH) throw new Error(`resident memory grew by ${grown} bytes`);
}

async function hogged(): Promise<void> {
  // ends by itself if this process is gone
  const hog = spawn(process.execPath, ["-e", "const parent = process.ppid; while (process.ppid === parent) for (let i = 0; i < 1e8; i++);"]);
  try {
    await stepsBeside();
  } finally {
    hog.kill();
  }
}

async function stepsBeside(): Promise<void> {
  const [x, w] = [tapir.randn([24, 24]), tapir.randn([24, 24])];
  configure({ threads: 1 });
  const expected = Buffer.from(f(x, w).data().buffer);
  const alone = compile(f);
  const time = (call: typeof alone): number => {
    // traced, compiled and warm
    for (let i = 0; i < STEPS / 100; i++) call(x, w);
    const started = performance.now();
    for (let i = 0; i < STEPS / 10; i++) call(x, w);
    return (performance.now() - started) / (STEPS / 10);
  };
  const one = time(alone);
  configure({ threads: 2 });
  divideAlways(true);
  const call = compile(f);
  call(x, w);
  while (readyTeam() === undefined) await new Promise((resolve) => setTimeout(resolve, 1));
  const dog = watchdog("steps");
  const started = performance.now();
  for (let i = 0; i < STEPS; i++) {
    const y = call(x, w);
    if (i % 1000 === 0) {
      expectSame(y, expected, `step ${i}`);
      dog.alive();
      progress("steps", i, STEPS);
    }
  }
  const us = (1000 * (performance.now() - started)) / STEPS;
  dog.end();
  console.log(
    `\r${STEPS} steps of ${call.stats().instructions} instructions on 2 threads beside a process that hogs a core: ${us.toFixed(1)} us each (${(1000 * one).toFixed(1)} on one thread), no hang, no wrong number`,
  );
  call.dispose();
}

await hogged();
await cycles();
process.exit(0);
