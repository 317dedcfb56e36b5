// Installs and builds what is missing or older than its sources: `npm start` and `npm test` need nothing before them.
// A build is skipped when dist/.stamp is newer than every source.
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const stamp = join(root, "dist", ".stamp");

function newest(path) {
  const entry = statSync(path);
  if (!entry.isDirectory()) return entry.mtimeMs;
  return Math.max(0, ...readdirSync(path).map((name) => newest(join(path, name))));
}

function run(what, command, args) {
  const started = performance.now();
  process.stderr.write(`${what} ... `);
  const result = spawnSync(command, args, { cwd: root, stdio: ["ignore", "pipe", "pipe"], encoding: "utf8" });
  if (result.status !== 0) {
    process.stderr.write(`failed\n${result.stdout ?? ""}${result.stderr ?? ""}${result.error ?? ""}\n`);
    process.exit(1);
  }
  process.stderr.write(`${((performance.now() - started) / 1000).toFixed(1)} s\n`);
}

const lock = join(root, "package-lock.json");
const installed = join(root, "node_modules", ".package-lock.json");
if (!existsSync(installed) || statSync(installed).mtimeMs < statSync(lock).mtimeMs) {
  run("installing", "npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund"]);
}

const sources = ["assembly", "bindings", "ts-src", "scripts/build.js", "asconfig.json", "tsconfig.json", "tsconfig.dist.json", "package-lock.json"];
const changed = Math.max(...sources.map((name) => newest(join(root, name))));
if (process.argv.includes("--force") || !existsSync(stamp) || statSync(stamp).mtimeMs < changed) {
  run("building", process.execPath, [join(root, "scripts", "build.js"), ...process.argv.filter((arg) => arg === "--force")]);
  writeFileSync(stamp, "");
}
