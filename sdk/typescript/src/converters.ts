/** How values of the API's JSON become values of TypeScript, and back: names in camelCase, times as `Date`. */

export type Json = string | number | boolean | null | readonly Json[] | JsonObject;

export interface JsonObject {
  readonly [name: string]: Json | undefined;
}

export interface Converter {
  /** `owner` is the object that the JSON is a member of. */
  read(json: Json, owner: JsonObject): unknown;
  write(value: unknown): unknown;
}

/** Converters may refer to those that are defined after them. */
type Late = Converter | (() => Converter);

function resolve(converter: Late): Converter {
  return typeof converter === "function" ? converter() : converter;
}

const asItIs: Converter = { read: (json) => json, write: (value) => value };

/** A text is taken for a time in the API's form: times that a caller got elsewhere need no `Date`. */
export const timestamp: Converter = {
  read: (json) => new Date(String(json)),
  write: (value) => (value instanceof Date ? `${value.toISOString().slice(0, 19)}Z` : value),
};

export const int64: Converter = { read: (json) => BigInt(String(json)), write: String };

export const bytes: Converter = {
  read: (json) => Uint8Array.from(atob(String(json)), (character) => character.charCodeAt(0)),
  write: (value) => (value instanceof Uint8Array ? btoa(String.fromCharCode(...value)) : value),
};

export function list(element: Late): Converter {
  return {
    read: (json, owner) => (Array.isArray(json) ? json.map((one) => readValue(resolve(element), one, owner)) : json),
    write: (value) => (Array.isArray(value) ? value.map((one) => writeValue(resolve(element), one)) : value),
  };
}

/** The keys are data of the caller, and stay as they are. */
export function map(element: Late = asItIs): Converter {
  return {
    read: (json) => (isObject(json) ? mapMembers(json, (one) => readValue(resolve(element), one, json)) : json),
    write: (value) => (isObject(value) ? mapMembers(value, (one) => writeValue(resolve(element), one)) : value),
  };
}

/** One of several messages: the text beside it, up to its first dot, tells which. What is not known stays as it is. */
export function choice(discriminator: string, cases: Readonly<Record<string, () => Converter>>): Converter {
  return {
    read(json, owner) {
      const [word = ""] = String(owner[discriminator]).split(".");
      return cases[word]?.().read(json, owner) ?? json;
    },
    write: (value) => value,
  };
}

/** Only fields that need a converter have one. The others, and those of newer servers, get another name and nothing else. */
export function message(fields: Readonly<Record<string, Late>>): Converter {
  const converterOf = (name: string) => resolve(fields[name] ?? asItIs);
  return {
    read: (json) =>
      isObject(json) ? mapMembers(json, (one, name) => readValue(converterOf(name), one, json), camelCase) : json,
    write: (value) =>
      isObject(value)
        ? mapMembers(value, (one, name) => writeValue(converterOf(snakeCase(name)), one), snakeCase)
        : value,
  };
}

function readValue(converter: Converter, json: Json | undefined, owner: JsonObject): unknown {
  return json === null || json === undefined ? json : converter.read(json, owner);
}

function writeValue(converter: Converter, value: unknown): unknown {
  return value === null || value === undefined ? value : converter.write(value);
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function mapMembers(
  object: JsonObject,
  convert: (value: Json | undefined, name: string) => unknown,
  rename: (name: string) => string = (name) => name,
): Record<string, unknown> {
  return Object.fromEntries(Object.entries(object).map(([name, value]) => [rename(name), convert(value, name)]));
}

function camelCase(name: string): string {
  return name.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}

function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
