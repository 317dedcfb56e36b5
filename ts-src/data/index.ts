// Datasets and batches, as `data` of the package.
export { type Batch, type Dataset, ImageDataset, TensorDataset } from "./dataset.js";
export { DataLoader, type DataLoaderOptions } from "./loader.js";
export { type MnistOptions, mnist } from "./mnist.js";
