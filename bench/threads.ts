// What threads bring: fork and join against a message there and back, then kernel families and whole steps on 1 to all cores.
import { availableParallelism } from "node:os";
import { Contestant, newerNode, note, TAPIR, verdict, WIDER } from "./contestants.js";
import { families } from "./threads-tapir.js";

const ROUNDS = 30;
const ROUND_MS = 25;
const LEAST_PINGS = 30; // fork and joins in a message's time
const steps = ["4-16-3 16", "784-128-10 32", "784-256-10 128", "784-1024-10 256"];
const targets: Record<string, number> = { "784-256-10 128": 1.6, "threads matmul 1024": 1.8 };
const TINY = "4-16-3 16";
const MOST_TINY = 1.05;
/** Of the time of one thread, for all else. */
const MOST_ANY = 1.05;
const MOST_CALIBRATION_MS = 20;
/** Of each number of threads for the tiny step, as where a process has its memory makes it up to a fifth faster or slower. */
const PROCESSES = 6;

/** us of the tiny step with one thread and with two. */
async function tinyStep(engine: string, command: readonly string[]): Promise<number[]> {
  const best = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
  for (let process = 0; process < PROCESSES; process++) {
    const pair = best.map((_, i) => new Contestant(`${i + 1}`, command, i + 1));
    for (let round = 0; round < ROUNDS / 3; round++) {
      note(`threads, ${engine}, ${TINY}: process ${process + 1} of ${PROCESSES}, round ${round + 1}`);
      for (const [i, one] of pair.entries()) best[i] = Math.min(best[i], (await one.round(`${TINY} compiled`, ROUND_MS)).us);
    }
    for (const one of pair) one.stop();
  }
  return best;
}

async function scaling(engine: string, command: readonly string[]): Promise<object> {
  const cores = availableParallelism();
  const counts = Array.from({ length: cores }, (_, i) => i + 1);
  const teams = counts.map((threads) => new Contestant(`${threads}`, command, threads));
  const figures: Record<string, number[]> = {};
  const { calibrationMs = Number.NaN } = await teams[counts.length - 1].round("threads calibration", 0);
  for (const name of [...steps.map((step) => `${step} compiled`), ...Object.keys(families).map((family) => `threads ${family}`)]) {
    const best = counts.map(() => Number.POSITIVE_INFINITY);
    for (let round = 0; round < ROUNDS; round++) {
      note(`threads, ${engine}, ${name}: round ${round + 1} of ${ROUNDS}`);
      for (const [i, team] of teams.entries()) best[i] = Math.min(best[i], (await team.round(name, ROUND_MS)).us);
    }
    figures[name] = best;
  }
  const tiny = await tinyStep(engine, command);
  const latency = await teams[counts.length - 1].round("threads latency", 0);
  note("");
  for (const team of teams) team.stop();
  console.log(`\nthreads, ${engine}: us, best of ${ROUNDS} rounds of ${ROUND_MS} ms; times as fast as one thread`);
  console.log(`${"".padEnd(34)}${counts.map((threads) => String(threads).padStart(10)).join("")}${counts.slice(1).map((threads) => `x${threads}`.padStart(8)).join("")}`); // biome-ignore format: a row
  for (const [name, best] of Object.entries(figures)) {
    const shown = name
      .replace("threads ", "")
      .replace(" compiled", "")
      .replace(/^(\S+-\S+) (\d+)$/, "step $1, batch $2");
    console.log(`${shown.padEnd(34)}${best.map((us) => us.toPrecision(4).padStart(10)).join("")}${best.slice(1).map((us) => (best[0] / us).toFixed(2).padStart(8)).join("")}`); // biome-ignore format: a row
  }
  const { forkJoinUs = Number.NaN, pingUs = Number.NaN } = latency;
  console.log(`fork and join of 2 threads, hot: ${forkJoinUs.toFixed(2)} us; a message there and back ${pingUs.toFixed(1)} us`);
  verdict(
    `the cost model measures the machine at first use in under ${MOST_CALIBRATION_MS} ms: ${calibrationMs.toFixed(1)} ms`,
    calibrationMs < MOST_CALIBRATION_MS,
  );
  if (cores < 2) {
    console.log("one core: nothing to compare");
    return { figures };
  }
  verdict(`fork and join ${LEAST_PINGS}x faster than a message: ${(pingUs / forkJoinUs).toFixed(0)}x`, pingUs / forkJoinUs >= LEAST_PINGS);
  for (const [name, target] of Object.entries(targets)) {
    const [one, two] = figures[name] ?? figures[`${name} compiled`];
    verdict(`${name.replace("threads ", "")}: ${target}x on 2 threads: ${(one / two).toFixed(2)}x`, one / two >= target);
  }
  // the tiny step is compared over several processes, below
  const others = Object.entries(figures).filter(([name]) => !name.startsWith(TINY));
  const [slowest, [alone, divided]] = others.reduce((a, b) => (a[1][1] / a[1][0] > b[1][1] / b[1][0] ? a : b));
  verdict(
    `nothing on 2 threads takes over ${MOST_ANY}x the time of one: ${slowest.replace("threads ", "")} ${(divided / alone).toFixed(3)}x`,
    divided / alone <= MOST_ANY,
  );
  const [one, two] = tiny;
  verdict(`tiny step on 2 threads at most ${MOST_TINY}x the time of one: ${(two / one).toFixed(3)}x`, two / one <= MOST_TINY);
  return { figures, tiny, forkJoinUs, pingUs, calibrationMs };
}

export async function threads(): Promise<object> {
  const newer = newerNode();
  const here = await scaling(`Node ${process.versions.node}`, TAPIR);
  if (newer === undefined || newer === process.execPath) return { here };
  return { here, [WIDER]: await scaling("Node 24", [newer, TAPIR[1]]) };
}
