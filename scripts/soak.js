// npm run soak: long runs, by hand; minutes each. The figures are printed, a failure or a hang exits with 1.
import { spawnSync } from "node:child_process";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

process.chdir(join(dirname(fileURLToPath(import.meta.url)), ".."));
await build({
  entryPoints: ["tests/soak/threads.ts"],
  outdir: "build/soak",
  bundle: true,
  format: "esm",
  platform: "node",
  loader: { ".wasm": "base64", ".txt": "text" },
});
process.exit(spawnSync(process.execPath, ["build/soak/threads.js"], { stdio: "inherit" }).status ?? 1);
