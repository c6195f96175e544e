import { join } from "node:path";

export const root = join(import.meta.dirname, "../..");

/** The program of the servers that tests start: the one that `server-bundle.ts` has made for this run, if it has, or the sources. */
export const serverProgram = process.env.TEST_SERVER_PROGRAM ?? join(root, "src/main.ts");
