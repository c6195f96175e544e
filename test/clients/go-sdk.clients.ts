/** The modules of the Go SDK, built as a proxy of Go serves them, and got by an empty project. Nothing is replaced there. */
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import rootPackage from "../../package.json" with { type: "json" };
import { modelOfSchema } from "../../sdk/generator/generate.ts";
import { emitGo } from "../../sdk/generator/go.ts";
import type { Field, FieldType } from "../../sdk/generator/model.ts";
import { readModel } from "../../sdk/generator/read-model.ts";
import { CommandError, runCommand } from "../generators/run-command.ts";
import { useTestApp } from "../support/app.ts";
import { readBadgeService } from "../wire/badges/badges.capability.ts";
import { missingOf } from "./toolchains.ts";

const root = join(import.meta.dirname, "../..");
const sdk = join(root, "sdk/go");
const modulePath = "github.com/byond/byond-go";
const app = useTestApp();

/** The blocks of the README in a language. */
async function readmeBlocks(language: string): Promise<string[]> {
  const readme = await readFile(join(sdk, "README.md"), "utf8");
  const pattern = new RegExp(`^ *\`\`\`${language}\\n(.*?)^ *\`\`\`$`, "gms");
  return Array.from(readme.matchAll(pattern), ([, block = ""]) => block);
}

describe.skipIf(missingOf(["go"]) !== undefined)("the Go SDK", () => {
  let folder: string;
  /** Where the modules come from, and where they are kept: not among those of the machine, which never change. */
  let environment: Record<string, string>;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "byond-go-"));
    const proxy = join(folder, "proxy");
    await runCommand("go", ["run", "./pack", proxy], { cwd: join(sdk, "test") });
    const [cache, proxies] = (await runCommand("go", ["env", "GOMODCACHE", "GOPROXY"])).trim().split("\n");
    environment = {
      GOPROXY: `file://${proxy},file://${cache}/cache/download,${proxies}`,
      GOMODCACHE: join(folder, "modules"),
      GOFLAGS: "-modcacherw",
      GONOSUMDB: modulePath,
      GOWORK: "off",
    };
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  async function emptyProject(): Promise<string> {
    const project = await mkdtemp(join(folder, "project-"));
    await runCommand("go", ["mod", "init", "example.com/try"], { cwd: project });
    return project;
  }

  /** An account's key, as the environment that the banner of a server exports. */
  async function serverEnvironment(): Promise<Record<string, string>> {
    const { session } = await app.signUp();
    const { body } = await app.rest("POST", "/api-keys", { session, body: { name: "try", mode: "test" } });
    return { BYOND_URL: app.url, BYONDAPI_KEY: body.key };
  }

  test("is formatted, vetted, and passes its own tests", async () => {
    expect(await runCommand("gofmt", ["-l", sdk])).toBe("");
    for (const cwd of [sdk, join(sdk, "byondgrpc"), join(sdk, "test")]) {
      await runCommand("go", ["vet", "./..."], { cwd });
      await runCommand("go", ["test", "./..."], { cwd });
      // Fails if go.mod or go.sum is not what the imports need.
      await runCommand("go", ["mod", "tidy", "-diff"], { cwd });
    }
  });

  test("compiles, formatted, with a service that nobody wrote code for, and with every type of field", async () => {
    const [model, badges] = [await modelOfSchema(), readModel([await readBadgeService()])];
    const kinds: readonly FieldType["kind"][] = [
      "string",
      "boolean",
      "integer",
      "number",
      "int64",
      "bytes",
      "timestamp",
      "json",
    ];
    const fields = kinds.flatMap((kind): Field[] => {
      const field = { doc: `The ${kind}.`, type: { kind } as FieldType, isRequired: false, isNullable: false };
      const map: FieldType = { kind: "map", of: kind === "int64" ? { kind: "string" } : field.type };
      return [
        { ...field, name: kind },
        { ...field, name: `nullable_${kind}`, isNullable: true },
        { ...field, name: `map_of_${kind}`, type: map },
      ];
    });
    const module = join(folder, "generated");
    await cp(sdk, module, { recursive: true });
    const files = emitGo(
      {
        ...model,
        services: [...model.services, ...badges.services],
        messages: [...model.messages, ...badges.messages, { name: "AllKinds", doc: "Everything.", fields }],
        enums: [...model.enums, ...badges.enums],
      },
      new Uint8Array(),
    );
    for (const [path, content] of Object.entries(files)) {
      await writeFile(join(module, path), content);
    }
    expect(await runCommand("gofmt", ["-l", module])).toBe("");
    await runCommand("go", ["vet", "."], { cwd: module });
  });

  test("requires itself in the version of the server", async () => {
    for (const file of ["byondgrpc/go.mod", "test/go.mod", "README.md"]) {
      const text = await readFile(join(sdk, file), "utf8");
      const versions = Array.from(
        text.matchAll(/github\.com\/byond\/byond-go(?:\/byondgrpc)?[ @]v(\S+)/g),
        (match) => match[1],
      );
      expect(new Set(versions), file).toEqual(new Set([rootPackage.version]));
    }
  });

  test("does what the first lines of its README say, as pasted, and needs nothing else", async () => {
    const project = await emptyProject();
    const [code = ""] = await readmeBlocks("go");
    await writeFile(join(project, "try.go"), code);
    await runCommand("go", ["get", `${modulePath}@latest`], { cwd: project, environment });
    const output = await runCommand("go", ["run", "try.go"], {
      cwd: project,
      environment: { ...environment, ...(await serverEnvironment()) },
    });
    expect(output).toMatch(/^&\{vrf_\w{22} approved <nil>\} <nil>\n$/);
    const sums = (await readFile(join(project, "go.sum"), "utf8")).trim().split("\n");
    expect(sums.filter((line) => !line.startsWith(`${modulePath} v${rootPackage.version}`))).toEqual([]);
    const licence = join(folder, `modules/${modulePath}@v${rootPackage.version}/LICENSE`);
    expect(await readFile(licence, "utf8")).toBe(await readFile(join(root, "LICENSE"), "utf8"));
  });

  test("is found beside a project, as its README says until it is published", async () => {
    const project = await mkdtemp(join(folder, "project-"));
    await symlink(root, join(folder, "byond"));
    const [commands = ""] = await readmeBlocks("sh");
    await runCommand("bash", ["-ec", commands], { cwd: project });
    const [code = ""] = await readmeBlocks("go");
    await writeFile(join(project, "try.go"), code);
    const output = await runCommand("go", ["run", "try.go"], { cwd: project, environment: await serverEnvironment() });
    expect(output).toMatch(/approved/);
  });

  test("calls over gRPC, and every piece of code of its README compiles", async () => {
    const project = await emptyProject();
    await writeFile(
      join(project, "main.go"),
      `package main

import (
	"context"
	"fmt"

	"${modulePath}"
	"${modulePath}/byondgrpc"
)

func main() {
	transport := byondgrpc.NewTransport()
	defer transport.Close()
	client := byond.New(byond.WithTransport(transport))
	number, err := client.Lookup.Number(context.Background(), &byond.LookupNumberParams{Number: "+6591234567"})
	fmt.Println(number.LineType, err)
}
`,
    );
    await runCommand("go", ["get", `${modulePath}@latest`, `${modulePath}/byondgrpc@latest`], {
      cwd: project,
      environment,
    });
    const output = await runCommand("go", ["run", "."], {
      cwd: project,
      environment: { ...environment, ...(await serverEnvironment()) },
    });
    expect(output).toBe("mobile <nil>\n");

    const [, ...blocks] = await readmeBlocks("go");
    await writeFile(join(project, "readme.go"), readmeProgram(blocks));
    const build = await runCommand("go", ["build", "-gcflags=-e", "."], { cwd: project, environment }).catch(
      (error: unknown) => error,
    );
    const problems = (build instanceof CommandError ? build.output : String(build)).trim().split("\n");
    expect(problems.filter((line) => !/declared and not used|^# /.test(line))).toEqual([]);
  });
});

/** Each block in a function of its own, with what it takes for granted. */
function readmeProgram(blocks: readonly string[]): string {
  const given = [
    "ctx context.Context",
    "client *byond.Client",
    "email, password string",
    "err error",
    "tryAgainIn func(time.Duration) error",
    "approve func(string)",
  ].join(", ");
  const functions = blocks.map((block, index) => `func block${index}(${given}) error {\n{\n${block}}\nreturn nil\n}\n`);
  return `package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"

	"${modulePath}"
	"${modulePath}/byondgrpc"
)

${functions.join("\n")}`;
}
