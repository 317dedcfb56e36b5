// Bundles tests/**/*.test.ts and runs each file in a process of its own. uvu exits 0 without any test, so a file that
// reports no test fails here. `npm test -- NAME...` runs the files whose path contains a NAME. Last line: totals.
import { spawn, spawnSync } from "node:child_process";
import { readdirSync, rmSync } from "node:fs";
import { availableParallelism } from "node:os";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { install } from "./install.js";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
process.chdir(root);
const LIMIT_MS = 300_000; // a file that takes longer hangs

const names = process.argv.slice(2);
const files = readdirSync("tests", { recursive: true })
  .map((name) => join("tests", name))
  .filter((name) => name.endsWith(".test.ts") && (names.length === 0 || names.some((part) => name.includes(part))))
  .sort();
if (files.length === 0) {
  console.log(`no test file matches ${names.join(" ") || "tests/**/*.test.ts"}`);
  console.log("0 passed, 1 failed");
  process.exit(1);
}

install("tests/engines", "the engines of the tests");
const debug = spawnSync(process.execPath, ["scripts/build.js", "--debug"], { encoding: "utf8" });
if (debug.status !== 0) {
  console.log(`${debug.stdout}${debug.stderr}`);
  console.log("0 passed, 1 failed");
  process.exit(1);
}
rmSync("build/tests", { recursive: true, force: true });
await build({
  entryPoints: files,
  outdir: "build/tests",
  outbase: "tests",
  bundle: true,
  splitting: true, // one instance of the library for all imports of a file
  format: "esm",
  platform: "node",
  target: "node20",
  packages: "external",
  loader: { ".wasm": "base64", ".css": "text", ".txt": "text" },
  sourcemap: "inline",
});

/** Runs a file; answers what it printed and its totals. */
function run(file) {
  return new Promise((resolve) => {
    const started = performance.now();
    const child = spawn(process.execPath, ["--enable-source-maps", "--expose-gc", join("build/tests", relative("tests", file).replace(/\.ts$/, ".js"))], {
      env: { ...process.env, NO_COLOR: "1" },
    });
    const chunks = [];
    child.stdout.on("data", (chunk) => chunks.push(chunk));
    child.stderr.on("data", (chunk) => chunks.push(chunk));
    const timer = setTimeout(() => {
      chunks.push(`\nstopped after ${LIMIT_MS / 1000} s`);
      child.kill("SIGKILL");
    }, LIMIT_MS);
    child.on("close", (code) => {
      clearTimeout(timer);
      const output = Buffer.concat(chunks.map((chunk) => Buffer.from(chunk))).toString();
      const count = (label) => Number(new RegExp(`${label}:\\s+(\\d+)`).exec(output)?.[1] ?? 0);
      const [total, passed, skipped] = [count("Total"), count("Passed"), count("Skipped")];
      let failed = total - passed;
      let reason = "";
      if (total === 0) reason = "no test ran: is test.run() missing?";
      else if (code !== 0 && failed === 0) reason = `exit code ${code}`;
      if (reason) failed += 1;
      resolve({ file, passed, failed, skipped, reason, output, seconds: (performance.now() - started) / 1000 });
    });
  });
}

const totals = { passed: 0, failed: 0, skipped: 0 };
const queue = [...files];
async function worker() {
  for (let file = queue.shift(); file; file = queue.shift()) {
    const result = await run(file);
    for (const key of Object.keys(totals)) totals[key] += result[key];
    const mark = result.failed > 0 ? "FAIL" : "ok";
    console.log(
      `${mark.padEnd(4)} ${file.padEnd(44)} ${String(result.passed).padStart(4)} passed ${result.seconds.toFixed(1).padStart(6)} s  ${result.reason}`,
    );
    if (result.failed > 0 || result.skipped > 0) console.log(result.output.trimEnd());
  }
}
await Promise.all(Array.from({ length: Math.min(2, availableParallelism()) }, worker));
const skipped = totals.skipped > 0 ? `, ${totals.skipped} skipped` : "";
console.log(`${totals.passed} passed, ${totals.failed} failed${skipped}`);
process.exit(totals.failed > 0 ? 1 : 0);
