/**
 * Writes `gen/` from `proto/`, without a network. `generate(folder)` writes the same elsewhere, so that `npm run check`
 * can compare.
 */
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";
import { fillThirdParty } from "./third-party.ts";

const run = promisify(execFile);
const root = join(import.meta.dirname, "..");

async function buf(...args: readonly string[]): Promise<void> {
  // buf finds protoc-gen-es by the path, and the script may have been started without npm's.
  const path = `${join(root, "node_modules/.bin")}${delimiter}${process.env.PATH}`;
  await run("buf", args, { cwd: root, env: { ...process.env, PATH: path } });
}

/** Writes everything that is generated into `folder`, which is emptied first. */
export async function generate(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  const cache = join(root, "node_modules/.cache");
  await mkdir(cache, { recursive: true });
  const scratch = await mkdtemp(join(cache, "generate-"));
  try {
    // The output folder of the template, replaced: buf's own `--output` is only a prefix of it.
    const template = await readFile(join(root, "buf.gen.yaml"), "utf8");
    const templatePath = join(scratch, "buf.gen.yaml");
    await writeFile(templatePath, template.replace("out: gen", `out: ${folder}`));
    // Other people's files go through an image without comments: gen/ holds their descriptors, not their prose.
    const image = join(scratch, "image.binpb");
    await buf("build", "--exclude-source-info", "-o", image);

    const theirs = ["--path", "google/api", "--path", "grpc"];
    await buf("generate", image, "--template", templatePath, ...theirs);
    await buf("generate", "proto", "--template", templatePath);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

if (import.meta.main) {
  await fillThirdParty();
  await generate(join(root, "gen"));
}
