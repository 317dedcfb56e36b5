// Every kernel. Arguments stand in the order outputs, inputs, saved, sizes; pointers are bytes, sizes elements.
export { writeConstants } from "./constants";
export * from "./copy";
export * from "./elementwise/unary";
export * from "./elementwise/binary";
export * from "./elementwise/guarded";
export * from "./reduce/reduce";
export * from "./reduce/statistics";
export * from "./reduce/position";
export * from "./scan";
export * from "./softmax";
export * from "./optim";
export * from "./random";
export * from "./gemm/gemm";
export * from "./gemm/peak";
