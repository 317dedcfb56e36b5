// Every kernel. Arguments stand in the order outputs, inputs, saved, sizes; pointers are bytes, sizes elements.
export { writeConstants } from "./constants";
export * from "./convert";
export * from "./copy";
export {
  gather8, gather32, gather64, scatter8, scatter32, scatter64, scatterAdd,
} from "./gather";
export * from "./scatter";
export * from "./slices";
export * from "./nonzero";
export * from "./place";
export {
  argsortRows, argsortRowsInt32, argsortRowsUint8, groupFirsts, groupNumbers, groupNumbersInt32, groupNumbersUint8, groupSizes,
  topkRows, topkRowsInt32, topkRowsUint8,
} from "./sort";
export * from "./elementwise/unary";
export * from "./elementwise/transcendental";
export * from "./elementwise/activations";
export * from "./elementwise/binary";
export * from "./elementwise/guarded";
export * from "./elementwise/integers";
export * from "./reduce/reduce";
export * from "./reduce/statistics";
export * from "./reduce/position";
export * from "./scan";
export * from "./elementwise/compare";
export * from "./elementwise/composed";
export * from "./elementwise/extremes";
export * from "./elementwise/piecewise";
export * from "./elementwise/rounding";
export * from "./elementwise/select";
export {
  logSoftmaxColumns, logSoftmaxGradColumns, logSoftmaxGradRows, logSoftmaxRows, softmaxColumns, softmaxGradColumns, softmaxGradRows, softmaxRows,
} from "./softmax";
export * from "./crossentropy";
export { layerNorm, layerNormGrad, layerNormWeightGrad } from "./norm";
export * from "./batchnorm";
export * from "./losses";
export { gruCell, gruCellGrad, lstmCell, lstmCellGrad } from "./recurrent";
export { adadelta, adagrad, adagradAdvance, rmsprop, rmspropCentered, rmspropCenteredMomentum, rmspropMomentum } from "./optim/adaptive";
export { adam, adamAdvance, amsgrad } from "./optim/adam";
export { average, averageAdvance } from "./optim/average";
export { countStep } from "./optim/cells";
export { adamax, adamaxAdvance, lion, nadam, nadamAdvance, radam, radamAdvance } from "./optim/moments";
export { muonMomentum, muonStep } from "./optim/muon";
export { sgd, sgdMomentum } from "./optim/sgd";
export * from "./random";
export * from "./gemm/gemm";
export * from "./gemm/peak";
export * from "./conv/conv2d";
export * from "./conv/grad-input";
export * from "./conv/grad-weight";
export * from "./pool";
export { interpolate, interpolateScratchBytes } from "./interpolate";
export * from "./interpolate-grad";
