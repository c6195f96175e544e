/**
 * Writes `gen/`, `src/rest/gen/` and the generated code of the SDKs from `.proto` files, and the README's tables, without a network. `generate(folder)` writes the same below
 * another folder, so that `npm run check` can compare.
 */
import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { delimiter, dirname, join, relative } from "node:path";
import { promisify } from "node:util";
import { createFileRegistry, fromBinary, toBinary } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { generatedPaths } from "../sdk/generator/emitters.ts";
import { generateTestCode } from "../test/rest/generate.ts";
import { fillThirdParty } from "./third-party.ts";

const run = promisify(execFile);
const root = join(import.meta.dirname, "..");

async function buf(...args: readonly string[]): Promise<void> {
  // buf looks for protoc-gen-es in PATH. Without npm, PATH may lack the package's executables.
  const path = `${join(root, "node_modules/.bin")}${delimiter}${process.env.PATH}`;
  await run("buf", args, { cwd: root, env: { ...process.env, PATH: path } });
}

/** What is generated: folders as a whole, and files in folders with others. */
export const generated = ["gen", "src/rest/gen", ...generatedPaths];

/** Writes all generated files below `folder`, which is emptied first. */
export async function generate(folder: string): Promise<void> {
  await generateCode(folder);
  await generateDescriptorSet(join(folder, "gen"));
  await generateOpenApi(join(folder, "gen"));
  await generateSdkCode(folder);
}

async function generateCode(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  // Made by `npm run generate:plans`, which needs a network.
  await cp(join(root, "gen/plans"), join(folder, "gen/plans"), { recursive: true });
  const cache = join(root, "node_modules/.cache");
  await mkdir(cache, { recursive: true });
  const scratch = await mkdtemp(join(cache, "generate-"));
  try {
    // Replaces the output folder of the template: buf's own `--output` only adds a prefix.
    const templateFor = async (path: string): Promise<string> => {
      const template = await readFile(join(root, path), "utf8");
      const copy = join(scratch, path.replaceAll("/", "-"));
      await writeFile(copy, template.replace("out: ", `out: ${folder}/`));
      return copy;
    };
    const template = await templateFor("buf.gen.yaml");
    // Third-party files are compiled to an image without comments: the code contains their descriptors, not their comments.
    const image = join(scratch, "image.binpb");
    await buf("build", "--exclude-source-info", "-o", image);

    await buf("generate", image, "--template", await templateFor("src/rest/buf.gen.yaml"), "--path", "google/api");
    await buf("generate", image, "--template", template, "--path", "google/rpc", "--path", "grpc");
    await buf("generate", "proto", "--template", template);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/**
 * The schema as a server offers it: our files with their comments, and all that they import. The files of others have none, and so are not copies
 * of their sources. `google.rpc.Status` is what gRPC sends errors in.
 */
async function generateDescriptorSet(folder: string): Promise<void> {
  const path = join(folder, "byond.binpb");
  await buf(
    "build",
    "--as-file-descriptor-set",
    "--path",
    "proto/byond",
    "--path",
    "third_party/google/rpc/status.proto",
    "-o",
    path,
  );
  const set = fromBinary(FileDescriptorSetSchema, await readFile(path));
  for (const file of set.file) {
    const { sourceCodeInfo } = file;
    if (file.package !== "byond.v1") {
      delete file.sourceCodeInfo;
    } else if (sourceCodeInfo !== undefined) {
      // Two thirds of it are the places of what has no comment.
      sourceCodeInfo.location = sourceCodeInfo.location.filter(
        ({ leadingComments, trailingComments }) => leadingComments !== "" || trailingComments !== "",
      );
    }
  }
  await writeFile(path, toBinary(FileDescriptorSetSchema, set));
}

const openApiFile = "openapi.json";

/** The OpenAPI document, out of descriptors with the comments of the proto files. Written by code that itself uses `gen/`. */
async function generateOpenApi(folder: string): Promise<void> {
  const scratch = await mkdtemp(join(root, "node_modules/.cache/openapi-"));
  try {
    const image = join(scratch, "image.binpb");
    await buf("build", "proto", "-o", image);
    const { buildReference, servicesOf } = await import("../src/capabilities/reference/openapi/reference-document.ts");
    const { readModel } = await import("../sdk/generator/read-model.ts");
    const { sdkSamples } = await import("../sdk/generator/samples/sdk-samples.ts");
    const { standardCapabilities } = await import("../src/app.ts");
    const { scopesOf } = await import("../src/process/start-platform.ts");
    const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, await readFile(image)));
    const services = servicesOf(registry.files);
    const document = buildReference(services, scopesOf(standardCapabilities()), sdkSamples(readModel(services)));
    await writeFile(join(folder, openApiFile), `${JSON.stringify(document, undefined, 2)}\n`);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** The generated code of the SDKs. Written by code that itself uses `gen/`. */
async function generateSdkCode(folder: string): Promise<void> {
  const { generateSdks } = await import("../sdk/generator/generate.ts");
  await generateSdks(folder);
}

/** Makes a folder or file equal to `source`, except for the files to `keep`. Unchanged files are not touched. */
async function mirror(source: string, target: string, keep: readonly string[] = []): Promise<void> {
  const files = async (folder: string) =>
    (await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []))
      .filter((entry) => entry.isFile())
      .map((entry) => relative(folder, join(entry.parentPath, entry.name)));
  const wanted = (await stat(source)).isFile() ? [""] : await files(source);
  for (const path of wanted) {
    const content = await readFile(join(source, path));
    const present = await readFile(join(target, path)).catch(() => undefined);
    if (present === undefined || !content.equals(present)) {
      await mkdir(dirname(join(target, path)), { recursive: true });
      await writeFile(join(target, path), content);
    }
  }
  const gone = (await files(target)).filter((path) => !wanted.includes(path) && !keep.includes(path));
  await Promise.all(gone.map((path) => rm(join(target, path))));
}

if (import.meta.main) {
  const fresh = join(root, "node_modules/.cache/generated");
  await fillThirdParty();
  await generateCode(fresh);
  for (const folder of ["gen", "src/rest/gen"]) {
    await mirror(join(fresh, folder), join(root, folder), [openApiFile, "byond.binpb"]);
  }
  await generateDescriptorSet(join(fresh, "gen"));
  await generateOpenApi(join(fresh, "gen"));
  await generateSdkCode(fresh);
  for (const path of generated) {
    await mirror(join(fresh, path), join(root, path));
  }
  await generateTestCode();
  const { writeTables } = await import("./readme-tables.ts");
  await writeTables();
}
