// Random operands for the derivatives of convolutions: any stride, padding, dilation and groups that fit.
import type { Draw } from "../../bindings/op.js";
import type { Pair } from "./window.js";

function geometry(draw: Draw) {
  const groups = draw.pick([1, 1, 2, 3]);
  const outs = draw.pick([1, 1, 2, 5]);
  const inputs = draw.pick([0, 1, 1, 2, 5]);
  const images = draw.pick([0, 1, 1, 2]);
  const axis = () => {
    const [kernel, stride, dilation, windows] = [draw.integer(1, 3), draw.integer(1, 3), draw.integer(1, 2), draw.integer(1, 4)];
    const needed = (windows - 1) * stride + dilation * (kernel - 1) + 1;
    const padding = draw.integer(0, Math.min(2, Math.floor((needed - 1) / 2)));
    // rows behind the last window are read by none
    return { kernel, stride, dilation, windows, padding, size: needed - 2 * padding + draw.integer(0, stride - 1) };
  };
  const [rows, cols] = [axis(), axis()];
  const both = (key: keyof typeof rows): Pair => [rows[key], cols[key]];
  const params = { stride: both("stride"), padding: both("padding"), dilation: both("dilation"), groups };
  const x = { shape: [images, inputs * groups, ...both("size")] };
  const w = { shape: [outs * groups, inputs, ...both("kernel")] };
  const y = { shape: [images, outs * groups, ...both("windows")] };
  return { x, w, y, params, both };
}

export function sample(draw: Draw) {
  const { x, w, params, both } = geometry(draw);
  return { inputs: { x, w }, params: { ...params, size: both("windows") } };
}

export function biasSample(draw: Draw) {
  const { x, w, params, both } = geometry(draw);
  return { inputs: { x, w, b: { shape: [w.shape[0]] } }, params: { ...params, size: both("windows") } };
}

export function gradInputSample(draw: Draw) {
  const { y, w, params, both } = geometry(draw);
  return { inputs: { dy: y, w }, params: { ...params, size: both("size") } };
}

export function gradWeightSample(draw: Draw) {
  const { x, y, params, both } = geometry(draw);
  return { inputs: { x, dy: y }, params: { ...params, size: both("kernel") } };
}
