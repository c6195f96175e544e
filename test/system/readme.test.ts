/** The README's calls, pasted one after the other into one shell, against a server that was started as the README says. */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { codeBlocks } from "../capabilities/reference/guide-chapter.ts";
import { freePort } from "../support/free-port.ts";
import { readBlocks } from "./readme-blocks.ts";

const root = join(import.meta.dirname, "../..");

test("every call of the README works as pasted, and works again when repeated", async () => {
  const dataDir = await mkdtemp(join(tmpdir(), "byond-readme-"));
  const server = spawn("node", ["src/main.ts"], {
    cwd: root,
    env: { PATH: process.env.PATH, HOME: process.env.HOME, PORT: "0", DATA_DIR: dataDir },
    stdio: ["ignore", "pipe", "ignore"],
  });
  try {
    let banner = "";
    for await (const chunk of server.stdout) {
      banner += chunk;
      if (banner.includes("/dev/inbox")) {
        break;
      }
    }
    const exports = Array.from(banner.matchAll(/^ +(export .*)$/gm), ([, line = ""]) => line);
    expect(exports.map((line) => line.split("=", 1)[0])).toEqual(["export BYOND_URL", "export BYONDAPI_KEY"]);
    // The reference's quickstart begins with the lines that the start prints.
    const [url = "", key = ""] = exports.map((line) => line.split('"')[1] ?? "");
    const [names = ""] = codeBlocks("quickstart", "bash");
    expect(names.replace("{{origin}}", url).replace("pk_test_…", key)).toBe(exports.join("\n"));
    const [receive = "", listen = "", ...create] = await readBlocks("Webhooks");
    const blocks = [...(await readBlocks("First calls", "gRPC")), ...create];
    expect(blocks.length).toBeGreaterThanOrEqual(6);
    expect(blocks.join()).not.toContain("127.0.0.1");
    const script = ["set -eo pipefail", ...exports, ...blocks].join("\n");
    const paste = () => promisify(execFile)("bash", ["-c", script], { cwd: root });
    const { stdout } = await paste();
    // An event has the error of a delivery, which is null.
    expect(stdout).not.toMatch(/"error":\{/);
    expectAnswers(stdout);
    const again = (await paste()).stdout;
    expect(again.match(/"error":\{"code":"\w+"/g)).toEqual(['"error":{"code":"already_exists"']);
    expectAnswers(again);
    await expectEvents({ exports, receive, listen });
  } finally {
    const exited = once(server, "exit");
    server.kill("SIGTERM");
    await exited;
    await rm(dataDir, { recursive: true, force: true });
  }
});

/** Runs the two commands that receive events, each in a shell of its own, and starts a verification. */
async function expectEvents(lines: {
  readonly exports: readonly string[];
  readonly receive: string;
  readonly listen: string;
}) {
  const port = await freePort();
  // The shell is replaced by the command, so that it is the command that is ended.
  const shell = (block: string) =>
    spawn("bash", ["-c", [...lines.exports, `exec ${block.replaceAll("3000", `${port}`)}`].join("\n")], {
      cwd: root,
      stdio: ["ignore", "pipe", "ignore"],
      detached: true,
    });
  const [receiver, listener] = [shell(lines.receive), shell(lines.listen)];
  try {
    await read(listener, "Connected.");
    const [start = ""] = await readBlocks("First calls");
    await promisify(execFile)("bash", ["-c", [...lines.exports, start].join("\n")], { cwd: root });
    await read(receiver, '"type":"verification.delivered"');
  } finally {
    for (const { pid } of [listener, receiver]) {
      // npm and what it started: they are a group.
      process.kill(-(pid ?? 0), "SIGINT");
    }
  }
}

/** Reads the output of a process up to a text. */
async function read(program: ChildProcess, text: string): Promise<void> {
  let output = "";
  for await (const chunk of program.stdout ?? []) {
    output += chunk;
    if (output.includes(text)) {
      return;
    }
  }
  throw new Error(`it ended, and never wrote ${text}: ${output}`);
}

function expectAnswers(stdout: string): void {
  expect(stdout).toContain('"status":"pending"');
  expect(stdout).toContain('"expires_in":900');
  expect(stdout).toContain('"scopes":["verify","lookup"]');
  expect(stdout).toContain("ada@example.com");
  expect(stdout).toContain('"status":"approved"');
  expect(stdout).toContain('"number_e164":"+6591234567"');
  expect(stdout).toContain('"name":"prod-backend"');
  expect(stdout).toContain('"revoked":true');
  expect(stdout).toContain('"numberE164": "+6591234567"');
}
