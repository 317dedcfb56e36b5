// f32 matrix products: GFLOP/s of tapir's kernel and of the peers' whole calls, and the share of the FMA peak.
import { Contestant, commands, note, verdict } from "./contestants.js";

const LAYOUTS = ["nn", "nt", "tn", "tt"];
const SIZES = [64, 128, 256, 512, 1024];
const ROUNDS = 8;
const ROUND_MS = 15;
const SLOW = { name: "tfjs-cpu", most: 128 }; // plain JavaScript: a product of 1024 takes seconds

export async function gemm(): Promise<object> {
  const contestants = [...commands()].map(([name, command]) => new Contestant(name, command));
  const best = new Map<string, number>();
  let peak = 0;
  const peer = (c: Contestant, n: number): boolean => c.name !== SLOW.name || n <= SLOW.most;
  for (let round = 0; round < ROUNDS; round++) {
    for (const n of SIZES) {
      for (const layout of LAYOUTS) {
        for (const c of contestants.filter((other) => peer(other, n))) {
          note(`gemm: round ${round + 1} of ${ROUNDS}, ${layout} ${n}, ${c.name}`);
          const answer = await c.round(`${layout} ${n}`, ROUND_MS);
          const rate = (2 * n ** 3) / (1000 * (answer.bestUs ?? answer.us));
          const key = `${c.name} ${layout} ${n}`;
          best.set(key, Math.max(best.get(key) ?? 0, rate));
          peak = Math.max(peak, answer.peak ?? 0);
        }
      }
    }
  }
  note("");
  // against the best peak of the run: a round's own peak may have met a slow moment that its products did not
  const share = new Map([...best].filter(([key]) => key.startsWith("tapir ")).map(([key, rate]) => [key.slice(6), rate / peak]));
  for (const c of contestants) c.stop();

  console.log(`\nf32 GEMM, GFLOP/s, best of ${ROUNDS} rounds, one thread; share: of the FMA peak, ${peak.toFixed(1)}`);
  console.log(`layout  size  ${contestants.map((c) => c.name.padStart(10)).join("")}   share  against the best peer`);
  const figures: Record<string, object> = {};
  for (const layout of LAYOUTS) {
    for (const n of SIZES) {
      const rates = contestants.map((c) => best.get(`${c.name} ${layout} ${n}`));
      const peers = Math.max(...rates.filter((_, i) => !contestants[i].name.startsWith("tapir")).map((rate) => rate ?? 0));
      const own = rates[0] as number;
      const part = share.get(`${layout} ${n}`) as number;
      console.log(
        `${layout}      ${String(n).padStart(4)}  ${rates.map((rate) => (rate === undefined ? "-" : rate.toFixed(1)).padStart(10)).join("")}  ${(100 * part).toFixed(0).padStart(4)} %  ${(own / peers).toFixed(2)}x`,
      );
      figures[`${layout} ${n}`] = { share: part, rates: Object.fromEntries(contestants.map((c, i) => [c.name, rates[i]])) };
    }
  }
  const least = (sizes: readonly number[]): number => Math.min(...sizes.flatMap((n) => LAYOUTS.map((layout) => share.get(`${layout} ${n}`) as number)));
  verdict(`85 % of the peak from 128 up: at least ${(100 * least(SIZES.slice(1))).toFixed(0)} %`, least(SIZES.slice(1)) >= 0.85);
  verdict(`60 % of the peak at 64: at least ${(100 * least([64])).toFixed(0)} %`, least([64]) >= 0.6);
  return figures;
}
