// Installs a folder's own packages at first use: the engines of the tests, the peers of the benchmarks.
import { spawnSync } from "node:child_process";
import { existsSync, statSync } from "node:fs";
import { join } from "node:path";

/** Answers whether the packages are there; a failure is said aloud with its reason. */
export function install(folder, what) {
  const installed = join(folder, "node_modules", ".package-lock.json");
  if (existsSync(installed) && statSync(installed).mtimeMs >= statSync(join(folder, "package.json")).mtimeMs) return true;
  process.stderr.write(`installing ${what} ... `);
  const run = spawnSync("npm", ["install", "--ignore-scripts", "--no-audit", "--no-fund", "--no-package-lock"], { cwd: folder, encoding: "utf8" });
  process.stderr.write(run.status === 0 ? "done\n" : `failed\n${run.stderr}`);
  return run.status === 0;
}
