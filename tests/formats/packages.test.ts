// Packages that only some formats need: who lacks one is told which, and the bundles hold none of them.
import { spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";

const CALLS: Record<string, string> = {
  fflate: 'formats.saveNpz("x.npz", { x: tensor([1, 2]) })',
  "csv-parse": 'data.csv("x.csv")',
  "fast-png": 'data.imageFolder("images")',
};

/** What a program says that has this call in a folder without packages, but those that are linked. */
function run(call: string, packages: readonly string[]): string {
  const folder = mkdtempSync(join(tmpdir(), "tapir-packages-"));
  copyFileSync("dist/index.js", join(folder, "index.mjs"));
  writeFileSync(join(folder, "x.csv"), "a,b\n1,2\n");
  mkdirSync(join(folder, "images", "a"), { recursive: true });
  const grey = (JSON.parse(readFileSync("tests/fixtures/formats/png_files.json", "utf8")) as Record<string, { file: string }>)["color 0, 8 bits, filter 0"];
  writeFileSync(join(folder, "images", "a", "0.png"), Buffer.from(grey.file, "base64"));
  mkdirSync(join(folder, "node_modules"));
  for (const name of packages) symlinkSync(resolve("node_modules", name), join(folder, "node_modules", name));
  const program = `import { data, formats, tensor } from "./index.mjs"; ${call}.then(() => console.log("done"), ({ code, message }) => console.log(code, message));`;
  writeFileSync(join(folder, "program.mjs"), program);
  const { stdout, stderr } = spawnSync(process.execPath, ["program.mjs"], { cwd: folder, encoding: "utf8" });
  return stdout + stderr;
}

for (const [name, call] of Object.entries(CALLS)) {
  test(`without ${name} it is a ConfigError that says what to install, with it the call works`, () => {
    assert.match(run(call, []), new RegExp(`^config .*: expected the package ${name}; run npm install ${name}\n$`));
    assert.is(run(call, [name]), "done\n");
  });
}

test("no bundle holds code of these packages", () => {
  const bundles = readdirSync("dist").filter((name) => name.endsWith(".js"));
  assert.ok(bundles.includes("index.js") && bundles.includes("cli.js"));
  for (const bundle of bundles) {
    const text = readFileSync(join("dist", bundle), "utf8");
    for (const own of ["invalid block type", "CSV_QUOTE_NOT_CLOSED", "Unsupported filter"]) assert.not.ok(text.includes(own), `${bundle}: ${own}`);
  }
  for (const [name, own] of [
    ["fflate/esm/browser.js", "invalid block type"],
    ["csv-parse/lib/api/index.js", "CSV_QUOTE_NOT_CLOSED"],
    ["fast-png/lib/helpers/decode_interlace_null.js", "Unsupported filter"],
  ]) {
    assert.ok(readFileSync(join("node_modules", name), "utf8").includes(own), `${name} has another text now`);
  }
});

test.run();
