// Which block a byte lies in, against a search of them all.
import { test } from "uvu";
import * as assert from "uvu/assert";
import { Blocks } from "../../bindings/blocks.js";
import { Random } from "../draw.js";

const SEED = 20261126;
console.log(`seed ${SEED}`);
const random = new Random(SEED);

test("at() finds the block of each byte of it, and of no other, while blocks come and go", () => {
  const blocks = new Blocks();
  const all = new Map<number, number>();
  const known = (address: number): number | undefined => [...all].find(([ptr, bytes]) => address >= ptr && address < ptr + bytes)?.[0];
  for (let i = 0; i < 2000; i++) {
    const ptr = 64 * random.integer(1, 300);
    if (all.has(ptr)) {
      all.delete(ptr);
      blocks.remove(ptr);
    } else if (known(ptr) === undefined && known(ptr + 191) === undefined && known(ptr + 127) === undefined) {
      const bytes = 64 * random.integer(1, 3);
      all.set(ptr, bytes);
      blocks.add(ptr, bytes);
    }
    for (let k = 0; k < 10; k++) {
      const address = random.integer(0, 64 * 310);
      assert.is(blocks.at(address), known(address), `${address}`);
    }
  }
  assert.ok(all.size > 20);
  for (const none of [Number.NaN, -1, 0.5, Number.POSITIVE_INFINITY]) assert.is(blocks.at(none), undefined);
  blocks.remove(1);
  blocks.clear();
  for (const ptr of all.keys()) assert.is(blocks.at(ptr), undefined);
});

test.run();
