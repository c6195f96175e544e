import { createHash } from "node:crypto";
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { basename, delimiter, join } from "node:path";

/** Not committed. */
const cache = join(import.meta.dirname, "../../.cache/smpp");

/** jsmpp with its simulator, and the log that it writes to (Apache-2.0 and MIT), by path at Maven Central, with their SHA-256. */
const jars = {
  "org/jsmpp/jsmpp-examples/3.0.2/jsmpp-examples-3.0.2.jar":
    "192aebcebeac398df102b2e1283ab52a5ff85b6b2f539c49950da2670dfb6915",
  "org/jsmpp/jsmpp/3.0.2/jsmpp-3.0.2.jar": "0440dc07ebcad177d403876539cd9fc5047ec853fae8349075c61a56a4df39d0",
  "org/slf4j/slf4j-api/1.7.36/slf4j-api-1.7.36.jar": "d3ef575e3e4979678dc01bf1dcce51021493b4d11fb7f1be8ad982877c16a1c0",
  "org/slf4j/slf4j-simple/1.7.36/slf4j-simple-1.7.36.jar":
    "2f39bed943d624dfa8f4102d0571283a10870b6aa36f197a8a506f147010c10f",
};

/** The class path of the simulator. The jars are downloaded on the first use (700 KB). */
export async function jsmppJars(): Promise<string> {
  await mkdir(cache, { recursive: true });
  const paths = Object.entries(jars).map(async ([path, sha256]) => {
    const file = join(cache, basename(path));
    const content = await readFile(file).catch(() => download(path, file));
    // Checked on every use: the cache may have come from elsewhere.
    const digest = createHash("sha256").update(content).digest("hex");
    if (digest !== sha256) {
      throw new Error(`${file} has the SHA-256 ${digest}, not ${sha256}`);
    }
    return file;
  });
  return (await Promise.all(paths)).join(delimiter);
}

async function download(path: string, file: string): Promise<Uint8Array> {
  const url = `https://repo1.maven.org/maven2/${path}`;
  const response = await fetch(url);
  if (!response.ok) {
    throw new Error(`${url} returned ${response.status}`);
  }
  const content = await response.bytes();
  await writeFile(`${file}.unfinished`, content);
  await rename(`${file}.unfinished`, file);
  return content;
}
