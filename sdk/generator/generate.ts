import { execFile } from "node:child_process";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { delimiter, dirname, join } from "node:path";
import { promisify } from "node:util";
import { createFileRegistry, fromBinary } from "@bufbuild/protobuf";
import { type FileDescriptorSet, FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { servicesOf } from "../../src/capabilities/reference/openapi/reference-document.ts";
import { emitters, generatedPaths } from "./emitters.ts";
import type { Model } from "./model.ts";
import { readModel } from "./read-model.ts";
import { slimSchema } from "./schema.ts";

const run = promisify(execFile);
const root = join(import.meta.dirname, "../..");

/** Compiles `proto/`, with comments. */
async function readDescriptors(): Promise<FileDescriptorSet> {
  const path = `${join(root, "node_modules/.bin")}${delimiter}${process.env.PATH}`;
  const { stdout } = await run("buf", ["build", "-o", "-"], {
    cwd: root,
    env: { ...process.env, PATH: path },
    encoding: "buffer",
    maxBuffer: 64 * 1024 * 1024,
  });
  return fromBinary(FileDescriptorSetSchema, stdout);
}

function modelOf(descriptors: FileDescriptorSet): Model {
  return readModel(servicesOf(createFileRegistry(descriptors).files));
}

/** Reads the model of our services from `proto/`. */
export async function modelOfSchema(): Promise<Model> {
  return modelOf(await readDescriptors());
}

/** Writes the generated files of all SDKs below `folder`, which has the layout of the repository. Earlier ones are removed first. */
export async function generateSdks(folder: string): Promise<void> {
  const descriptors = await readDescriptors();
  const model = modelOf(descriptors);
  const schema = slimSchema(descriptors);
  await Promise.all(generatedPaths.map((path) => rm(join(folder, path), { recursive: true, force: true })));
  for (const emitter of emitters) {
    for (const [path, content] of Object.entries(emitter.emit(model, schema))) {
      const file = join(folder, emitter.folder, path);
      await mkdir(dirname(file), { recursive: true });
      await writeFile(file, content);
    }
  }
}
