import type { Model } from "./model.ts";
import { emitTypeScript } from "./typescript.ts";

/** Writes the code of an SDK. */
export interface Emitter {
  /** The folder that holds nothing but generated files, from the root of the repository. */
  readonly folder: string;
  /** Returns the content of each file, by its path in the folder. `schema` is what `slimSchema` makes, for gRPC. */
  readonly emit: (model: Model, schema: Uint8Array) => Readonly<Record<string, string | Uint8Array>>;
}

/** One for each language. */
export const emitters: readonly Emitter[] = [{ folder: "sdk/typescript/src/generated", emit: emitTypeScript }];
