import { emitGo, goFiles } from "./go.ts";
import type { Model } from "./model.ts";
import { emitPhp } from "./php.ts";
import { emitPython } from "./python.ts";
import { emitTypeScript } from "./typescript.ts";

/** Writes the code of an SDK. */
export interface Emitter {
  /** The folder that holds nothing but generated files, from the root of the repository. */
  readonly folder: string;
  /** The generated files, by their paths in the folder, if it holds others, too. */
  readonly files?: readonly string[];
  /** Returns the content of each file, by its path in the folder. `schema` is what `slimSchema` makes, for gRPC. */
  readonly emit: (model: Model, schema: Uint8Array) => Readonly<Record<string, string | Uint8Array>>;
}

/** One for each language. */
export const emitters: readonly Emitter[] = [
  { folder: "sdk/typescript/src/generated", emit: emitTypeScript },
  { folder: "sdk/python/byond/_generated", emit: emitPython },
  { folder: "sdk/go", files: goFiles, emit: emitGo },
  { folder: "sdk/php/generated", emit: emitPhp },
];

/** The generated folders and files, from the root of the repository. */
export const generatedPaths: readonly string[] = emitters.flatMap(
  ({ folder, files }) => files?.map((file) => `${folder}/${file}`) ?? [folder],
);
