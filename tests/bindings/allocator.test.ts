// The allocator against a model that knows every live block.
import { test } from "uvu";
import * as assert from "uvu/assert";
import { Allocator } from "../../bindings/allocator.js";

const SEED = 12345;

test("blocks never overlap, are aligned to 64 bytes, and all come back", () => {
  console.log(`seed ${SEED}`);
  let state = SEED;
  const random = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
  const limit = 8 * 2 ** 20;
  const allocator = new Allocator(65536, (top) => top <= limit);
  let live: { ptr: number; bytes: number }[] = [];
  let refused = 0;
  for (let i = 0; i < 20_000; i++) {
    if (random() < 0.55) {
      const bytes = Math.floor(2 ** (random() * 18));
      const ptr = allocator.allocate(bytes);
      if (ptr === 0) refused++;
      else {
        assert.is(ptr % 64, 0);
        assert.ok(ptr >= 65536 && ptr + bytes <= limit);
        for (const other of live) assert.ok(ptr + bytes <= other.ptr || other.ptr + other.bytes <= ptr, `overlap at step ${i}`);
        live.push({ ptr, bytes });
      }
    } else if (live.length > 0) {
      const [block] = live.splice(Math.floor(random() * live.length), 1);
      allocator.release(block.ptr, block.bytes);
    }
    assert.is(allocator.live, live.length);
  }
  assert.ok(refused > 0, "the limit was never reached");
  for (const block of live) allocator.release(block.ptr, block.bytes);
  live = [];
  assert.is(allocator.live, 0);
  assert.is(allocator.liveBytes, 0);
  assert.not.equal(allocator.allocate(6 * 2 ** 20), 0, "free neighbours are merged into one large block");
});

test("a size that cannot be gets no block and changes nothing", () => {
  const allocator = new Allocator(65536, () => true);
  for (const bytes of [Number.NaN, Number.POSITIVE_INFINITY, -1, 2 ** 32 + 1, 2 ** 53]) assert.is(allocator.allocate(bytes), 0);
  assert.is(allocator.live, 0);
  assert.is(allocator.liveBytes, 0);
  assert.is(allocator.top, 65536);
  assert.is(allocator.allocate(100), 65536);
});

test.run();
