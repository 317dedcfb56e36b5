// npm run soak: long runs, by hand; minutes each (`npm run soak -- formats` picks one). The figures are printed, a failure or a hang exits with 1.
import { spawnSync } from "node:child_process";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

process.chdir(join(dirname(fileURLToPath(import.meta.url)), ".."));
const runs = ["threads", "formats", "resume"];
const asked = process.argv.slice(2);
const unknown = asked.find((name) => !runs.includes(name));
if (unknown !== undefined) {
  console.error(`soak: expected ${runs.join(" or ")}; got ${unknown}`);
  process.exit(1);
}
for (const name of asked.length > 0 ? asked : runs) {
  await build({
    entryPoints: [`tests/soak/${name}.ts`],
    outdir: "build/soak",
    bundle: true,
    format: "esm",
    platform: "node",
    packages: "external",
    loader: { ".wasm": "base64", ".txt": "text" },
  });
  const { status } = spawnSync(process.execPath, [`build/soak/${name}.js`], { stdio: "inherit" });
  if (status !== 0) process.exit(status ?? 1);
}
