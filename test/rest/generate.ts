import { execFile } from "node:child_process";
import { rm } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";

const root = join(import.meta.dirname, "../..");

/**
 * Writes the code that is generated for the tests of the REST transcoder into `folder`, which is emptied first. Part of
 * `npm run generate`; `third_party/` is filled.
 */
export async function generateTestProtos(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true });
  const workspace = { version: "v2", modules: [{ path: "test/rest/proto" }, { path: "third_party" }] };
  const options = ["target=ts", "import_extension=ts", "erasable_syntax=true", "map_imports=google/api/*:../../../gen"];
  const template = { version: "v2", plugins: [{ local: "protoc-gen-es", out: folder, opt: options }] };
  const path = `${join(root, "node_modules/.bin")}${delimiter}${process.env.PATH}`;
  await promisify(execFile)(
    "buf",
    [
      "generate",
      "--config",
      JSON.stringify(workspace),
      "--template",
      JSON.stringify(template),
      "--path",
      "test/rest/proto/bookshop",
      "--path",
      "test/rest/proto/everytype",
    ],
    { cwd: root, env: { ...process.env, PATH: path } },
  );
}
