// Calls to try where nothing else says how: ops whose declarations have no samples, and functions with operands that their
// signatures do not tell. Without an example: operands [2, 3], and no parameters.
const ints = (...values) => ({ values, shape: [values.length], dtype: "int32" });

/** Samples of ops, as in their declarations; beside those where they are too small to tell how often an op can be differentiated. */
export const opExamples = {
  cumprod: { inputs: { x: { shape: [6] } }, params: { axis: 0, reverse: false } },
  linearScan: { inputs: { a: { shape: [6] }, b: { shape: [6] } }, params: { axis: 0, reverse: false } },
  argmax: { inputs: { x: { shape: [2, 3] } }, params: { axes: [1], keepdims: false } },
  argmin: { inputs: { x: { shape: [2, 3] } }, params: { axes: [1], keepdims: false } },
  argsort: { inputs: { x: { shape: [2, 3] } }, params: { descending: false, count: 3 } },
  argsortSlices: { inputs: { x: { shape: [3, 2] } } },
  crossEntropyScale: {
    inputs: { target: ints(0, 2) },
    params: { cols: 3, dtype: "float64", weight: undefined, ignore: -100, smoothing: 0, reduction: "mean" },
  },
  cumprodInt32: { inputs: { x: { values: [1, 2, 3, 4, 5, 6], shape: [2, 3], dtype: "int32" } }, params: { axis: 1 } },
  channelStats: { inputs: { x: { shape: [2, 3, 4] } } },
  cumsumInt32: { inputs: { x: { values: [1, 2, 3, 4, 5, 6], shape: [2, 3], dtype: "int32" } }, params: { axis: 1 } },
  groupFirsts: { inputs: { x: ints(1, 0, 1) }, params: { count: 2 } },
  groupNumbers: { inputs: { x: { values: [2, 1, 2], shape: [3], dtype: "float64" }, order: ints(1, 0, 2) } },
  groupSlices: { inputs: { x: { values: [2, 1, 2], shape: [3, 1], dtype: "float64" }, order: ints(1, 0, 2) } },
  groupSizes: { inputs: { x: ints(1, 0, 1) }, params: { count: 2 } },
  maxPoolIndices: { inputs: { x: { shape: [2, 3, 4, 4] } }, params: { kernel: [2, 2], stride: [2, 2], padding: [0, 0], dilation: [1, 1], size: [2, 2] } },
  nonzero: { inputs: { x: { values: [1, 0, 2], shape: [3], dtype: "float64" } }, params: { count: 2, shape: [3] } },
  oneHot: {
    inputs: { index: { values: [0, 2], shape: [2, 1], dtype: "int32" } },
    params: { fn: "oneHot", axis: 1, from: [2], depth: 3, dtype: "float32" },
  },
  scatterAddInt32: { inputs: { x: ints(1, 2, 3), index: ints(0, 2), source: ints(4, 5) }, params: { fn: "scatterAdd", axis: 0 } },
  takeRows: { inputs: { x: { shape: [4, 3] }, index: ints(2, 0) } },
  takeRowsScaled: { inputs: { x: { values: [1, 2, 3, 4, 5, 6], shape: [3, 2], dtype: "uint8" }, index: ints(2, 0) }, params: { scale: 0.5, shift: 1 } },
  to: { inputs: { x: { shape: [2, 3] } }, params: { dtype: "int32" } },
  toFloat: { inputs: { x: { shape: [2, 3] } }, params: { dtype: "float32" } },
  zeroOneLoss: { inputs: { x: { shape: [2, 3] }, target: ints(0, 2) } },
};

/** Samples for dtypes, where those of the declaration have parameters that an integer kernel is never given. */
export const dtypeExamples = {
  clamp: [{ inputs: { x: { shape: [3, 4] } }, params: { low: -1, high: 1 } }],
  pad: [
    {
      inputs: { x: { shape: [2, 3] } },
      params: {
        widths: [
          [1, 0],
          [0, 2],
        ],
        value: 1,
      },
    },
  ],
};

const image = { shape: [1, 2, 4, 4] };
const row = { shape: [1, 2, 6] };
const labels = { shape: [2, 3], low: 0.1, high: 0.9 };

/** Float operands of functions that are made of ops, and the call. */
export const functionExamples = (tapir) => ({
  adaptiveAvgPool2d: [[image], (x) => tapir.adaptiveAvgPool2d(x, 2)],
  avgPool1d: [[row], (x) => tapir.avgPool1d(x, 2)],
  avgPool2d: [[image], (x) => tapir.avgPool2d(x, 2)],
  binaryCrossEntropyWithLogits: [[{ shape: [2, 3] }, labels]],
  bmm: [[{ shape: [2, 3, 4] }, { shape: [2, 4, 2] }]],
  broadcastTo: [[{ shape: [3] }], (x) => tapir.broadcastTo(x, [2, 3])],
  chunk: [[{ shape: [4, 3] }], (x) => tapir.chunk(x, 2)[0]],
  conv1d: [[row, { shape: [2, 2, 3] }], (x, w) => tapir.conv1d(x, w)],
  convTranspose2d: [[image, { shape: [2, 3, 2, 2] }], (x, w) => tapir.convTranspose2d(x, w)],
  dot: [[{ shape: [4] }, { shape: [4] }]],
  einsum: [[{ shape: [2, 3] }, { shape: [3, 4] }], (a, b) => tapir.einsum("ij,jk->ik", a, b)],
  embedding: [[{ shape: [3, 2] }], (w) => tapir.embedding(tapir.tensor([2, 0, 2], { dtype: "int32" }), w)],
  expand: [[{ shape: [3] }], (x) => tapir.expand(x, [2, -1])],
  huberLoss: [[{ shape: [2, 3] }, { shape: [2, 3] }]],
  indexAdd: [[{ shape: [3, 2] }, { shape: [2, 2] }], (x, s) => tapir.indexAdd(x, tapir.tensor([2, 0], { dtype: "int32" }), s)],
  indexSelect: [[{ shape: [3, 2] }], (x) => tapir.indexSelect(x, tapir.tensor([2, 0], { dtype: "int32" }))],
  instanceNorm: [[{ shape: [2, 2, 4] }]],
  klDiv: [[{ shape: [2, 3], low: -3, high: -0.5 }, labels]],
  maskedFill: [[{ shape: [2, 3] }], (x) => tapir.maskedFill(x, tapir.gt(x, 0), 2)],
  maxPool1d: [[row], (x) => tapir.maxPool1d(x, 2)],
  maxPool2d: [[image], (x) => tapir.maxPool2d(x, 2)],
  outer: [[{ shape: [3] }, { shape: [2] }]],
  smoothL1Loss: [[{ shape: [2, 3] }, { shape: [2, 3] }]],
  sort: [[{ shape: [2, 3] }], (x) => tapir.sort(x).values],
  split: [[{ shape: [4, 3] }], (x) => tapir.split(x, 2)[0]],
  squeeze: [[{ shape: [2, 1, 3] }]],
  stack: [[{ shape: [2, 3] }, { shape: [2, 3] }], (a, b) => tapir.stack([a, b])],
  takeAlongAxis: [[{ shape: [2, 3] }], (x) => tapir.takeAlongAxis(x, tapir.tensor([[0], [-1]], { dtype: "int32" }))],
  tile: [[{ shape: [2, 3] }], (x) => tapir.tile(x, 2)],
  to: [[{ shape: [2, 3] }], (x) => tapir.to(x, "float32")],
  topk: [[{ shape: [2, 4] }], (x) => tapir.topk(x, 2).values],
  trace: [[{ shape: [3, 3] }]],
  focalLoss: [[{ shape: [2, 3] }, ints(0, 2)]],
  multiMarginLoss: [[{ shape: [2, 3] }, ints(0, 2)], (x, t) => tapir.multiMarginLoss(x, t, { p: 2, margin: 4 })],
  tripletMarginLoss: [[{ shape: [3, 4] }, { shape: [3, 4] }, { shape: [3, 4] }]],
  unique: [[{ shape: [4] }]],
  unsqueeze: [[{ shape: [2, 3] }], (x) => tapir.unsqueeze(x, 0)],
});
