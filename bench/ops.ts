// One op at a time, forward, and forward with backward, on about a million elements, against tfjs-wasm; slowest first.
import { Contestant, commands, note, verdict, WIDER } from "./contestants.js";
import { hasGradient, opNames } from "./ops-inputs.mjs";

const ROUNDS = 6;
const ROUND_MS = 25;
const ELEMENTS = 1e6;
/** Least share of the copy's element rate, and of its bandwidth where an op reads or writes more than a copy. */
const SHARES: Record<string, number> = { add: 0.9, relu: 0.9, exp: 0.25, tanh: 0.12, gelu: 0.12 };
/** Vectors read and written a result, against the copy's two. */
const TRAFFIC: Record<string, number> = { add: 3 / 2 };
const ROW_OPS = ["softmax", "logSoftmax", "layerNorm", "sumRows", "sumColumns", "sumAll", "mean", "maxRows", "minRows", "logsumexp"];
/** Bandwidth is what it is where the data lie in no cache: 8 M elements. At 1 M, in cache, the arithmetic of exp decides. */
const LARGE = "@8";
/** More of them: other programs disturb memory more than the caches of a core. */
const LARGE_ROUNDS = 15;
/** Reductions write next to nothing: half of the copy's bytes. */
const READS_ONLY = ["sumRows", "sumColumns", "sumAll", "mean", "maxRows", "minRows", "logsumexp"];

/** What has a target is measured in a newer Node too. */
const TARGETS = [...Object.keys(SHARES), ...ROW_OPS];

export async function ops(): Promise<object> {
  const found = commands();
  const own = new Contestant("tapir", found.get("tapir") as string[]);
  const newer = found.get(WIDER);
  const wider = newer && new Contestant(WIDER, newer);
  const tapirs = wider ? [own, wider] : [own];
  const peer = new Contestant("tfjs-wasm", found.get("tfjs-wasm") as string[]);
  const best = new Map<string, number>();
  const missing = new Set<string>();
  const measure = async (c: Contestant, name: string): Promise<void> => {
    const key = `${c.name} ${name}`;
    if (missing.has(key)) return;
    const answer = await c.round(name, ROUND_MS);
    if (answer.missing) missing.add(key);
    else best.set(key, Math.min(best.get(key) ?? Number.POSITIVE_INFINITY, answer.bestUs ?? answer.us));
  };
  for (let round = 0; round < ROUNDS; round++) {
    for (const key of opNames) {
      note(`ops: round ${round + 1} of ${ROUNDS}, ${key}`);
      for (const c of TARGETS.includes(key) ? tapirs : [own]) await measure(c, "op copy forward");
      if (wider && TARGETS.includes(key)) await measure(wider, `op ${key} forward`);
      for (const mode of hasGradient(key) ? ["forward", "both"] : ["forward"]) {
        for (const c of [own, peer]) await measure(c, `op ${key} ${mode}`);
      }
    }
  }
  for (let round = 0; round < LARGE_ROUNDS; round++) {
    for (const key of ["copy", ...ROW_OPS]) {
      note(`ops: round ${round + 1} of ${LARGE_ROUNDS}, ${key} of 8 M elements`);
      for (const c of tapirs) await measure(c, `op ${key}${LARGE} forward`);
    }
  }
  note("");
  own.stop();
  peer.stop();
  wider?.stop();

  const copy = best.get("tapir op copy forward") as number;
  const us = (name: string, key: string, mode: string): number | undefined => best.get(`${name} op ${key} ${mode}`);
  const ratio = (key: string, mode: string): number | undefined => {
    const [mine, theirs] = [us("tapir", key, mode), us("tfjs-wasm", key, mode)];
    return mine === undefined || theirs === undefined ? undefined : theirs / mine;
  };
  const least = (key: string): number => Math.min(ratio(key, "forward") ?? Number.POSITIVE_INFINITY, ratio(key, "both") ?? Number.POSITIVE_INFINITY);
  const cell = (value: number | undefined, digits: number): string => (value === undefined ? "-" : value.toFixed(digits)).padStart(10);
  console.log(
    `\nops, us a call, best of ${ROUNDS} rounds, one thread; x: how much faster than tfjs-wasm ("-": it has none); copy of 1 M elements: ${copy.toFixed(0)} us`,
  );
  const titles = ["forward", "tfjs-wasm", "x", "both", "tfjs-wasm", "x", ...(wider ? ["Node 24"] : [])];
  console.log(`${"op".padEnd(18)}${titles.map((title) => title.padStart(10)).join("")}`);
  for (const key of [...opNames].sort((a, b) => least(a) - least(b))) {
    const row = ["forward", "both"].flatMap((mode) => [cell(us("tapir", key, mode), 1), cell(us("tfjs-wasm", key, mode), 1), cell(ratio(key, mode), 2)]);
    if (wider && TARGETS.includes(key)) row.push(cell(us(WIDER, key, "forward"), 1));
    console.log(`${key.padEnd(18)}${row.join("")}`);
  }
  const slower = opNames.filter((key) => least(key) < 1);
  verdict(`faster than tfjs-wasm on every op that both have: ${slower.length === 0 ? "all" : `not ${slower.join(", ")}`}`, slower.length === 0);
  /** Time of an op over that of the copy in the same Node, for each Node. */
  const overCopy = (op: string, base: string): number[] =>
    tapirs.map((c) => (best.get(`${c.name} op ${op} forward`) as number) / (best.get(`${c.name} op ${base} forward`) as number));
  const figures = (values: readonly string[]): string => (values.length > 1 ? `${values[0]}, ${values[1]} with Node 24` : values[0]);
  for (const [key, share] of Object.entries(SHARES)) {
    const reached = overCopy(key, "copy").map((times) => (TRAFFIC[key] ?? 1) / times);
    const shown = figures(reached.map((part) => `${(100 * part).toFixed(0)} %`));
    verdict(`${key}: ${(100 * share).toFixed(0)} % of the copy of ${ELEMENTS / 1e6} M elements: ${shown}`, Math.max(...reached) >= share);
  }
  console.log(`rows of 8 M elements: copy ${figures(tapirs.map((c) => `${best.get(`${c.name} op copy${LARGE} forward`)?.toFixed(0)} us`))}`);
  for (const key of ROW_OPS) {
    const part = READS_ONLY.includes(key) ? 1 / 2 : 1;
    const beyond = overCopy(key + LARGE, `copy${LARGE}`).map((times) => times / part);
    const shown = figures(beyond.map((times) => `${times.toFixed(2)}x`));
    const small = figures(overCopy(key, "copy").map((times) => `${(times / part).toFixed(2)}x`));
    verdict(`${key}: within 1.5x of the copy bandwidth: ${shown} (at 1 M elements, in cache: ${small})`, Math.min(...beyond) <= 1.5);
  }
  return Object.fromEntries(best);
}
