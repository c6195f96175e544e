import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import type { DocumentReader } from "../capabilities/reference/openapi-document.ts";
import { startVerification } from "../capabilities/reference/operation-calls.ts";
import type { TestApp } from "../support/app.ts";
import type { SampleLanguage } from "./sample-language.ts";
import { type PreparedSample, prepareSample } from "./sample-preparation.ts";

/** Runs the samples of all operations in a language. Resolves to what is wrong, by operation; undefined: it was answered as documented. */
export async function runSamples(
  app: TestApp,
  reader: DocumentReader,
  language: SampleLanguage,
): Promise<Map<string, string | undefined>> {
  // The limits of an hour, which count by the address of the client, are as they were for the language before.
  await app.time.advance({ seconds: 3_600 });
  const folder = await mkdtemp(join(tmpdir(), "byond-samples-"));
  try {
    const samples: PreparedSample[] = [];
    // One after the other: there is a limit to how many accounts are created at once.
    for (const place of reader.operations()) {
      samples.push(await prepareSample(app, reader, place, language.label));
    }
    await language.build(folder, samples);
    const outcomes = new Map<string, string | undefined>();
    const waiting = samples.values();
    const runNext = async () => {
      for (const sample of waiting) {
        outcomes.set(sample.operationId, await runSample(sample, folder, language));
      }
    };
    await Promise.all(Array.from({ length: availableParallelism() }, runNext));
    return outcomes;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function runSample(
  sample: PreparedSample,
  folder: string,
  language: SampleLanguage,
): Promise<string | undefined> {
  const [program, ...args] = language.command(folder, sample.operationId);
  const child = spawn(program, args, {
    env: { ...process.env, ...sample.environment },
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
    // One that never ends is named, before the test's own time is over.
    timeout: 40_000,
  });
  const errors = text(child.stderr);
  if (sample.operationId === "streamEvents") {
    return runStream(sample, child);
  }
  const [output, [status]] = await Promise.all([text(child.stdout), once(child, "close")]);
  const isExpected = status === 0 && (!language.printsStatus || output.startsWith(`${sample.status} `));
  return isExpected ? undefined : `exit status ${status}\n${output}\n${await errors}\n${sample.source}`;
}

/** The type of an event in the JSON of REST, or of protobuf. */
const started = /verification[._]started\b/i;

/** A stream does not end. It begins some time after the program was started, so events are made until it prints one. */
async function runStream(
  { world, source }: PreparedSample,
  child: ReturnType<typeof spawn>,
): Promise<string | undefined> {
  let output = "";
  child.stdout?.setEncoding("utf8").on("data", (chunk) => {
    output += chunk;
  });
  const closed = once(child, "close");
  const deadlineMs = performance.now() + 20_000;
  while (!started.test(output) && child.exitCode === null && performance.now() < deadlineMs) {
    await startVerification(world);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  if (child.exitCode === null && child.pid !== undefined) {
    process.kill(-child.pid, "SIGTERM");
  }
  await closed;
  return started.test(output) ? undefined : `${output}\n${source}`;
}
