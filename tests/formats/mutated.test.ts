// 2,000 changed files of each format; `npm run soak -- formats` reads 100,000.
import { test } from "uvu";
import * as assert from "uvu/assert";
import { Random } from "../draw.js";
import { formatsToChange, readChanged } from "./mutated.js";

const SEED = 20261201;
const FILES = 2000;
console.log(`seed ${SEED}`);

for (const name of Object.keys(formatsToChange)) {
  test(`a changed ${name} file is read or is a FormatError, and nothing of it stays`, async () => {
    const right = await readChanged(name, FILES, new Random(SEED));
    // enough of them reach what lies behind the first checks
    assert.ok(right > FILES / 200 && right < FILES, `${right} of ${FILES} were right`);
  });
}

test.run();
