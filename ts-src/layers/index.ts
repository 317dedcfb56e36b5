// The layers, as `layers` (and `nn`) of the package.
export { ReLU } from "./activation.js";
export * as init from "./init.js";
export { Linear, type LinearOptions } from "./linear.js";
export { Module, type StateDict } from "./module.js";
export { Sequential } from "./sequential.js";
