/** Secrets that are in files of their own (`BYOND_SECRET_FILE`). */
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Config, parseConfig, standardCapabilities } from "../../src/app.ts";
import { ConfigError } from "../../src/config/config-error.ts";
import { readSettingFile } from "../../src/config/read-setting-file.ts";
import { settingsByName } from "../../src/config/setting-group.ts";
import { settingGroupsOf } from "../../src/process/server-config.ts";
import { startNotices } from "../../src/process/start-report.ts";
import { makeFolder } from "../system/main-process.ts";

const secret = "0123456789abcdef0123456789abcdef";
let folder: Awaited<ReturnType<typeof makeFolder>>;
beforeAll(async () => {
  folder = await makeFolder();
});
afterAll(() => folder[Symbol.asyncDispose]());

async function fileOf(content: string | Buffer, mode = 0o600): Promise<string> {
  const path = join(folder.path, `file-${crypto.randomUUID()}`);
  await writeFile(path, content);
  await chmod(path, mode);
  return path;
}

function problemsOf(environment: Record<string, string>): readonly string[] {
  try {
    parseConfig({ DATA_DIR: "/x", ...environment });
  } catch (error) {
    if (error instanceof ConfigError) {
      return error.problems;
    }
    throw error;
  }
  return [];
}

const filesOf = ({ settingFiles, secrets, envFile }: Config) => ({
  secrets,
  readable: settingFiles.readableByAll,
  env: envFile?.settings,
});

test.each([`${secret}`, `${secret}\n`, `${secret}\r\n`, `\n  ${secret}\n\n`])(
  "the content is the setting, without the white space around it: %j",
  async (content) => {
    const path = await fileOf(content);
    expect(parseConfig({ BYOND_SECRET_FILE: path, DATA_DIR: "/x" }).secrets).toEqual([secret]);
  },
);

test("a list of secrets, and one behind a symbolic link, as Kubernetes mounts them", async () => {
  const other = secret.toUpperCase();
  const link = join(folder.path, "link");
  await symlink(await fileOf(`${secret},${other}\n`), link);
  expect(parseConfig({ BYOND_SECRET_FILE: ` ${link} `, DATA_DIR: "/x" }).secrets).toEqual([secret, other]);
});

test("a pipe, as a shell's <(…) is one, that is written to in several pieces", async () => {
  const path = join(folder.path, "pipe");
  execFileSync("mkfifo", [path]);
  const other = secret.toUpperCase();
  const writer = spawn("sh", ["-c", '{ printf %s, "$1"; printf %s "$2"; } > "$3"', "sh", secret, other, path]);
  expect(parseConfig({ BYOND_SECRET_FILE: path, DATA_DIR: "/x" }).secrets).toEqual([secret, other]);
  await once(writer, "exit");
});

test("a pipe that nobody writes to is refused", () => {
  const path = join(folder.path, "silent");
  execFileSync("mkfifo", [path]);
  expect(() => readSettingFile(path, { openMs: 300, writeMs: 60_000 })).toThrow(
    "it is a pipe, and nobody writes to it within 0.3 seconds",
  );
});

test("each setting that names a file is read in this way", () => {
  const path = "/dev/zero";
  expect(
    problemsOf({
      BYOND_SECRET_FILE: path,
      PRICES: path,
      OTEL_EXPORTER_OTLP_ENDPOINT: "https://collector.example",
      OTEL_EXPORTER_OTLP_CERTIFICATE: path,
    }),
  ).toEqual([
    "BYOND_SECRET_FILE names a file that cannot be read: it holds more than 1 MB",
    "OTEL_EXPORTER_OTLP_CERTIFICATE cannot be read: it holds more than 1 MB",
    "PRICES: the file cannot be read: it holds more than 1 MB",
  ]);
});

test("a pipe whose writer does not end is refused", async () => {
  const path = join(folder.path, "endless");
  execFileSync("mkfifo", [path]);
  const writer = spawn("sh", ["-c", 'exec 3> "$1"; printf begun >&3; exec sleep 600', "sh", path]);
  expect(() => readSettingFile(path, { openMs: 60_000, writeMs: 300 })).toThrow(
    "it is a pipe, and its writer does not end within 0.3 seconds",
  );
  writer.kill("SIGKILL");
  await once(writer, "exit");
});

test("every setting that holds a secret can be in a file, and a sign of production is one there, too", async () => {
  const secretNames = [...settingsByName(settingGroupsOf(standardCapabilities()))]
    .filter(([, { isSecret }]) => isSecret)
    .map(([name]) => name);
  expect(secretNames.toSorted()).toMatchInlineSnapshot(`
    [
      "BOUNCES_URL",
      "BYOND_SECRET",
      "DATABASE_DIRECT_URL",
      "DATABASE_MIGRATION_URL",
      "DATABASE_URL",
      "LOOKUP_SECRET",
      "METRICS_TOKEN",
      "OTEL_EXPORTER_OTLP_HEADERS",
      "PROVIDER_SECRET",
      "SMS_URL",
      "SMTP_URL",
      "VOICE_URL",
      "WHATSAPP_APP_SECRET",
      "WHATSAPP_TOKEN",
      "WHATSAPP_VERIFY_TOKEN",
    ]
  `);
  for (const name of secretNames) {
    expect(problemsOf({ [`${name}_FILE`]: "/nowhere" })).toContain(
      `${name}_FILE names a file that cannot be read: ENOENT`,
    );
  }
  const path = await fileOf(secret);
  expect(() => parseConfig({ BYOND_SECRET_FILE: path })).toThrow("DATABASE_URL is required with BYOND_SECRET");
});

test("an empty variable counts as unset, on either side", async () => {
  const path = await fileOf(secret);
  expect(parseConfig({ BYOND_SECRET_FILE: path, BYOND_SECRET: "", DATA_DIR: "/x" }).secrets).toEqual([secret]);
  expect(parseConfig({ BYOND_SECRET_FILE: "", BYOND_SECRET: secret, DATA_DIR: "/x" }).secrets).toEqual([secret]);
});

describe("refused", () => {
  test("a setting that is set in both ways", async () => {
    expect(problemsOf({ BYOND_SECRET: secret, BYOND_SECRET_FILE: await fileOf(secret) })).toEqual([
      "BYOND_SECRET and BYOND_SECRET_FILE are both set: remove one of them",
    ]);
  });

  test("a file that cannot be read, or is empty, once: its setting is not also missing", async () => {
    const url = "postgres://a:b@localhost/c";
    for (const path of ["/nowhere", await fileOf("\n")]) {
      const problem = expect.stringMatching(/^\w+_FILE names a file that /);
      expect(problemsOf({ DATABASE_URL: url, BYOND_SECRET_FILE: path })).toEqual([problem]);
      expect(
        problemsOf({ DATABASE_URL_FILE: path, DATABASE_DIRECT_URL: url, BYOND_SECRET: secret, DATA_DIR: "" }),
      ).toEqual([problem]);
    }
  });

  test.each<[string, string | Buffer, string]>([
    ["nothing", " \n", "BYOND_SECRET_FILE names a file that is empty"],
    ["random bytes", Buffer.from("ff".repeat(32), "hex"), "BYOND_SECRET_FILE names a file that is not text in UTF-8"],
    ["a zero byte", `${secret}\0${secret}`, "BYOND_SECRET_FILE names a file that is not text"],
    ["a placeholder", `\${SECRET}${secret}`, "BYOND_SECRET contains quotes or an unexpanded reference"],
    ["quotes", `"${secret}"`, "BYOND_SECRET contains quotes or an unexpanded reference"],
    ["a short secret", "hunter2", "BYOND_SECRET must be 32 bytes or longer"],
  ])("a file with %s", async (_what, content, problem) => {
    const problems = problemsOf({ BYOND_SECRET_FILE: await fileOf(content) });
    expect(problems.filter((each) => each.startsWith(problem))).toHaveLength(1);
    expect(problems.join()).not.toContain("hunter2");
  });

  test("more than any secret is, also from a device that never ends", async () => {
    const problem = "BYOND_SECRET_FILE names a file that cannot be read: it holds more than 1 MB";
    for (const path of ["/dev/zero", await fileOf("a".repeat(1_000_001))]) {
      expect(problemsOf({ BYOND_SECRET_FILE: path })).toEqual([problem]);
    }
    expect(problemsOf({ BYOND_SECRET_FILE: await fileOf("a".repeat(1_000_000)) })).not.toContain(problem);
  });

  test.each([
    ["/nowhere/hunter2", "BYOND_SECRET_FILE names a file that cannot be read: ENOENT"],
    ["/", "BYOND_SECRET_FILE names a file that cannot be read: EISDIR"],
    ["hunter2\0", "BYOND_SECRET_FILE names a file that cannot be read: ERR_INVALID_ARG_VALUE"],
    [
      "$" + "{CREDENTIALS_DIRECTORY}/hunter2",
      "BYOND_SECRET_FILE contains quotes or an unexpanded reference to a variable: set the final value",
    ],
  ])("the path %j, which is not repeated: it may be the secret itself", (path, problem) => {
    expect(problemsOf({ BYOND_SECRET_FILE: path })).toEqual([problem]);
  });
});

test("a file that every user of the machine may read is warned of at the start", async () => {
  const open = { BYOND_SECRET_FILE: await fileOf(secret, 0o644), DATA_DIR: "/x" };
  const noticed = startNotices(parseConfig(open), standardCapabilities());
  expect(noticed).toContainEqual({
    level: "warn",
    event: "secret_files_world_readable",
    settings: ["BYOND_SECRET_FILE"],
  });
  for (const mode of [0o600, 0o640, 0o400]) {
    const config = parseConfig({ BYOND_SECRET_FILE: await fileOf(secret, mode), DATA_DIR: "/x" });
    expect(filesOf(config).readable).toEqual([]);
  }
});

test("the .env file can name the files; what they hold does not come from it", async () => {
  const variables = { BYOND_SECRET_FILE: await fileOf(secret), PORT: "9000", DATA_DIR: "/x" };
  const config = parseConfig({}, { variables, isReadableByAll: false });
  expect(filesOf(config)).toEqual({ secrets: [secret], readable: [], env: ["PORT", "DATA_DIR"] });
});

test("NODE_EXTRA_CA_CERTS in the .env file is refused: Node has read it before", () => {
  const file = { variables: { NODE_EXTRA_CA_CERTS: "/ca.pem" }, isReadableByAll: false };
  expect(() => parseConfig({}, file)).toThrow("NODE_EXTRA_CA_CERTS has no effect in .env");
  expect(parseConfig({ NODE_EXTRA_CA_CERTS: "/ca.pem" }, file).port).toBe(8080);
});
