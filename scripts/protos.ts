/** `npm run protos -- <folder>`: writes the schema's `.proto` files and all that they import, as `/protos.tar.gz` of a server has them. */
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { protoBundle } from "../src/capabilities/schema/proto-bundle.ts";

const [folder, ...rest] = process.argv.slice(2);
if (folder === undefined || rest.length > 0) {
  console.error("Usage: npm run protos -- <folder>");
  process.exitCode = 1;
} else {
  const bundle = await protoBundle();
  for (const [path, text] of bundle) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text);
  }
  console.log(`${bundle.size} files in ${folder}`);
}
