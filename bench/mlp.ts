// One eager training step of a small network with Adam, in us; every contestant must have computed the same loss.
import { Contestant, commands, note, verdict, WIDER } from "./contestants.js";

const ROUNDS = 100;
const ROUND_MS = 10;
const CHECKED_STEPS = 20;
const LOSS_RTOL = 1e-3;

const cases: { name: string; targets: Record<string, number> }[] = [
  { name: "784-128-10 32", targets: { PyTorch: 2, "tfjs-wasm": 10, "jax-js": 2.5 } },
  { name: "4-16-3 16", targets: { PyTorch: 8 } },
];

export async function mlp(): Promise<object> {
  const figures: Record<string, object> = {};
  for (const { name, targets } of cases) {
    const contestants = [...commands()].map(([peer, command]) => new Contestant(peer, command));
    const best = new Map<string, number>();
    const losses = new Map<string, number>();
    for (const c of contestants) losses.set(c.name, (await c.round(name, Number.MAX_SAFE_INTEGER, { steps: CHECKED_STEPS })).loss as number);
    for (let round = 0; round < ROUNDS; round++) {
      for (const c of contestants) {
        note(`mlp ${name}: round ${round + 1} of ${ROUNDS}, ${c.name}`);
        const { us } = await c.round(name, ROUND_MS, { fresh: true });
        best.set(c.name, Math.min(best.get(c.name) ?? Number.POSITIVE_INFINITY, us));
      }
    }
    note("");
    for (const c of contestants) c.stop();
    const own = best.get("tapir") as number;
    const wider = best.get(WIDER);
    const [layers, batch] = name.split(" ");
    console.log(`\n${layers}, batch ${batch}, Adam: us a step, best of ${ROUNDS} rounds, one thread`);
    for (const [peer, us] of best)
      console.log(`${peer.padEnd(10)} ${us.toFixed(1).padStart(10)}   ${(us / own).toFixed(2).padStart(7)}x   loss ${losses.get(peer)?.toFixed(6)}`);
    const wanted = losses.get("tapir") as number;
    const apart = [...losses].filter(([, loss]) => !(Math.abs(loss - wanted) <= LOSS_RTOL * Math.abs(wanted)));
    verdict(`all have the same loss after ${CHECKED_STEPS} steps${apart.map(([peer, loss]) => `, but ${peer} ${loss}`).join("")}`, apart.length === 0);
    for (const [peer, target] of Object.entries(targets)) {
      const us = best.get(peer);
      if (us === undefined) continue;
      const also = wider === undefined ? "" : `, ${(us / wider).toFixed(2)}x with Node 24`;
      verdict(`${target}x faster than ${peer}: ${(us / own).toFixed(2)}x${also}`, us / Math.min(own, wider ?? own) >= target);
    }
    figures[name] = { us: Object.fromEntries(best), losses: Object.fromEntries(losses) };
  }
  return figures;
}
