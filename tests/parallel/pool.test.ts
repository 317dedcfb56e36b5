// The threads that programs are divided between, as a user sees and ends them.
import { test } from "uvu";
import * as assert from "uvu/assert";
import { loseTeam } from "../../bindings/team.js";
import { configure, ones, parallel } from "../../ts-src/index.js";

/** Runs large products until as many workers are ready. */
async function awaitWorkers(count: number): Promise<void> {
  for (let i = 0; i < 1000 && parallel.stats().workers !== count; i++) {
    ones([256, 256]).matmul(ones([256, 256]));
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  assert.is(parallel.stats().workers, count);
}

test("stats() tells of threads and workers; after dispose() there are none until the next program", async () => {
  configure({ threads: 3 });
  assert.equal(parallel.stats(), { threads: 3, workers: 0, lost: 0 });
  await awaitWorkers(2);
  parallel.dispose();
  assert.equal(parallel.stats(), { threads: 3, workers: 0, lost: 0 });
  parallel.dispose();
  await awaitWorkers(2);
});

test("one thread has no workers", async () => {
  configure({ threads: 1 });
  ones([256, 256]).matmul(ones([256, 256]));
  assert.equal(parallel.stats(), { threads: 1, workers: 0, lost: 0 });
});

test("stats() counts losses, until threads are set", async () => {
  configure({ threads: 2 });
  await awaitWorkers(1);
  loseTeam("a test");
  assert.equal(parallel.stats(), { threads: 2, workers: 0, lost: 1 });
  await awaitWorkers(1);
  configure({ threads: 3 });
  assert.is(parallel.stats().lost, 0);
});

test.run();
