/** The quickstart, pasted block after block into one shell, with a sandbox key in its place. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { useTestApp } from "../../support/app.ts";
import { codeBlocks } from "./guide-chapter.ts";

const app = useTestApp();

test("the quickstart leads to an approved code, a lookup and a revoked key, as pasted, and again when repeated", async () => {
  const key = await app.mintKey({ mode: "test" });
  const script = codeBlocks("quickstart", "bash")
    .join("\n")
    .replaceAll("{{origin}}", app.url)
    .replace("pk_test_…", key);
  const paste = () => promisify(execFile)("bash", ["-c", `set -euo pipefail\n${script}`]);

  const { stdout } = await paste();
  expect(stdout).toContain('"status":"pending"');
  expect(stdout).toContain('"status":"approved"');
  expect(stdout.match(/"number_e164":"\+6591234567"/g)).toHaveLength(2);
  expect(stdout).toContain('"revoked":true');
  expect(errorsIn(stdout)).toEqual(["invalid_api_key"]);

  const again = (await paste()).stdout;
  expect(again).toContain('"status":"approved"');
  expect(errorsIn(again)).toEqual(["already_exists", "invalid_api_key"]);
});

function errorsIn(output: string): string[] {
  return [...output.matchAll(/"error":\{"code":"(\w+)"/g)].map(([, code = ""]) => code);
}
