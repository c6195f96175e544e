import { readdir, readFile } from "node:fs/promises";
import { extname, join } from "node:path";
import { StaticFile } from "../../server/static-file.ts";

/** The built console. */
export interface ConsoleFiles {
  readonly indexHtml: string;
  /** By name. Read on first use; undefined if another build has taken the place of this one. */
  readonly assets: ReadonlyMap<string, () => Promise<StaticFile | undefined>>;
}

const types: Readonly<Record<string, string>> = {
  ".css": "text/css; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".svg": "image/svg+xml",
  ".woff2": "font/woff2",
};

/** What the build put into a folder; undefined if it was not run. */
export async function readConsoleFiles(folder: string): Promise<ConsoleFiles | undefined> {
  const indexHtml = await unlessMissing(readFile(join(folder, "index.html"), "utf8"));
  if (indexHtml === undefined) {
    return undefined;
  }
  const names = await readdir(join(folder, "assets"));
  const assets = names.flatMap((name): [string, () => Promise<StaticFile | undefined>][] => {
    const type = types[extname(name)];
    return type === undefined ? [] : [[name, readOnce(join(folder, "assets", name), type)]];
  });
  return { indexHtml, assets: new Map(assets) };
}

/** Reads a file, and what the build compressed of it, on first use. */
function readOnce(path: string, type: string): () => Promise<StaticFile | undefined> {
  let file: Promise<StaticFile | undefined> | undefined;
  return () => {
    file ??= readCompressed(path, type);
    return file;
  };
}

async function readCompressed(path: string, type: string): Promise<StaticFile | undefined> {
  const [bytes, br, gzip] = await Promise.all([
    unlessMissing(readFile(path)),
    unlessMissing(readFile(`${path}.br`)),
    unlessMissing(readFile(`${path}.gz`)),
  ]);
  return bytes && new StaticFile(type, bytes, { ...(br && { br }), ...(gzip && { gzip }) });
}

async function unlessMissing<T>(reading: Promise<T>): Promise<T | undefined> {
  try {
    return await reading;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") {
      return undefined;
    }
    throw error;
  }
}
