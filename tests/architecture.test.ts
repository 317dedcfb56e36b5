// Imports go one way: assembly <- bindings <- ops <- {graph, layers, losses, optim} <- {formats, data} <- train <- parallel <- cli.
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";

const levels = [
  ["bindings"],
  ["ts-src/ops"],
  ["ts-src/graph", "ts-src/layers", "ts-src/losses", "ts-src/optim"],
  ["ts-src/formats"],
  ["ts-src/data"],
  ["ts-src/train"],
  ["ts-src/parallel"],
  ["ts-src/cli"],
];

const files = ["bindings", "ts-src"]
  .flatMap((root) => readdirSync(root, { recursive: true }).map((name) => join(root, String(name))))
  .filter((name) => /\.ts$/.test(name) && !name.endsWith(".d.ts"));

function level(file: string): number {
  return levels.findIndex((folders) => folders.some((folder) => file.startsWith(`${folder}/`)));
}

function imports(file: string): string[] {
  const source = readFileSync(file, "utf8");
  return [...source.matchAll(/^\s*(?:import|export)\b[^;]*?from\s+"(\.[^"]+)"|^import\s+"(\.[^"]+)"|\bimport\("(\.[^"]+)"\)/gm)].map((match) =>
    normalize(join(dirname(file), match[1] ?? match[2] ?? match[3])).replace(/\.js$/, ".ts"),
  );
}

test("every source file stands in a folder whose place is known", () => {
  assert.ok(files.length > 40);
  for (const file of files) assert.ok(level(file) >= 0 || /^ts-src\/(index|fast|fast-browser)\.ts$/.test(file), file);
});

test("no file imports from a folder above its own", () => {
  let seen = 0;
  for (const file of files) {
    for (const target of imports(file)) {
      seen++;
      if (level(file) >= 0 && level(target) >= 0) assert.ok(level(target) <= level(file), `${file} imports ${target}`);
      if (level(file) >= 0 && level(file) < levels.length - 1) assert.not.match(target, /^ts-src\/(index|fast)/, `${file} imports ${target}`);
    }
  }
  assert.ok(seen > 100, `only ${seen} imports were found`);
});

/** ts-src/graph for every file below it. */
function room(file: string): string {
  return file.split("/").slice(0, 2).join("/");
}

test("folders of one level do not import each other", () => {
  for (const file of files) {
    for (const target of imports(file)) {
      if (level(file) > 0 && level(file) === level(target)) assert.is(room(target), room(file), `${file} imports ${target}`);
    }
  }
});

test("only bindings touch WebAssembly, only ops and optim name kernels", () => {
  for (const file of files) {
    const source = readFileSync(file, "utf8");
    if (!file.startsWith("bindings/")) assert.not.match(source, /\bWebAssembly\.(?!Memory\b(?! ?\())/, file);
    if (!/^(bindings|ts-src\/ops|ts-src\/optim)\//.test(file)) assert.not.match(source, /\bkernelsOf\b/, file);
  }
});

test.run();
