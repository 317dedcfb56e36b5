// Installs a folder's own packages at first use: the engines of the tests, the peers of the benchmarks.
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";

/** Answers whether the packages are there; a failure is said aloud with its reason, as is a machine that they are not for. */
export function install(folder, what) {
  const { os = [process.platform], cpu = [process.arch] } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  if (!os.includes(process.platform) || !cpu.includes(process.arch)) {
    process.stderr.write(`no ${what}: expected ${os.join(" or ")} on ${cpu.join(" or ")}; this is ${process.platform} on ${process.arch}\n`);
    return false;
  }
  const installed = join(folder, "node_modules", ".package-lock.json");
  if (existsSync(installed) && statSync(installed).mtimeMs >= statSync(join(folder, "package.json")).mtimeMs) return true;
  process.stderr.write(`installing ${what} ... `);
  const run = spawnSync("npm", ["install", "--ignore-scripts", "--no-audit", "--no-fund", "--no-package-lock"], { cwd: folder, encoding: "utf8" });
  process.stderr.write(run.status === 0 ? "done\n" : `failed\n${run.stderr}`);
  return run.status === 0;
}
