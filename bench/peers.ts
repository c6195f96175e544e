import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { rm, stat } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";
import { fillThirdParty } from "../scripts/third-party.ts";
import { cacheFolder, root, Server } from "./processes.ts";

const run = promisify(execFile);
const folder = join(import.meta.dirname, "peers");

/** A peer in JavaScript: `peers/<name>.mjs`. Installs what they need on the first run. */
export async function startPeer(name: string, environment: Readonly<Record<string, string>> = {}): Promise<Server> {
  if (!existsSync(join(folder, "node_modules"))) {
    await run("npm", ["ci", "--ignore-scripts"], { cwd: folder });
  }
  await fillThirdParty();
  return Server.start({ command: [process.execPath, join(folder, `${name}.mjs`)], environment });
}

/** The peer in Go, on one core. Undefined where there is no Go to build it with. */
export async function startGoPeer(environment: Readonly<Record<string, string>>): Promise<Server | undefined> {
  const program = await buildGoPeer();
  return program === undefined
    ? undefined
    : Server.start({ command: [program], environment: { ...environment, GOMAXPROCS: "1" } });
}

async function buildGoPeer(): Promise<string | undefined> {
  const hasGo = await run("go", ["version"]).then(
    () => true,
    () => false,
  );
  if (!hasGo) {
    return undefined;
  }
  const module = join(folder, "go");
  const program = join(cacheFolder, "lookup-go");
  const changedMs = await Promise.all(
    ["main.go", "go.mod"].map(async (file) => (await stat(join(module, file))).mtimeMs),
  );
  const builtMs = existsSync(program) ? (await stat(program)).mtimeMs : 0;
  if (builtMs > Math.max(...changedMs)) {
    return program;
  }
  const plugins = ["google.golang.org/protobuf/cmd/protoc-gen-go", "connectrpc.com/connect/cmd/protoc-gen-connect-go"];
  await run("go", ["install", ...plugins], { cwd: module, env: { ...process.env, GOBIN: cacheFolder } });
  await generate(module);
  await run("go", ["build", "-o", program, "."], { cwd: module });
  return program;
}

/** Writes the code of the lookup's schema. It is not committed. */
async function generate(module: string): Promise<void> {
  await fillThirdParty();
  await rm(join(module, "gen"), { recursive: true, force: true });
  const own = "byond.example/bench";
  const validate = "buf.build/gen/go/bufbuild/protovalidate/protocolbuffers/go/buf/validate";
  const opt = [
    `module=${own}`,
    `Mbyond/v1/lookup.proto=${own}/gen/byond/v1;byondv1`,
    `Mbyond/v1/access.proto=${own}/gen/byond/v1;byondv1`,
    `Mbuf/validate/validate.proto=${validate}`,
  ];
  const plugin = (name: string) => ({ local: join(cacheFolder, name), out: "bench/peers/go", opt });
  const template = { version: "v2", plugins: [plugin("protoc-gen-go"), plugin("protoc-gen-connect-go")] };
  const paths = ["lookup", "access"].flatMap((name) => ["--path", `proto/byond/v1/${name}.proto`]);
  await run("buf", ["generate", "--template", JSON.stringify(template), ...paths], {
    cwd: root,
    env: { ...process.env, PATH: `${join(root, "node_modules/.bin")}${delimiter}${process.env.PATH}` },
  });
}
