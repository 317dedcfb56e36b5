// The package as a program of another author meets it: its declarations and its bundles.
import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";

// inside the project, so that no package but tapir itself is found by a name
const folder = join(process.cwd(), "build", "package-test");
mkdirSync(folder, { recursive: true });

test("the declarations compile without @types/node and with library checks on", () => {
  writeFileSync(join(folder, "user.ts"), 'import { ShapeError, tensor } from "../../dist/index.js";\nexport const kind: string = new ShapeError(String(tensor(1))).code;\n');
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

test.run();
