// The benchmarks that `npm run bench` runs, by name.
import { autodiff } from "./autodiff.js";
import { gemm } from "./gemm.js";
import { lenet } from "./lenet.js";
import { mlp } from "./mlp.js";
import { ops } from "./ops.js";
import { optim } from "./optim.js";
import { mnist, startup } from "./process.js";
import { threads } from "./threads.js";
import { perExample } from "./vmap.js";

const benchmarks: Record<string, () => Promise<object>> = { gemm, mlp, ops, autodiff, mnist, lenet, startup, threads, vmap: perExample, optim };

export async function main(names: readonly string[]): Promise<object> {
  const figures: Record<string, object> = {};
  for (const name of names) figures[name] = await benchmarks[name]();
  return figures;
}
