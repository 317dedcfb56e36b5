// Batching rules that many declarations share: what vmap does with an op, by the op itself on whole batches. An operand that is
// batched has the batch as its first axis; one that is not is the same for all examples.
import type { Batch } from "../../bindings/op.js";
import type { Tensor } from "../../bindings/tensor.js";
import { broadcastTo, permute, reshape } from "./shape.js";

/** Every operand with the batch as first axis; those that all examples share are repeated by strides of 0. */
export function everyOperand<I extends string, P>({ size, inputs, batched, shapes }: Batch<I, P>): { [name in I]: Tensor } {
  const out: { [name in I]: Tensor } = { ...inputs };
  for (const name in inputs) if (!batched[name]) out[name] = broadcastTo(inputs[name], [size, ...shapes[name]]);
  return out;
}

/** Batched operands as examples of `rank` axes, those of size 1 put between, so that they broadcast with what is not batched. */
export function aligned<I extends string, P>({ inputs, batched, shapes, size }: Batch<I, P>, name: I, rank: number): Tensor {
  const shape = shapes[name];
  if (!batched[name] || shape.length === rank) return inputs[name];
  return reshape(inputs[name], [size, ...new Array<number>(rank - shape.length).fill(1), ...shape]);
}

/** For ops that treat leading axes alike, and elementwise ones whose operands have one shape. */
export function leading<I extends string, P>(batch: Batch<I, P>): Tensor {
  return batch.again(everyOperand(batch));
}

/** For ops whose operands broadcast against each other. */
export function broadcasting<I extends string, P>(batch: Batch<I, P>): Tensor {
  let rank = 0;
  for (const name in batch.shapes) rank = Math.max(rank, batch.shapes[name].length);
  const operands: { [name in I]: Tensor } = { ...batch.inputs };
  for (const name in operands) operands[name] = aligned(batch, name, rank);
  return batch.again(operands);
}

/** For ops over `axes`. */
export function overAxes<I extends string, P extends { readonly axes: readonly number[] }>(batch: Batch<I, P>): Tensor {
  return batch.again(everyOperand(batch), { ...batch.params, axes: batch.params.axes.map((axis) => axis + 1) });
}

/** For ops along one `axis`. */
export function alongAxis<I extends string, P extends { readonly axis: number }>(batch: Batch<I, P>): Tensor {
  return batch.again(everyOperand(batch), { ...batch.params, axis: batch.params.axis + 1 });
}

/** Batch and first axis as one: [B, n, ...] to [B n, ...]. */
export function merged(x: Tensor): Tensor {
  return reshape(x, [x.shape[0] * x.shape[1], ...x.shape.slice(2)]);
}

/** The first axis as batch and the rest of it: [B n, ...] to [B, n, ...]. */
export function parted(x: Tensor, size: number): Tensor {
  return reshape(x, [size, x.shape[0] / size, ...x.shape.slice(1)]);
}

/** [B, N, C, ...] to [N, B C, ...]: the channels of all examples side by side. */
function beside(x: Tensor): Tensor {
  const swapped = permute(x, 1, 0, ...x.shape.slice(2).map((_, i) => i + 2));
  const [n, size, channels] = swapped.shape;
  return reshape(swapped, [n, size * channels, ...x.shape.slice(3)]);
}

/** [N, B C, ...] to [B, N, C, ...]. */
function apart(x: Tensor, size: number): Tensor {
  const split = reshape(x, [x.shape[0], size, x.shape[1] / size, ...x.shape.slice(2)]);
  return permute(split, 1, 0, ...x.shape.slice(1).map((_, i) => i + 2));
}

/**
 * For ops on `samples` [N, C, ...] and `channels` [C, ...] whose channels, or groups of them, do not mix. The batch is part of N
 * where no operand of channels is batched, if samples do not mix either; else part of C. `y` tells which of both the output is.
 */
export function foldingChannels<I extends string, P>(
  how: { readonly samples: readonly I[]; readonly channels: readonly I[]; readonly y: "samples" | "channels"; readonly samplesMix?: boolean },
  folded: (params: P, size: number) => P = (params) => params,
): (batch: Batch<I, P>) => Tensor {
  const { samples, channels, y, samplesMix = y === "channels" } = how;
  return (batch) => {
    const { size, inputs, batched, params } = batch;
    const operands: { [name in I]: Tensor } = { ...inputs };
    const all = everyOperand(batch);
    if (!samplesMix && channels.every((name) => !batched[name])) {
      for (const name of samples) operands[name] = merged(all[name]);
      return parted(batch.again(operands), size);
    }
    for (const name of samples) operands[name] = beside(all[name]);
    for (const name of channels) operands[name] = merged(all[name]);
    const result = batch.again(operands, folded(params, size));
    return y === "samples" ? apart(result, size) : parted(result, size);
  };
}
