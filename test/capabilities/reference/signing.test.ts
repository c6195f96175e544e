/** What the guide says of signatures: its example is recomputed, and its programs are run as they stand there. */
import { execFile, spawnSync } from "node:child_process";
import { createHmac } from "node:crypto";
import { promisify } from "node:util";
import { beforeAll, describe, expect, test } from "vitest";
import { useTestApp } from "../../support/app.ts";
import { codeBlocks, readChapter } from "./guide-chapter.ts";

const run = promisify(execFile);

const chapter = "signed-requests";

const app = useTestApp();
/** A key that takes v2 only. */
let key: string;
beforeAll(async () => {
  const { session } = await app.signUp();
  const { body } = await app.rest("POST", "/api-keys", { session, body: { name: "k", min_signature_version: "v2" } });
  key = body.key;
});

describe("the example", () => {
  const told = () => ({
    signed: codeBlocks(chapter, "text")[1] ?? "",
    key: /With the key `([^`]+)`/.exec(readChapter(chapter))?.[1] ?? "",
    signature: /`([\da-f]{64})`/.exec(readChapter(chapter))?.[1],
  });

  test("has the signature that Node.js computes", () => {
    const { signed, key: secret, signature } = told();
    expect(signed.split("\n")).toHaveLength(5);
    expect(createHmac("sha256", secret).update(signed).digest("hex")).toBe(signature);
  });

  test("has the signature that openssl computes", () => {
    const { signed, key: secret, signature } = told();
    const { stdout } = spawnSync("openssl", ["dgst", "-sha256", "-hmac", secret, "-r"], {
      input: signed,
      encoding: "utf8",
    });
    expect(stdout.split(" ")[0]).toBe(signature);
  });
});

describe("its programs satisfy a key that requires v2 signatures", () => {
  const environment = () => ({ env: { ...process.env, BYOND_URL: app.url, BYONDAPI_KEY: key } });

  test("in JavaScript", async () => {
    const { stdout } = await run(
      process.execPath,
      ["--input-type=module", "-e", codeBlocks(chapter, "javascript")[0] ?? ""],
      environment(),
    );
    expect(stdout.trim()).toBe("201");
  });

  test("in a shell", async () => {
    const { stdout } = await run("bash", ["-c", codeBlocks(chapter, "bash")[0] ?? ""], environment());
    expect(JSON.parse(stdout)).toMatchObject({ number_e164: "+6591234567", valid: true });
  });
});
