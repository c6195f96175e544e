import { execFile } from "node:child_process";
import { glob, rm, stat } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";
import { fillThirdParty } from "../../scripts/third-party.ts";

const root = join(import.meta.dirname, "../..");
const gen = "test/rest/gen";

/**
 * Writes `test/rest/gen/`, the code of the `.proto` files that the transcoder is tested with, and fills `third_party/`, unless
 * both are newer than what they are made from. Neither is committed.
 */
export async function generateTestCode(): Promise<void> {
  const sources = await timesOf(["test/rest/proto/**/*.proto", "test/rest/generate.ts", "package-lock.json"]);
  const [code, imported] = await Promise.all([timesOf([`${gen}/**/*.ts`]), timesOf(["third_party/**/*.proto"])]);
  if (code.length > 0 && imported.length > 0 && Math.min(...code) > Math.max(...sources)) {
    return;
  }
  await fillThirdParty();
  await rm(join(root, gen), { recursive: true, force: true });
  const workspace = { version: "v2", modules: [{ path: "test/rest/proto" }, { path: "third_party" }] };
  const options = [
    "target=ts",
    "import_extension=ts",
    "erasable_syntax=true",
    "map_imports=google/api/*:@byond/rest/gen",
  ];
  const template = { version: "v2", plugins: [{ local: "protoc-gen-es", out: gen, opt: options }] };
  const config = ["--config", JSON.stringify(workspace), "--template", JSON.stringify(template)];
  const paths = ["bookshop", "everytype"].flatMap((name) => ["--path", `test/rest/proto/${name}`]);
  const path = `${join(root, "node_modules/.bin")}${delimiter}${process.env.PATH}`;
  await promisify(execFile)("buf", ["generate", ...config, ...paths], {
    cwd: root,
    env: { ...process.env, PATH: path },
  });
}

/** When the files of the patterns were last written. */
async function timesOf(patterns: readonly string[]): Promise<number[]> {
  const files = await Array.fromAsync(glob(patterns, { cwd: root }));
  return Promise.all(files.map(async (file) => (await stat(join(root, file))).mtimeMs));
}
