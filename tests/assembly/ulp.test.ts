// The bounds of docs/numerics.md on a smaller sample, in the four builds; `npm run ulp` takes the large one.
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";

interface Row {
  name: string;
  samples: number;
  bounds: { f32: number; f64: number };
  errors: { [build: string]: number };
  worst: { [build: string]: number[] };
  wrong: string[];
}

function measured(): Row[] {
  const args = [join(process.cwd(), "scripts/ulp.js"), "--quick", "--json", "--seed", "7"];
  try {
    return JSON.parse(execFileSync(process.execPath, args, { encoding: "utf8" }));
  } catch (error) {
    // the script exits 1 if a bound is exceeded; which one is for the tests to say
    return JSON.parse((error as { stdout: string }).stdout);
  }
}

const rows = measured();

test("every elementary function was measured in four builds", () => {
  assert.is(rows.length, 20);
  for (const row of rows) {
    assert.ok(row.samples > 5000, `${row.name}: ${row.samples} samples`);
    assert.is(Object.keys(row.errors).length, 4);
  }
});

for (const { name, bounds, errors, worst, wrong } of rows) {
  test(`${name} is within ${bounds.f32} ULP in float32 and ${bounds.f64} in float64, over all arguments`, () => {
    for (const [build, error] of Object.entries(errors)) {
      const bound = build.startsWith("f32") ? bounds.f32 : bounds.f64;
      assert.ok(error <= bound, `${build}: ${error} ULP at ${worst[build]}`);
    }
  });
  test(`${name} has the special values of C`, () => {
    assert.equal(wrong, []);
  });
}

test.run();
