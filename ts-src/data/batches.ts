// What datasets and transforms answer, checked.
import { ConfigError, ShapeError } from "../../bindings/errors.js";
import { scope } from "../../bindings/lifetime.js";
import { showValue } from "../../bindings/show.js";
import { Tensor } from "../../bindings/tensor.js";
import type { Batch, Dataset, Transform } from "./dataset.js";
import { numbersOf } from "./numbers.js";

/** What came from outside is a batch. */
export function checkedBatch(what: string, batch: unknown): Batch {
  if (Array.isArray(batch) && batch.length === 2 && batch.every((t) => t instanceof Tensor)) return batch as Batch;
  throw new ConfigError(`${what} to answer [inputs, targets], two tensors; got ${showValue(batch)}`);
}

/** A dataset with at least so many examples; throws ConfigError for what is none. */
export function checkedDataset(what: string, dataset: Dataset, least = 0): Dataset {
  if (typeof dataset?.take !== "function") throw new ConfigError(`${what}: expected a dataset, with take() and length; got ${showValue(dataset)}`);
  const { length } = dataset;
  if (!Number.isInteger(length) || length < least) {
    throw new ConfigError(
      `${what}: expected a dataset with ${least > 0 ? "at least one example" : "length, a whole number >= 0"}; got length ${showValue(length)}`,
    );
  }
  return dataset;
}

/** Examples of a dataset after a transform; what was made on the way is freed. */
export function transformed(what: string, source: Dataset, index: Tensor, epoch: number, transform: Transform): Batch {
  return scope(() => {
    const numbers = numbersOf(what, index, source.length);
    const taken = checkedBatch(`${what}: expected take() of the dataset`, source.take(index, epoch));
    const [x, y] = checkedBatch(`${what}: expected the transform`, transform(taken, { index: numbers, epoch }));
    for (const t of [x, y]) {
      if (t.shape[0] !== numbers.length) {
        throw new ShapeError(
          `${what}: expected the transform to answer as many rows as it was given, ${numbers.length}; got ${x.describe()} and ${y.describe()}`,
        );
      }
    }
    return [x, y];
  });
}
