/**
 * Fills `third_party/` with the `.proto` files that ours import, from the npm packages that contain them. It is not committed:
 * the packages are locked.
 */
import { cp, mkdir, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { file_buf_validate_validate } from "@bufbuild/protovalidate/gen/buf/validate/validate_pb.js";
import { printProtoFile } from "../src/capabilities/schema/print-proto.ts";

const root = join(import.meta.dirname, "..");
const target = join(root, "third_party");

/** Where a package is installed; works for packages whose `exports` hide their `package.json`. */
function packageFolder(name: string): string {
  const paths = createRequire(import.meta.url).resolve.paths(name) ?? [];
  for (const path of paths) {
    try {
      return dirname(createRequire(import.meta.url).resolve(join(path, name, "package.json")));
    } catch {
      // Not in this node_modules folder: try the next one up.
    }
  }
  throw new Error(`the package ${name} is not installed`);
}

const copies: readonly [packageName: string, from: string, to: string][] = [
  ["google-proto-files", "google/api/annotations.proto", "google/api/annotations.proto"],
  ["google-proto-files", "google/api/field_behavior.proto", "google/api/field_behavior.proto"],
  ["google-proto-files", "google/api/http.proto", "google/api/http.proto"],
  ["google-proto-files", "google/api/httpbody.proto", "google/api/httpbody.proto"],
  ["google-proto-files", "google/rpc/status.proto", "google/rpc/status.proto"],
  ["grpc-health-check", "proto/health/v1/health.proto", "grpc/health/v1/health.proto"],
  ["@grpc/reflection", "build/proto/grpc/reflection/v1/reflection.proto", "grpc/reflection/v1/reflection.proto"],
  [
    "@grpc/reflection",
    "build/proto/grpc/reflection/v1alpha/reflection.proto",
    "grpc/reflection/v1alpha/reflection.proto",
  ],
];

export async function fillThirdParty(): Promise<void> {
  await rm(target, { recursive: true, force: true });
  for (const [packageName, from, to] of copies) {
    await mkdir(dirname(join(target, to)), { recursive: true });
    await cp(join(packageFolder(packageName), from), join(target, to));
  }
  await mkdir(join(target, "buf/validate"), { recursive: true });
  await writeFile(join(target, "buf/validate/validate.proto"), printProtoFile(file_buf_validate_validate.proto));
}

if (import.meta.main) {
  await fillThirdParty();
}
