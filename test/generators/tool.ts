/** What `npm run test:generators` knows of a tool: how it generates a client, compiles it and calls the server with it. */
import type { Bench } from "./bench.ts";

export type Stage = "generated" | "compiled" | "called";

export interface Tool {
  /** As its makers write it. Names the tool on the command line too: lower case, with hyphens. */
  readonly name: string;
  readonly version: string;
  /** Programs that it needs, or files, by their absolute path. Where one is missing, the tool is skipped, and says which. */
  readonly needs: readonly string[];
  /** Whether it runs without `--all`, and so in CI. */
  readonly inCi: boolean;
  /** Writes the client into the bench's folder. Throws if the tool fails or warns. */
  readonly generate: (bench: Bench) => Promise<void>;
  /** The file or folder, in the bench's folder, that then has code for every operation of the document. Unset: it makes no calls. */
  readonly client?: string;
  readonly compile?: (bench: Bench) => Promise<void>;
  /** Makes the README's calls with the client, normally by `bench.call`. */
  readonly call?: (bench: Bench) => Promise<void>;
  /** What the client cannot do, for the table. Its programs show it, and fail when it can. */
  readonly limitation?: string;
  /** A fault of the tool's own, which stops it although the document is right. */
  readonly fault?: Fault;
}

/** The stage must fail with this text. If it does not, or fails in another way, the run fails: the list stays true. */
export interface Fault {
  readonly stage: Stage;
  /** Part of the output of the failed command. */
  readonly output: string;
  /** For the table: what the tool cannot take. */
  readonly words: string;
  /** The issue of the tool's own tracker, if there is one. */
  readonly issue?: string;
}

/** The name on the command line: `OpenAPI Generator (Go)` is `openapi-generator-go`. */
export function slugOf({ name }: Pick<Tool, "name">): string {
  return name
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-")
    .replaceAll(/^-|-$/g, "");
}
