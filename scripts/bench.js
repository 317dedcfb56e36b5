// npm run bench -- [gemm mlp ops autodiff mnist lenet startup threads vmap optim] [--json]: times tapir and its peers in turn within one run, and prints ratios.
// Machines are noisy: every figure is the best of many short rounds, and only ratios of one run are compared.
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { install } from "./install.js";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
process.chdir(root);
const NAMES = ["gemm", "mlp", "ops", "autodiff", "mnist", "lenet", "startup", "threads", "vmap", "optim"];
const args = process.argv.slice(2);

if (args.includes("--help")) {
  console.log(`npm run bench -- [${NAMES.join("] [")}] [--json]

gemm     f32 matrix products of 64 to 1024 in four layouts: GFLOP/s, and the share of the FMA peak of the same rounds
mlp      a training step, 784-128-10 batch 32 and 4-16-3 batch 16, with Adam, eager and compiled: us, time to trace, bytes
ops      one op at a time on about a million elements, forward and with backward, against tfjs-wasm: us, slowest first
autodiff what derivatives cost against size and depth, and what checkpoints save: exponents, ratios, pictures in bench/results
mnist    the whole process of \`tapir train mnist\` against the same training in PyTorch: s
lenet    the whole process of examples/mnist, LeNet for 3 epochs, against the same training in PyTorch: s
startup  import to first result against an empty Node process: ms
threads  fork and join against a message, then kernels and steps on 1 to all cores: us, and times as fast as one thread
vmap     gradients of each of 256 examples of 4-16-3: in a loop, by vmap, compiled: us
optim    a step of each fused optimizer on a million weights: us, share of the copy bandwidth or of the div/sqrt bound, Adam against PyTorch

Peers (bench/package.json) are installed at first use. PyTorch takes part where python3 has torch
(Debian: python3-torch libopenblas0-pthread).`);
  process.exit(0);
}
const chosen = args.filter((arg) => !arg.startsWith("--"));
const unknown = args.find((arg) => (arg.startsWith("--") ? arg !== "--json" : !NAMES.includes(arg)));
if (unknown) {
  console.error(`bench: expected ${NAMES.join(", ")} or --json; got ${unknown}`);
  process.exit(1);
}
if (!install("bench", "the peers")) process.exit(1);
install("tests/engines", "a newer Node");
await build({
  entryPoints: ["bench/main.ts", "bench/tapir.ts"],
  outdir: "build/bench",
  bundle: true,
  format: "esm",
  platform: "node",
  loader: { ".wasm": "base64", ".txt": "text" },
});
const { main } = await import("../build/bench/main.js");
const figures = await main(chosen.length > 0 ? chosen : NAMES);
if (args.includes("--json")) console.log(JSON.stringify(figures));
