// One training step of a small network with Adam, in us: eager, and tapir compiled too; every eager contestant must have
// computed the same loss (tests/graph/step.test.ts compares compiled with eager, bit for bit).
import { Contestant, commands, note, verdict, WIDER } from "./contestants.js";

const ROUNDS = 100;
const ROUND_MS = 10;
const CHECKED_STEPS = 20;
const LOSS_RTOL = 1e-3;

/** How many times faster than each peer a step must be. */
const cases: { name: string; eager: Record<string, number>; compiled: Record<string, number> }[] = [
  { name: "784-128-10 32", eager: { PyTorch: 2, "tfjs-wasm": 10, "jax-js": 2.5 }, compiled: { PyTorch: 2.5, "tfjs-wasm": 14, "jax-js": 3.5 } },
  { name: "4-16-3 16", eager: { PyTorch: 8 }, compiled: { PyTorch: 80 } },
];
const COMPILED = " compiled";
/** Rows of a compiled step alone: the time to make it, in eager steps, and what each run takes of the JavaScript heap. */
const MOST_STEPS_TO_TRACE = 40;
const MOST_HEAP_BYTES = 1024;

export async function mlp(): Promise<object> {
  const figures: Record<string, object> = {};
  for (const { name, eager, compiled } of cases) {
    const contestants = [...commands()].map(([peer, command]) => new Contestant(peer, command));
    const best = new Map<string, number>();
    const tracing = new Map<string, number>();
    const losses = new Map<string, number>();
    for (const c of contestants) losses.set(c.name, (await c.round(name, Number.MAX_SAFE_INTEGER, { steps: CHECKED_STEPS })).loss as number);
    for (let round = 0; round < ROUNDS; round++) {
      for (const c of contestants) {
        note(`mlp ${name}: round ${round + 1} of ${ROUNDS}, ${c.name}`);
        const { us } = await c.round(name, ROUND_MS, { fresh: true });
        best.set(c.name, Math.min(best.get(c.name) ?? Number.POSITIVE_INFINITY, us));
        if (!c.name.startsWith("tapir")) continue;
        const program = await c.round(name + COMPILED, ROUND_MS, { fresh: true });
        best.set(c.name + COMPILED, Math.min(best.get(c.name + COMPILED) ?? Number.POSITIVE_INFINITY, program.us));
        const { bestUs } = await c.round(`${name} tracing`, ROUND_MS);
        tracing.set(c.name, Math.min(tracing.get(c.name) ?? Number.POSITIVE_INFINITY, bestUs as number));
      }
    }
    const bytes = new Map<string, { heapBytes?: number; wasmBytes?: number }>();
    for (const c of contestants) if (c.name.startsWith("tapir")) bytes.set(c.name, await c.round(`${name} bytes`, 0));
    note("");
    for (const c of contestants) c.stop();
    const own = best.get("tapir") as number;
    const [layers, batch] = name.split(" ");
    console.log(`\n${layers}, batch ${batch}, Adam: us a step, best of ${ROUNDS} rounds, one thread`);
    for (const [peer, us] of best)
      console.log(
        `${peer.padEnd(18)} ${us.toFixed(1).padStart(10)}   ${(us / own).toFixed(2).padStart(7)}x   ${losses.has(peer) ? `loss ${losses.get(peer)?.toFixed(6)}` : ""}`,
      );
    const wanted = losses.get("tapir") as number;
    const apart = [...losses].filter(([, loss]) => !(Math.abs(loss - wanted) <= LOSS_RTOL * Math.abs(wanted)));
    verdict(`all have the same loss after ${CHECKED_STEPS} steps${apart.map(([peer, loss]) => `, but ${peer} ${loss}`).join("")}`, apart.length === 0);
    for (const [mode, targets] of Object.entries({ "": eager, [COMPILED]: compiled })) {
      const [here, wider] = [best.get(`tapir${mode}`) as number, best.get(WIDER + mode)];
      for (const [peer, target] of Object.entries(targets)) {
        const us = best.get(peer);
        if (us === undefined) continue;
        const also = wider === undefined ? "" : `, ${(us / wider).toFixed(2)}x with Node 24`;
        verdict(`${mode.trim() || "eager"}: ${target}x faster than ${peer}: ${(us / here).toFixed(2)}x${also}`, us / Math.min(here, wider ?? here) >= target);
      }
    }
    for (const [own, us] of tracing) {
      const steps = us / (best.get(own) as number);
      const what = `${own}: tracing and compiling takes at most ${MOST_STEPS_TO_TRACE} eager steps: ${steps.toFixed(1)} (${us.toFixed(0)} us)`;
      verdict(what, steps <= MOST_STEPS_TO_TRACE);
    }
    for (const [own, { heapBytes = Number.NaN, wasmBytes = Number.NaN }] of bytes) {
      verdict(`${own}: a compiled step takes under ${MOST_HEAP_BYTES} bytes of the JavaScript heap: ${heapBytes.toFixed(0)}`, heapBytes < MOST_HEAP_BYTES);
      verdict(`${own}: a compiled step takes no WebAssembly memory: ${wasmBytes} bytes`, wasmBytes === 0);
    }
    const ofBytes = Object.fromEntries([...bytes].map(([own, { heapBytes, wasmBytes }]) => [own, { heapBytes, wasmBytes }]));
    figures[name] = { us: Object.fromEntries(best), losses: Object.fromEntries(losses), tracingUs: Object.fromEntries(tracing), bytes: ofBytes };
  }
  return figures;
}
