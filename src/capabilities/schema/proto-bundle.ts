import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fromBinary } from "@bufbuild/protobuf";
import { type FileDescriptorProto, FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { printProtoFile } from "./print-proto.ts";

const root = join(import.meta.dirname, "../../..");

/** The schema as a whole: what `npm run generate` makes of `proto/`, with its comments, and of everything that it imports. */
export function readDescriptorSet(): Promise<Buffer> {
  return readFile(join(root, "gen/byond.binpb"));
}

/**
 * The schema's `.proto` files and all that they import, by path (`byond/v1/verify.proto`), as a folder for `protoc -I`; and a `README.md`. Files
 * below `google/protobuf/` are left out, because every compiler brings its own. Ours are the sources; others are printed from their
 * descriptors, so that neither this repository nor an installed server needs a copy of them.
 */
export async function protoBundle(): Promise<ReadonlyMap<string, string>> {
  const { file: files } = fromBinary(FileDescriptorSetSchema, await readDescriptorSet());
  const bundle = new Map<string, string>();
  for (const file of files.filter(({ name }) => !name.startsWith("google/protobuf/"))) {
    bundle.set(
      file.name,
      file.package === "byond.v1" ? await readFile(join(root, "proto", file.name), "utf8") : printed(file),
    );
  }
  return new Map([
    ["README.md", readme([...bundle.keys()].sort())],
    ...[...bundle].sort(([a], [b]) => (a < b ? -1 : 1)),
  ]);
}

function printed(file: FileDescriptorProto): string {
  return `// ${file.name}, printed from its descriptor without comments. Licence: see README.md.\n${printProtoFile(file)}`;
}

/** Whose the files of others are. All are under the Apache License 2.0. */
const owners: readonly (readonly [folder: string, owner: string, home: string])[] = [
  ["buf/validate/", "Buf Technologies, Inc.", "https://github.com/bufbuild/protovalidate"],
  ["google/", "Google LLC", "https://github.com/googleapis/googleapis"],
];

function readme(paths: readonly string[]): string {
  const others = owners.map(([folder, owner, home]) => `- ${folder}: Copyright ${owner}, ${home}`);
  return `# The schema of Byond

This folder is ready for a compiler, from the folder above it:

    protoc -I protos --python_out=. protos/byond/v1/*.proto

Everything that the files import is here, except google/protobuf/, which comes with every compiler. Errors of calls are a
google.rpc.Status with one byond.v1.ErrorInfo.

All files are under the Apache License 2.0 (https://www.apache.org/licenses/LICENSE-2.0). Those that are not Byond's were
changed: they were printed from their descriptors, without comments and custom options.

${others.join("\n")}

Files:

${paths.map((path) => `- ${path}`).join("\n")}
`;
}
