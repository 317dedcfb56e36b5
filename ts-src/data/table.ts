// Tables: columns of numbers as inputs, and a column of numbers or labels as target.
import { ConfigError, FormatError } from "../../bindings/errors.js";
import { showValue } from "../../bindings/show.js";
import { readBytes } from "../formats/files.js";
import { packaged } from "../formats/packages.js";
import { checkedFlag, checkedOptions } from "../ops/checks.js";
import { tensor } from "../ops/create.js";
import { reshape } from "../ops/shape.js";
import { TensorDataset } from "./dataset.js";

const LONGEST_RECORD = 2 ** 20; // bytes

export interface CsvOptions {
  /** Whether the first line names the columns; true by default. Without names a column is called by its number, from 0. */
  header?: boolean;
  /** Names or numbers of the input columns, in their order; by default all but the target. */
  columns?: readonly (string | number)[];
  /** Name or number of the target column; the last by default. */
  target?: string | number;
  /**
   * Whether targets are labels, which become class numbers: true, false, or the names of the classes in the order of their numbers. By
   * default they are labels if one of them is no number; their classes are then sorted.
   */
  classes?: boolean | readonly string[];
  /** What stands between two fields; "," by default. */
  delimiter?: string;
  /** Begins what is left out to the end of a line; none by default. */
  comment?: string;
  /** Of the inputs, and of targets that are numbers; "float32" by default. */
  dtype?: "float32" | "float64";
}

/** Rows of a table: x [n, columns], and y int32 [n] of class numbers, or [n] of numbers. */
export class TableDataset extends TensorDataset {
  /** Names of the input columns. */
  readonly columns: readonly string[];
  /** Names of the classes in the order of their numbers; undefined where targets are numbers. */
  readonly classes: readonly string[] | undefined;

  constructor(...[inputs, targets, columns, classes]: [...ConstructorParameters<typeof TensorDataset>, readonly string[], (readonly string[])?]) {
    super(inputs, targets);
    this.columns = columns;
    this.classes = classes;
  }
}

/**
 * Reads a table of comma-separated values (RFC 4180). Needs the package csv-parse. Throws ConfigError for a column that is not there,
 * FormatError with line and column for a row of another length, a field that is no finite number, or a label outside the classes.
 */
export async function csv(path: string, options: CsvOptions = {}): Promise<TableDataset> {
  const settings = checkedSettings(options);
  const library = await packaged("csv", "csv-parse/sync");
  return parseCsv(await readBytes("csv", path), path, settings, library);
}

type Settings = Required<Pick<CsvOptions, "header" | "delimiter" | "dtype">> & CsvOptions;

/** The options, all of them. Throws ConfigError. */
export function checkedSettings(options: CsvOptions): Settings {
  checkedOptions("csv", options, ["header", "columns", "target", "classes", "delimiter", "comment", "dtype"]);
  const { header = true, delimiter = ",", dtype = "float32", columns, target, classes, comment } = options;
  const isText = (value: unknown): value is string => typeof value === "string" && /^[^"\r\n]+$/.test(value);
  const isColumn = (value: unknown): boolean => typeof value === "string" || (Number.isInteger(value) && (value as number) >= 0);
  const isList = (value: unknown, item: (value: unknown) => boolean): boolean =>
    Array.isArray(value) && value.length > 0 && value.every(item) && new Set(value).size === value.length;
  checkedFlag("csv", "header", header);
  if (!isText(delimiter)) throw new ConfigError(`csv: expected delimiter, a text without quotes; got ${showValue(delimiter)}`);
  if (comment !== undefined && !isText(comment)) throw new ConfigError(`csv: expected comment, a text without quotes; got ${showValue(comment)}`);
  if (dtype !== "float32" && dtype !== "float64") throw new ConfigError(`csv: expected dtype float32 or float64; got ${showValue(dtype)}`);
  if (columns !== undefined && !isList(columns, isColumn))
    throw new ConfigError(`csv: expected columns, different names or numbers; got ${showValue(columns)}`);
  if (target !== undefined && !isColumn(target)) throw new ConfigError(`csv: expected target, the name or number of a column; got ${showValue(target)}`);
  if (classes !== undefined && typeof classes !== "boolean" && !isList(classes, (name) => typeof name === "string")) {
    throw new ConfigError(`csv: expected classes: true, false or different names; got ${showValue(classes)}`);
  }
  return { header, columns, target, classes, delimiter, comment, dtype };
}

/** Ends the reading; says where. */
type Refuse = (message: string, line?: number, column?: string) => never;

/** The rows of the bytes of a file. */
export function parseCsv(bytes: Uint8Array, path: string, settings: Settings, { CsvError, parse }: typeof import("csv-parse/sync")): TableDataset {
  const refuse: Refuse = (message, line, column) => {
    throw new FormatError(`csv: ${message}${line === undefined ? "" : ` at line ${line}${column === undefined ? "" : `, column ${column}`}`} in ${path}`);
  };
  let names: string[] | undefined;
  let rows: Rows | undefined;
  const onRecord = (record: string[], { lines }: { lines: number }): null => {
    if (names === undefined) {
      names = settings.header ? record : record.map((_, i) => String(i));
      const twice = names.find((name, i) => (names as string[]).indexOf(name) !== i);
      if (twice !== undefined) refuse(`expected each column once; got ${twice} twice`, lines);
      rows = new Rows(names, settings, refuse);
      if (settings.header) return null;
    }
    rows?.add(record, lines);
    return null;
  };
  try {
    const { delimiter, comment = null } = settings;
    const given = { bom: true, delimiter, comment, trim: true, relax_column_count: true, skip_empty_lines: true, max_record_size: LONGEST_RECORD };
    parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength), { ...given, on_record: onRecord as never });
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    const { code, message } = error;
    if (code.includes("OPTION")) throw new ConfigError(`csv: expected another delimiter or comment; ${message}`, { cause: error });
    refuse(`expected fields as in RFC 4180; ${message}`);
  }
  return (rows ?? refuse("expected a row; got none")).dataset();
}

/** Rows as they come. */
class Rows {
  private readonly names: readonly string[];
  private readonly settings: Settings;
  private readonly refuse: Refuse;
  private readonly inputs: readonly number[];
  private readonly target: number;
  private readonly classes: Map<string, number> | undefined;
  private readonly values: number[] = [];
  private readonly labels: string[] = [];
  /** Where each of them stands. */
  private readonly lines: number[] = [];

  constructor(names: readonly string[], settings: Settings, refuse: Refuse) {
    this.names = names;
    this.settings = settings;
    this.refuse = refuse;
    this.target = this.place(settings.target ?? names.length - 1);
    this.inputs = settings.columns?.map((column) => this.place(column)) ?? names.map((_, i) => i).filter((i) => i !== this.target);
    if (this.inputs.length === 0) refuse("expected a column of inputs beside the target; got one column; is the delimiter another?");
    if (Array.isArray(settings.classes)) this.classes = new Map(settings.classes.map((name: string, i) => [name, i]));
  }

  private place(column: string | number): number {
    const place = typeof column === "number" ? column : this.names.indexOf(column);
    if (place >= 0 && place < this.names.length) return place;
    throw new ConfigError(`csv: expected a column among ${this.names.join(", ")}; got ${column}`);
  }

  add(record: readonly string[], line: number): void {
    if (record.length !== this.names.length) this.refuse(`expected ${this.names.length} fields; got ${record.length}`, line, String(record.length));
    for (const i of this.inputs) this.values.push(this.number(record[i]) ?? this.wrong("a finite number", record[i], line, i));
    const label = record[this.target];
    if (this.classes !== undefined && !this.classes.has(label)) this.wrong(`a class among ${[...this.classes.keys()].join(", ")}`, label, line, this.target);
    if (this.settings.classes === false && this.number(label) === undefined) this.wrong("a finite number", label, line, this.target);
    if (label === "" && this.classes === undefined) this.wrong("a target", label, line, this.target);
    this.labels.push(label);
    this.lines.push(line);
  }

  /** A number that the dtype holds. */
  private number(field: string): number | undefined {
    const value = numberOf(field);
    return value !== undefined && this.settings.dtype === "float32" && !Number.isFinite(Math.fround(value)) ? undefined : value;
  }

  private wrong(expected: string, got: string, line: number, column: number): never {
    return this.refuse(`expected ${expected}; got ${JSON.stringify(got.slice(0, 40))}`, line, this.names[column]);
  }

  dataset(): TableDataset {
    const { labels, settings, inputs, names } = this;
    if (labels.length === 0) this.refuse("expected a row; got none");
    const numbers = labels.map((label) => this.number(label));
    const allNumbers = numbers.every((value) => value !== undefined);
    const strange = numbers.indexOf(undefined);
    if (settings.classes === undefined && !allNumbers && numbers.some((value) => value !== undefined)) {
      this.refuse(
        `expected targets that are all numbers or all labels; got both, ${JSON.stringify(labels[strange].slice(0, 40))} among numbers; classes: true takes them as labels`,
        this.lines[strange],
        names[this.target],
      );
    }
    const array = settings.dtype === "float64" ? Float64Array : Float32Array;
    const flat = tensor(array.from(this.values));
    const x = reshape(flat, [labels.length, inputs.length]);
    flat.dispose();
    const columns = inputs.map((i) => names[i]);
    if (allNumbers && (settings.classes === undefined || settings.classes === false))
      return new TableDataset(x, tensor(array.from(numbers as number[])), columns);
    const classes = this.classes ?? classesOf(labels, allNumbers);
    const y = tensor(Int32Array.from(labels, (label) => classes.get(label) as number));
    return new TableDataset(x, y, columns, [...classes.keys()]);
  }
}

/** The different labels in their order, with their numbers. */
function classesOf(labels: readonly string[], numeric: boolean): Map<string, number> {
  const names = [...new Set(labels)].sort(numeric ? (a, b) => Number(a) - Number(b) : undefined);
  return new Map(names.map((name, i) => [name, i]));
}

/** A number in decimals; undefined if a field holds none, or one that is not finite. */
function numberOf(field: string): number | undefined {
  const value = /^[\d.eE+-]+$/.test(field) ? Number(field) : Number.NaN;
  return Number.isFinite(value) ? value : undefined;
}
