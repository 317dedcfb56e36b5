// Every kernel. Arguments stand in the order outputs, inputs, saved, sizes; pointers are bytes, sizes elements.
export { writeConstants } from "./constants";
export * from "./copy";
export * from "./elementwise/unary";
export * from "./elementwise/binary";
export * from "./reduce";
export * from "./softmax";
export * from "./optim";
export * from "./random";
export * from "./gemm/gemm";
export * from "./gemm/peak";
export * from "./conv/conv2d";
export * from "./conv/grad-input";
export * from "./conv/grad-weight";
export * from "./pool";
export * from "./interpolate";
