// assembly/ -> build/kernels/*.wasm (asc), ts-src/ -> dist/*.js with the kernels embedded (esbuild), dist/types (tsc).
import { spawn } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { writeDispatch, writeEntry } from "./program.js";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
process.chdir(root);

/** Runs a Node program; its output is shown when it fails. */
function node(args) {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "pipe"] });
    const output = [];
    child.stdout.on("data", (chunk) => output.push(chunk));
    child.stderr.on("data", (chunk) => output.push(chunk));
    child.on("close", (code) => (code === 0 ? resolve() : reject(new Error(`${args.join(" ")}\n${Buffer.concat(output)}`))));
  });
}

// --debug: the builds that only tests read, and nothing else
const debug = process.argv.includes("--debug");
const targets = debug ? ["f32-debug", "f64-debug"] : ["f32-strict", "f32-relaxed", "f64-strict", "f64-relaxed"];
mkdirSync("build/kernels", { recursive: true });
const sources = readdirSync("assembly", { recursive: true }).map((name) => join("assembly", name));
const changed = Math.max(...[...sources, "asconfig.json", "package-lock.json", "scripts/program.js"].map((name) => statSync(name).mtimeMs));
/** Whether a file is older than the kernels' sources. */
function stale(file) {
  return process.argv.includes("--force") || !existsSync(file) || statSync(file).mtimeMs < changed;
}
const compile = (target) => node(["node_modules/assemblyscript/bin/asc.js", "--config", "asconfig.json", "--target", target]);
const queue = targets.filter((target) => stale(`build/kernels/${target}.wasm`));
if (queue.length > 0 && stale("build/program/instructions.ts")) {
  // the executor calls kernels by their signatures, so those are compiled first
  writeEntry();
  await compile("signatures");
  writeDispatch();
}
// two at a time: the machines this is built on have two cores
async function compileNext() {
  for (let target = queue.shift(); target; target = queue.shift()) await compile(target);
}
await Promise.all([compileNext(), compileNext()]);
if (debug) process.exit(0);

rmSync("dist", { recursive: true, force: true });
// what worker threads run is embedded as text
for (const [name, format] of [
  ["worker-node", "cjs"],
  ["worker-web", "iife"],
  ["worker-module", "iife"],
]) {
  await build({
    entryPoints: [`bindings/${name}.ts`],
    outfile: `build/workers/${name}.txt`,
    bundle: true,
    format,
    target: "es2022",
    platform: "neutral",
    external: ["node:*"],
    minify: true,
    legalComments: "none",
    charset: "utf8",
  });
}
const shared = { bundle: true, format: "esm", target: "es2022", loader: { ".wasm": "base64", ".txt": "text" }, legalComments: "none", charset: "utf8" };
await Promise.all([
  build({ ...shared, entryPoints: ["ts-src/index.ts", "ts-src/fast.ts"], outdir: "dist", platform: "node", external: ["node:*"], minifySyntax: true }),
  build({ ...shared, entryPoints: ["ts-src/fast-browser.ts"], outdir: "dist", platform: "neutral" }),
  build({
    ...shared,
    entryPoints: { cli: "ts-src/cli/main.ts" },
    outdir: "dist",
    platform: "node",
    loader: { ...shared.loader, ".css": "text" },
    // CommonJS dependencies call require for Node's own modules
    banner: { js: 'import { createRequire as nodeCreateRequire } from "node:module"; const require = nodeCreateRequire(import.meta.url);' },
  }),
  node(["node_modules/typescript/bin/tsc", "-p", "tsconfig.dist.json"]),
]);
mkdirSync("dist/types/build/kernels", { recursive: true });
for (const name of readdirSync("build/kernels")) {
  if (name === "f32-strict.d.ts") copyFileSync(join("build/kernels", name), join("dist/types/build/kernels", name));
}
writeFileSync("dist/index.d.ts", 'export * from "./types/ts-src/index.js";\n');
writeFileSync("dist/fast.d.ts", "export {};\n");
