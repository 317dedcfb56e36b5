// Everything that must hold before a change lands: types, lint and format, tests, the package's shape. The tests come
// last and end with their totals; a failure before them counts as one failed.
import { spawnSync } from "node:child_process";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const steps = [
  ["types", "typescript/bin/tsc", ["-p", "."]],
  ["lint and format", "@biomejs/biome/bin/biome", ["check", "."]],
  ["package", "publint/src/cli.js", ["--strict"]],
  ["docs/ops.md is up to date", "../scripts/docs.js", ["--check"]],
];

for (const [name, program, args] of steps) {
  const started = performance.now();
  const result = spawnSync(process.execPath, [join(root, "node_modules", program), ...args], { cwd: root, encoding: "utf8" });
  console.log(`${result.status === 0 ? "ok  " : "FAIL"} ${name.padEnd(44)} ${((performance.now() - started) / 1000).toFixed(1)} s`);
  if (result.status !== 0) {
    console.log(`${result.stdout}${result.stderr}`.trimEnd());
    console.log("0 passed, 1 failed");
    process.exit(1);
  }
}
process.exit(spawnSync(process.execPath, [join(root, "scripts", "test.js")], { cwd: root, stdio: "inherit" }).status ?? 1);
