// The package as a program of another author meets it: its declarations and its bundles.
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "esbuild";
import { test } from "uvu";
import * as assert from "uvu/assert";

// inside the project, so that no package but tapir itself is found by a name
const folder = join(process.cwd(), "build", "package-test");
mkdirSync(folder, { recursive: true });

test("the declarations compile without @types/node and with library checks on", () => {
  writeFileSync(
    join(folder, "user.ts"),
    'import { ShapeError, tensor } from "../../dist/index.js";\nexport const kind: string = new ShapeError(String(tensor(1))).code;\n',
  );
  const config = {
    compilerOptions: {
      target: "es2022",
      module: "nodenext",
      moduleResolution: "nodenext",
      lib: ["es2023", "esnext.disposable", "dom"],
      types: [],
      strict: true,
      skipLibCheck: false,
      noEmit: true,
    },
    files: ["user.ts"],
  };
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(config));
  const { stdout, status } = spawnSync(process.execPath, ["node_modules/typescript/bin/tsc", "-p", folder], { encoding: "utf8" });
  assert.is(stdout, "");
  assert.is(status, 0);
});

for (const format of ["esm", "cjs"] as const) {
  test(`a program bundled as ${format} trains on a terminal, wherever the bundle lies`, async () => {
    const elsewhere = mkdtempSync(join(tmpdir(), "tapir-bundle-"));
    const source = `
      import { layers, mseLoss, ones, optim, train } from "./dist/index.js";
      process.stderr.isTTY = true;
      const model = new layers.Linear(2, 1);
      const optimizer = new optim.SGD(model.parameters());
      train.fit(model, [[ones([4, 2]), ones([4, 1])]], { loss: mseLoss, optimizer }).then((h) => console.log(h.losses.length));
    `;
    const outfile = join(elsewhere, format === "esm" ? "program.mjs" : "program.cjs");
    // what a bundler without knowledge of import.meta says of it is a warning
    await build({ stdin: { contents: source, resolveDir: process.cwd() }, bundle: true, platform: "node", format, outfile, logLevel: "error" });
    const { stdout, stderr, status } = spawnSync(process.execPath, [outfile], { cwd: elsewhere, encoding: "utf8" });
    assert.is(status, 0, stderr);
    assert.is(stdout, "1\n");
    assert.match(stderr, /epoch 1\/1 +loss/);
  });
}

test.run();
