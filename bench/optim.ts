// A fused step of each optimizer on a million weights, in us on one thread: against what copying its bytes, or its square roots and
// quotients, would take, and Adam against PyTorch's two ways.
import { Contestant, commands, note, verdict, WIDER } from "./contestants.js";

const N = 1_000_000;
const ROUNDS = 20;
const ROUND_MS = 20;
const SHARE = 0.6;
const TIMES = 1.5;
const BYTES = 4;

/** Vectors of N that a step reads and writes, and its square roots and quotients an element. */
const optimizers: Record<string, { vectors: number; roots: number; quotients: number }> = {
  SGD: { vectors: 3, roots: 0, quotients: 0 },
  "SGD momentum": { vectors: 5, roots: 0, quotients: 0 },
  Adagrad: { vectors: 5, roots: 1, quotients: 1 },
  RMSprop: { vectors: 5, roots: 1, quotients: 1 },
  Adadelta: { vectors: 7, roots: 2, quotients: 1 },
  Adam: { vectors: 7, roots: 1, quotients: 1 },
  AdamW: { vectors: 7, roots: 1, quotients: 1 },
  AMSGrad: { vectors: 9, roots: 1, quotients: 1 },
  Adamax: { vectors: 7, roots: 0, quotients: 1 },
  NAdam: { vectors: 7, roots: 1, quotients: 1 },
  RAdam: { vectors: 7, roots: 1, quotients: 1 },
  Lion: { vectors: 5, roots: 0, quotients: 0 },
};
const BOUNDS = ["copy", "roots", "quotients"];
const PEER = ["Adam", "Adam foreach"];

export async function optim(): Promise<object> {
  const contestants = [...commands()]
    .filter(([name]) => name === "tapir" || name === WIDER || name === "PyTorch")
    .map(([name, command]) => new Contestant(name, command));
  const best = new Map<string, number>();
  for (let round = 0; round < ROUNDS; round++) {
    for (const c of contestants) {
      note(`optim: round ${round + 1} of ${ROUNDS}, ${c.name}`);
      for (const name of c.name === "PyTorch" ? PEER : [...BOUNDS, ...Object.keys(optimizers)]) {
        const { us, elements = N } = await c.round(`optim ${name}`, ROUND_MS);
        const key = `${c.name} ${name}`;
        best.set(key, Math.min(best.get(key) ?? Number.POSITIVE_INFINITY, (us * N) / elements));
      }
    }
  }
  note("");
  for (const c of contestants) c.stop();
  const own = contestants.map(({ name }) => name).filter((name) => name !== "PyTorch");
  const of = (who: string, what: string): number => best.get(`${who} ${what}`) ?? Number.NaN;
  for (const who of own) {
    const copyUs = of(who, "copy");
    const rate = (2 * BYTES * N) / (copyUs * 1000);
    console.log(`\n${who}: a step of ${N} weights, us, best of ${ROUNDS} rounds, one thread; a copy moves ${rate.toFixed(1)} GB/s`);
    for (const [name, { vectors, roots, quotients }] of Object.entries(optimizers)) {
      const us = of(who, name);
      const copying = (copyUs / 2) * vectors;
      const dividing = of(who, "roots") * roots + of(who, "quotients") * quotients;
      const [bound, what] = copying >= dividing ? [copying, "copy bandwidth"] : [dividing, "div/sqrt bound"];
      const share = bound / us;
      verdict(
        `${name.padEnd(13)} ${us.toFixed(0).padStart(6)} us, ${(100 * SHARE).toFixed(0)} % of the ${what}: ${(100 * share).toFixed(0)} %`,
        share >= SHARE,
      );
    }
  }
  const fastest = Math.min(...PEER.map((name) => best.get(`PyTorch ${name}`) ?? Number.POSITIVE_INFINITY));
  if (Number.isFinite(fastest)) {
    for (const name of PEER) console.log(`PyTorch ${name}: ${of("PyTorch", name).toFixed(0)} us`);
    const times = Math.max(...own.map((who) => fastest / of(who, "Adam")));
    const each = own.map((who) => `${who} ${(fastest / of(who, "Adam")).toFixed(2)}x`).join(", ");
    verdict(`Adam 1 M: ${TIMES}x PyTorch's faster way: ${each}`, times >= TIMES);
  }
  return Object.fromEntries(best);
}
