import { Writable } from "node:stream";
import { describe, expect, test } from "vitest";
import { AppError } from "../../src/errors.ts";
import {
  batchWrites,
  createLogger,
  describeError,
  type LogLevel,
  untilRead,
  writeWhileRead,
} from "../../src/observe/log.ts";

function linesOf(write: (logger: ReturnType<typeof createLogger>) => void): string[] {
  const lines: string[] = [];
  write(createLogger((line) => lines.push(line)));
  return lines;
}

test("a line is one JSON object with time, level and event, whatever its values contain", () => {
  const circle: Record<string, unknown> = { size: 10n };
  circle.self = circle;
  const lines = linesOf((logger) => {
    logger.info("request", { status: 200, route: "GET /api/v1/lookup", nothing: undefined });
    logger.warn("odd", { text: "two\nlines \u2028 and \u0000", circle, ratio: Number.NaN });
    logger.error("call_failed");
  });
  expect(lines.every((line) => line.endsWith("\n") && line.indexOf("\n") === line.length - 1)).toBe(true);
  const time = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  expect(lines.map((line) => JSON.parse(line))).toEqual([
    { time, level: "info", event: "request", status: 200, route: "GET /api/v1/lookup" },
    {
      time,
      level: "warn",
      event: "odd",
      text: "two\nlines \u2028 and \u0000",
      circle: { size: 10, self: "[Circular]" },
      ratio: null,
    },
    { time, level: "error", event: "call_failed" },
  ]);
});

test("an error is logged with its name, message, stack and causes only", () => {
  const cause = Object.assign(new TypeError("duplicate key"), {
    detail: "Key (email)=(a@example.com) already exists.",
  });
  const [line = ""] = linesOf((logger) =>
    logger.error("call_failed", { error: new AppError("unavailable", "Try again.", { cause }) }),
  );
  expect(JSON.parse(line)).toMatchObject({
    error: { name: "AppError", message: "Try again.", cause: { name: "TypeError", message: "duplicate key" } },
  });
  expect(JSON.parse(line).error.stack).toContain("log.test.ts");
  expect(line).not.toContain("a@example.com");
});

test.each([
  ["text", { message: "text" }],
  [undefined, { message: "undefined" }],
  [{ a: 1 }, { message: "[object Object]" }],
])("what is thrown and is no error, %j, is told too", (thrown, described) => {
  expect(describeError(thrown)).toEqual(described);
});

test("lines below the level are not written, and cost nothing", () => {
  const eventsAt = (level: LogLevel) => {
    const lines: string[] = [];
    const logger = createLogger((line) => lines.push(line), null, { level, format: "json" });
    logger.info("request");
    logger.warn("sweep_failed");
    logger.error("call_failed");
    return lines.map((line) => JSON.parse(line).event);
  };
  expect(eventsAt("info")).toEqual(["request", "sweep_failed", "call_failed"]);
  expect(eventsAt("warn")).toEqual(["sweep_failed", "call_failed"]);
  expect(eventsAt("error")).toEqual(["call_failed"]);
});

test("a pretty line has the time, the level, the event, its fields, and the stack of an error, and nothing that a terminal obeys", () => {
  const lines: string[] = [];
  const logger = createLogger((line) => lines.push(line), { worker: 2 }, { level: "info", format: "pretty" });
  logger.info("request", { route: "GET /api/v1/lookup", status: 200, code: undefined, ms: 0.4, aborted: null });
  logger.warn("odd", { reason: "a\u001b[31m\nred", list: [1, "two"] });
  logger.error("call_failed", { error: new AppError("unavailable", "Try\u009b again.", { cause: new Error("gone") }) });
  const [request = "", odd = "", failed = ""] = lines;
  expect(request).toMatch(
    /^\d\d:\d\d:\d\d\.\d{3} INFO {2}request {18}worker=2 route="GET \/api\/v1\/lookup" status=200 ms=0\.4 aborted=null\n$/,
  );
  expect(odd).toMatch(/ WARN {2}odd {22}worker=2 reason="a\\u001b\[31m\\nred" list=\[1,"two"\]\n$/);
  expect(failed).toMatch(/ ERROR call_failed {14}worker=2\n {4}AppError: Try\\x9b again\.\n {8}at /);
  expect(failed).toMatch(/\n {4}caused by:\n {4}Error: gone\n/);
});

test("a JSON line has nothing that a terminal obeys, and reads as what was written", () => {
  const lines: string[] = [];
  const logger = createLogger((line) => lines.push(line));
  logger.warn("odd", { reason: "a\u009b31m\u007f" });
  logger.error("call_failed", { error: new Error("Try\u009b again.") });
  expect(lines.join("")).not.toMatch(/[\u007f-\u009f]/);
  const [odd, failed] = lines.map((line) => JSON.parse(line));
  expect(odd.reason).toBe("a\u009b31m\u007f");
  expect(failed.error.message).toBe("Try\u009b again.");
});

test("what was written is waited for until its reader has it, and not if nobody reads", async () => {
  const taken: string[] = [];
  const takes: (() => void)[] = [];
  const slow = new Writable({
    write(chunk, _encoding, done) {
      takes.push(() => {
        taken.push(String(chunk));
        done();
      });
    },
  });
  const write = writeWhileRead(slow);
  write("one");
  write("two");
  const read = untilRead(slow, 60_000).then(() => taken.join(" "));
  for (let take = takes.shift(); take !== undefined; take = takes.shift()) {
    take();
  }
  expect(await read).toMatch(/^one two ?$/);
  write("three");
  await untilRead(slow, 1);
  expect(taken).not.toContain("three");
  slow.destroy();
  await untilRead(slow, 60_000);
});

test("a stalled reader costs 16 MiB at most", () => {
  let begun = 0;
  const stalled = new Writable({
    write() {
      begun += 1;
    },
  });
  const write = writeWhileRead(stalled);
  for (let index = 0; index < 40; index += 1) {
    write("x".repeat(1024 * 1024));
  }
  expect(begun).toBe(1);
  expect(stalled.writableLength).toBe(16 * 1024 * 1024);
});

test("lines that cannot be written are dropped, without other effects", async () => {
  const full = new Writable({
    write(_chunk, _encoding, done) {
      done(new Error("ENOSPC"));
    },
  });
  const write = writeWhileRead(full);
  write("one\n");
  await new Promise((resolve) => setImmediate(resolve));
  write("two\n");
  await new Promise((resolve) => setImmediate(resolve));
  expect(full.destroyed).toBe(true);
});

describe("lines of one turn of the event loop", () => {
  test("are written together, in their order, and each once", async () => {
    const written: string[] = [];
    const { write } = batchWrites((text) => written.push(text));
    write("one\n");
    write("two\n");
    expect(written).toEqual([]);
    await new Promise((resolve) => setImmediate(resolve));
    write("three\n");
    await new Promise((resolve) => setImmediate(resolve));
    expect(written).toEqual(["one\ntwo\n", "three\n"]);
  });

  test("are written at once when the process exits", () => {
    const written: string[] = [];
    const { write, flush } = batchWrites((text) => written.push(text));
    write("last\n");
    flush();
    flush();
    expect(written).toEqual(["last\n"]);
  });
});
