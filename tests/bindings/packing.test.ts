// Blocks of one plan: no two that live at one time overlap, and little is wasted.
import { test } from "uvu";
import * as assert from "uvu/assert";
import { type Block, places } from "../../bindings/packing.js";
import { Random } from "../draw.js";

/** Most bytes alive at one time: no packing is smaller. */
function least(blocks: readonly Block[]): number {
  const times = blocks.flatMap(({ from, to }) => [from, to]);
  return Math.max(...times.map((time) => blocks.reduce((n, { bytes, from, to }) => (from <= time && time < to ? n + bytes : n), 0)));
}

function overlaps(blocks: readonly Block[], starts: readonly number[]): boolean {
  return blocks.some((a, i) =>
    blocks.some(
      (b, j) => i < j && a.bytes > 0 && b.bytes > 0 && a.from < b.to && b.from < a.to && starts[i] < starts[j] + b.bytes && starts[j] < starts[i] + a.bytes,
    ),
  );
}

test("blocks that live at one time never overlap, lie aligned, and fill the plan to nine tenths", () => {
  const seed = Math.floor(Math.random() * 2 ** 31);
  const random = new Random(seed);
  let [needed, taken] = [0, 0];
  for (let round = 0; round < 60; round++) {
    const blocks = Array.from({ length: random.integer(1, 80) }, (_, i) => ({
      bytes: 64 * random.integer(0, 40),
      from: 2 * i,
      to: 2 * i + 1 + random.integer(0, 40),
    }));
    const { bytes, starts } = places(blocks);
    assert.not(overlaps(blocks, starts), `seed ${seed}, round ${round}`);
    assert.ok(
      starts.every((start, i) => start % 64 === 0 && start + blocks[i].bytes <= bytes),
      `seed ${seed}, round ${round}`,
    );
    needed += least(blocks);
    taken += bytes;
  }
  assert.ok(taken <= needed / 0.9, `seed ${seed}: ${taken} bytes for ${needed}`);
});

test("equal blocks one after the other share one place, and what never dies keeps its own", () => {
  const chain = Array.from({ length: 50 }, (_, i) => ({ bytes: 100, from: i, to: i + 2 }));
  assert.is(places(chain).bytes, 2 * 128);
  const kept = [{ bytes: 64, from: 0, to: Number.POSITIVE_INFINITY }, ...chain];
  const { bytes, starts } = places(kept);
  assert.is(bytes, 64 + 2 * 128);
  assert.not(overlaps(kept, starts));
});

test("more blocks than are compared one by one are packed as well", () => {
  const blocks = Array.from({ length: 20_000 }, (_, i) => ({ bytes: 64 * (1 + (i % 3)), from: i, to: i + 3 }));
  const { bytes, starts } = places(blocks);
  assert.ok(bytes <= 2 * 64 * 6, `${bytes} bytes`);
  for (let i = 0; i < blocks.length; i += 997) assert.not(overlaps(blocks.slice(i, i + 4), starts.slice(i, i + 4)));
});

test.run();
