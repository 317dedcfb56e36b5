// Datasets and batches, as `data` of the package.
export { type FlipOptions, flip, type NoiseOptions, noise, type ShiftOptions, shift } from "./augment.js";
export { type Batch, type Dataset, ImageDataset, type Place, TensorDataset, type Transform } from "./dataset.js";
export { type FashionMnist, type FashionMnistOptions, fashionMnist } from "./fashion-mnist.js";
export { ImageFolder, type ImageFolderOptions, imageFolder } from "./image-folder.js";
export { iris } from "./iris.js";
export { DataLoader, type DataLoaderOptions, type LoaderState } from "./loader.js";
export { type MnistOptions, mnist } from "./mnist.js";
export { batch, concat, Examples, type Fold, filter, kFold, map, type OrderOptions, type Predicate, type SplitOptions, shuffle, split } from "./operations.js";
export { type CsvOptions, csv, TableDataset } from "./table.js";
