/** What a server offers to those who generate clients: the archive, its files one by one, and the descriptor set. */
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { createFileRegistry, fromBinary, toBinary } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema, FileDescriptorSetSchema, FileOptionsSchema } from "@bufbuild/protobuf/wkt";
import { commentOf } from "@byond/rest/openapi/proto-comments";
import { afterAll, beforeAll, expect, test } from "vitest";
import { printProtoFile } from "../../../src/capabilities/schema/print-proto.ts";
import { useTestApp } from "../../support/app.ts";

const run = promisify(execFile);
const root = join(import.meta.dirname, "../../..");
const buf = createRequire(import.meta.url).resolve("@bufbuild/buf/bin/buf");

const app = useTestApp();
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "byond-schema-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function bytesOf(path: string): Promise<Buffer> {
  const response = await fetch(app.url + path);
  expect(response.status, path).toBe(200);
  return Buffer.from(await response.arrayBuffer());
}

async function unpack(): Promise<string[]> {
  await writeFile(join(folder, "protos.tar.gz"), await bytesOf("/protos.tar.gz"));
  await run("tar", ["xzf", "protos.tar.gz"], { cwd: folder });
  const { stdout } = await run("tar", ["tzf", "protos.tar.gz"], { cwd: folder });
  return stdout.trim().split("\n");
}

test("the archive has the same files as /protos/, and ours are those of proto/", async () => {
  const paths = await unpack();
  expect(paths).toContain("protos/byond/v1/verify.proto");
  expect(paths).toContain("protos/buf/validate/validate.proto");
  for (const path of paths) {
    const unpacked = await readFile(join(folder, path));
    expect(await bytesOf(`/${path}`), path).toEqual(unpacked);
    if (path.startsWith("protos/byond/")) {
      expect(unpacked, path).toEqual(await readFile(join(root, path.replace(/^protos/, "proto"))));
    }
  }
  expect((await bytesOf("/protos/")).toString()).toContain("- byond/v1/verify.proto");
  expect((await fetch(`${app.url}/protos/byond/v1/other.proto`)).status).toBe(404);
  expect((await fetch(`${app.url}/protos/../package.json`)).status).toBe(404);
});

test("the archive alone compiles, to what the descriptor set says", async () => {
  await unpack();
  const { stdout } = await run(buf, ["build", join(folder, "protos"), "--as-file-descriptor-set", "-o", "-"], {
    encoding: "buffer",
    maxBuffer: 1 << 24,
    env: { PATH: process.env.PATH, HOME: folder },
  });
  const compiled = fromBinary(FileDescriptorSetSchema, stdout).file;
  const offered = fromBinary(FileDescriptorSetSchema, await bytesOf("/byond.binpb")).file;
  expect(compiled.map(({ name }) => name).sort()).toEqual(offered.map(({ name }) => name).sort());
  for (const file of offered) {
    const other = compiled.find(({ name }) => name === file.name);
    for (const each of [file, other]) {
      delete each?.sourceCodeInfo;
    }
    if (file.package === "byond.v1") {
      expect(toBinary(FileDescriptorProtoSchema, file), file.name).toEqual(
        other && toBinary(FileDescriptorProtoSchema, other),
      );
    } else {
      // Custom options are not printed. Nothing that code is generated from is lost.
      expect(other && withoutCustomOptions(other), file.name).toEqual(withoutCustomOptions(file));
    }
  }
});

/** The descriptor as JSON without what this code does not know, which are the custom options. Declarations of extensions are for the compiler only. */
function withoutCustomOptions(file: object): unknown {
  return JSON.parse(
    JSON.stringify(file, (key, value) =>
      key === "$unknown" || key === "declaration" || key === "verification" ? undefined : sorted(withoutEmpty(value)),
    ),
  );
}

function withoutEmpty(value: unknown): unknown {
  const isEmptyOptions =
    typeof value === "object" &&
    value !== null &&
    "uninterpretedOption" in value &&
    Object.keys(value).every(
      (key) => key === "$typeName" || key === "$unknown" || isEmptyList(Reflect.get(value, key)),
    );
  return isEmptyOptions ? undefined : value;
}

/** The order of fields is that of the file, which means nothing: those of a oneof are printed together. */
function sorted(value: unknown): unknown {
  return Array.isArray(value) ? value.toSorted((a, b) => String(a?.name).localeCompare(String(b?.name))) : value;
}

function isEmptyList(value: unknown): boolean {
  return Array.isArray(value) && value.length === 0;
}

test("the descriptor set has the comments of our files, and what it needs to be read alone", async () => {
  const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, await bytesOf("/byond.binpb")));
  const start = registry.getService("byond.v1.VerifyService")?.method.startVerification;
  expect(start && commentOf(start)).toContain("Generates a code and sends it to the recipient.");
  expect(registry.getMessage("byond.v1.ErrorInfo")).toBeDefined();
  expect(registry.getMessage("google.rpc.Status")).toBeDefined();
});

test.each(["/byond.binpb", "/protos.tar.gz", "/protos/byond/v1/verify.proto"])(
  "%s is for every origin, and is not sent to a client that has it",
  async (path) => {
    const response = await fetch(app.url + path);
    expect(response.headers.get("access-control-allow-origin")).toBe("*");
    const etag = response.headers.get("etag") ?? "";
    const again = await fetch(app.url + path, { headers: { "If-None-Match": etag } });
    expect(again.status).toBe(304);
    await response.arrayBuffer();
  },
);

test("the archive is not compressed twice, and is the same on another server", async () => {
  const response = await fetch(`${app.url}/protos.tar.gz`, { headers: { "Accept-Encoding": "gzip, br" } });
  expect(response.headers.get("content-type")).toBe("application/gzip");
  expect(response.headers.get("content-encoding")).toBe(null);
  const other = await app.startAnother();
  const same = Buffer.from(await (await fetch(`${other.url}/protos.tar.gz`)).arrayBuffer());
  expect(Buffer.from(await response.arrayBuffer())).toEqual(same);
});

test("a file of others that could not be printed as it is stops the printing", () => {
  const file = (options: object) => ({
    ...fromBinary(FileDescriptorProtoSchema, new Uint8Array()),
    name: "a.proto",
    ...options,
  });
  expect(() => printProtoFile(file({ syntax: "editions" }))).toThrow("a.proto is of a kind that is not printed");
  expect(
    printProtoFile(
      file({
        syntax: "proto3",
        package: "a.b",
        options: fromBinary(FileOptionsSchema, new Uint8Array([0x0a, 1, 0x78])),
      }),
    ),
  ).toBe('syntax = "proto3";\npackage a.b;\noption java_package = "x";\n');
});
