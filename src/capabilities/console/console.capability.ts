import { join } from "node:path";
import type { Capability } from "../../capability.ts";
import { consolePages } from "./console-pages.ts";

/** Where `scripts/build-console.ts` puts the console. */
const builtFolder = join(import.meta.dirname, "../../../dist/console");

export interface ConsoleOptions {
  /** Where the built console is. Default: where the build puts it. */
  readonly folder?: string;
}

/** The console: `/console/`, to which `/` leads. A browser program that calls the API, and has no other one. */
export function consoleCapability({ folder = builtFolder }: ConsoleOptions = {}): Capability {
  return {
    name: "console",
    start: ({ publicUrl }) => ({ pages: () => consolePages({ folder, publicUrl }) }),
  };
}
