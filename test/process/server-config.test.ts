import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { withTables } from "../../scripts/readme-tables.ts";
import { type Config, parseConfig, standardCapabilities } from "../../src/app.ts";
import type { Capability } from "../../src/capability.ts";
import { ConfigError } from "../../src/config/config-error.ts";
import { isLoopbackHost } from "../../src/config/loopback-host.ts";
import { settingGroup, settingsByName } from "../../src/config/setting-group.ts";
import { readConfig, settingGroupsOf } from "../../src/process/server-config.ts";
import { startNotices } from "../../src/process/start-report.ts";

const secret = "0123456789abcdef0123456789abcdef";
/** What a server on its own database says, that is no trial. */
const embedded = { DATA_DIR: "/srv/byond" };
const production = {
  DATABASE_URL: "postgres://byond:hunter2@db.example/byond?sslmode=verify-full&sslrootcert=system",
  BYOND_SECRET: secret,
};

/** The settings as the README lists them. */
const names = readFileSync(new URL("../../README.md", import.meta.url), "utf8")
  .split("\n")
  .filter((line) => line.startsWith("| `"))
  .flatMap((line) => [...(line.split(" | ")[0] ?? "").matchAll(/`([A-Z_]+)`/g)].map(([, name]) => name ?? ""));

function problemsOf(environment: Record<string, string>): string[] {
  try {
    parseConfig(environment);
  } catch (error) {
    if (error instanceof ConfigError) {
      const [title, ...problems] = error.message.split("\n");
      expect(title).toBe("The configuration cannot be used:");
      return problems.map((line) => line.replace(/^ {2}- /, ""));
    }
    throw error;
  }
  return [];
}

describe("an empty environment", () => {
  test("gives a local server: loopback, embedded PostgreSQL, open sign-up, a local inbox", () => {
    expect(parseConfig({})).toMatchObject({
      host: "127.0.0.1",
      port: 8080,
      database: { kind: "embedded", dataDir: resolve(".byond") },
      isPublic: false,
      signUp: "open",
      inbox: "all",
    });
    const { tls, publicUrl, secrets } = parseConfig({});
    expect([tls, publicUrl, secrets]).toEqual([undefined, undefined, undefined]);
  });

  test("an empty or blank variable counts as unset", () => {
    const blank = { PORT: "", HOST: " ", DATABASE_URL: "", TRUSTED_PROXIES: "", TLS_CERT: "", SIGN_UP: "\t" };
    const { emptySettings, ...config } = parseConfig(blank);
    expect({ ...config, emptySettings: [] }).toEqual(parseConfig({}));
    expect(emptySettings.toSorted()).toEqual(Object.keys(blank).sort());
  });
});

test("sessions last 30 days, or as long as SESSION_MAX_DAYS says", () => {
  expect(parseConfig({}).sessionMaxDays).toBe(30);
  expect(parseConfig({ SESSION_MAX_DAYS: "1" }).sessionMaxDays).toBe(1);
  for (const days of ["0", "-1", "1.5", "3651", "for ever"]) {
    expect(problemsOf({ SESSION_MAX_DAYS: days })).toEqual([expect.stringContaining("SESSION_MAX_DAYS")]);
  }
});

test("a server is one process by default; WORKERS=auto has one for each core", () => {
  expect(parseConfig({}).workers).toBe(1);
  expect(parseConfig({ WORKERS: "4" }).workers).toBe(4);
  expect(parseConfig({ WORKERS: "auto" }).workers).toBe(Math.min(availableParallelism(), 128));
});

test("a server drains for DRAIN_SECONDS: by default 0, at most 600", () => {
  expect(parseConfig({}).drainSeconds).toBe(0);
  expect(parseConfig({ DRAIN_SECONDS: "15" }).drainSeconds).toBe(15);
  for (const seconds of ["-1", "1.5", "601", "10s"]) {
    expect(problemsOf({ DRAIN_SECONDS: seconds })).toEqual([expect.stringContaining("DRAIN_SECONDS")]);
  }
});

test("a configuration is frozen", () => {
  expect(Object.isFrozen(parseConfig({}))).toBe(true);
});

describe("whether the server is public, and what that closes", () => {
  type Doors = Pick<Config, "isPublic" | "signUp" | "inbox">;
  const of = (environment: Record<string, string>): Doors => {
    const { isPublic, signUp, inbox } = parseConfig({ ...embedded, ...environment });
    return { isPublic, signUp, inbox };
  };
  const own: Doors = { isPublic: false, signUp: "open", inbox: "all" };
  const internet: Doors = { isPublic: true, signUp: "closed", inbox: "sandbox" };
  const several: Doors = { isPublic: true, signUp: "closed", inbox: "none" };

  test.each<[string, Record<string, string>, Doors]>([
    ["its own database on loopback", {}, own],
    ["its own database on ::1", { HOST: "::1" }, own],
    ["its own database on localhost", { HOST: "localhost" }, own],
    ["a public address that is loopback", { PUBLIC_URL: "http://localhost:8080" }, own],
    ["a public address that is loopback, in capitals", { PUBLIC_URL: "https://LOCALHOST/byond" }, own],
    ["a public address that is [::1]", { PUBLIC_URL: "http://[::1]:8080" }, own],
    ["a public address that is loopback, shortened", { PUBLIC_URL: "http://127.1" }, own],
    ["its own database on LocalHost.", { HOST: "LocalHost." }, own],
    ["a public address that is localhost, from the root", { PUBLIC_URL: "http://localhost.:8080" }, own],
    ["its own database, closed", { SIGN_UP: "closed" }, { ...own, signUp: "closed" }],
    ["its own database on every address", { HOST: "0.0.0.0" }, internet],
    ["its own database on ::", { HOST: "::" }, internet],
    ["a name that only begins like loopback", { HOST: "127.example.com" }, internet],
    ["a public address", { PUBLIC_URL: "https://otp.example.com" }, internet],
    ["a public address without TLS", { PUBLIC_URL: "http://otp.example.com:8080/byond" }, internet],
    ["a public address in the local network", { PUBLIC_URL: "http://192.168.1.10" }, internet],
    ["a public address that only begins like loopback", { PUBLIC_URL: "http://127.0.0.1.example.com" }, internet],
    ["every address, though the public one is loopback", { HOST: "::", PUBLIC_URL: "http://localhost" }, internet],
    ["every address, opened", { HOST: "0.0.0.0", SIGN_UP: "open" }, { ...internet, signUp: "open" }],
    ["a public address, opened", { PUBLIC_URL: "https://a.example", SIGN_UP: "open" }, { ...internet, signUp: "open" }],
    ["a proxy in front, on this machine", { TRUSTED_PROXIES: "127.0.0.1" }, internet],
    ["a proxy in front, elsewhere", { TRUSTED_PROXIES: "10.0.0.0/8" }, internet],
    ["a proxy in front, opened", { TRUSTED_PROXIES: "::1", SIGN_UP: "open" }, { ...internet, signUp: "open" }],
    ["TLS of its own on loopback", { TLS_CERT: "/a.pem", TLS_KEY: "/b.pem" }, own],
    ["a database of others", production, several],
    ["a database of others, opened", { ...production, SIGN_UP: "open" }, { ...several, signUp: "open" }],
  ])("%s", (_what, environment, expected) => {
    expect(of(environment)).toEqual(expected);
  });
});

describe("the log lines after a start", () => {
  const linesOf = (environment: Record<string, string>) =>
    startNotices(parseConfig({ ...embedded, ...environment }), standardCapabilities()).map(
      ({ level, event, settings }) => [level, event, ...settings].join(" "),
    );
  const closed = [
    "info sign_up_closed SIGN_UP=open",
    "info metrics_closed METRICS_TOKEN",
    "info email_unavailable SMTP_URL MAIL_FROM",
    "info whatsapp_unavailable WHATSAPP_TOKEN",
  ];
  const shared = "warn trusted_proxies_missing TRUSTED_PROXIES";

  test.each<[string, Record<string, string>, string[]]>([
    ["on loopback, nothing", {}, []],
    ["what is closed beyond loopback", { HOST: "0.0.0.0" }, closed],
    ["what is closed with a public address", { PUBLIC_URL: "http://otp.example.com" }, closed],
    ["what is closed with a database of others", production, closed],
    ["that https needs a proxy's addresses", { PUBLIC_URL: "https://otp.example.com" }, [...closed, shared]],
    ["that it does so on loopback too", { PUBLIC_URL: "HTTPS://localhost" }, [shared]],
    [
      "warn that every client is trusted as a proxy",
      { TRUSTED_PROXIES: "10.0.0.0/8, ::/0" },
      [...closed, "warn trusted_proxies_unrestricted TRUSTED_PROXIES"],
    ],
    ["not if the proxy is known", { PUBLIC_URL: "https://localhost", TRUSTED_PROXIES: "127.0.0.1" }, closed],
    [
      "warn that no email can be verified if other messages are sent, but no mails",
      { HOST: "0.0.0.0", SIGN_UP: "open", SMS_URL: "http://localhost", PROVIDER_SECRET: "x".repeat(32) },
      [...closed.slice(1), "warn address_verification_unavailable SMTP_URL MAIL_FROM"],
    ],
    [
      "warn that a provider cannot report deliveries without a public address",
      { SMS_URL: `twilio://AC${"0".repeat(32)}:token@?from=ACME` },
      ["warn delivery_reports_off PUBLIC_URL"],
    ],
    [
      "not if it has one, or the provider would report none",
      {
        SMS_URL: `twilio://AC${"0".repeat(32)}:token@?from=ACME sns://AKIDEXAMPLE:secret@?region=eu-west-1`,
        PUBLIC_URL: "http://localhost",
      },
      [],
    ],
    ["nor for providers that report none", { SMS_URL: "sns://AKIDEXAMPLE:secret@?region=eu-west-1" }, []],
    ["not with TLS of its own", { PUBLIC_URL: "https://localhost", TLS_CERT: "/a.pem", TLS_KEY: "/b.pem" }, []],
    [
      "do not mention what is open",
      {
        HOST: "0.0.0.0",
        SIGN_UP: "open",
        METRICS_TOKEN: "token",
        SMTP_URL: "smtp://localhost",
        MAIL_FROM: "a@example.com",
      },
      ["info whatsapp_unavailable WHATSAPP_TOKEN"],
    ],
  ])("%s", (_what, environment, expected) => {
    // In whatever order.
    expect(linesOf(environment).toSorted()).toEqual(expected.toSorted());
  });
});

describe("BYOND_SECRET", () => {
  test("is required with DATABASE_URL", () => {
    const [problem, ...others] = problemsOf({ DATABASE_URL: production.DATABASE_URL });
    expect(problem).toMatch(/^BYOND_SECRET is required with DATABASE_URL/);
    expect(others).toEqual([]);
  });

  test("is one secret, or several with commas between them, the current one first", () => {
    const other = "fedcba9876543210fedcba9876543210";
    expect(parseConfig({ ...embedded, BYOND_SECRET: ` ${secret} ` }).secrets).toEqual([secret]);
    expect(parseConfig({ ...embedded, BYOND_SECRET: `${other}, ${secret}` }).secrets).toEqual([other, secret]);
  });

  test.each([
    ["31 bytes", secret.slice(1), "BYOND_SECRET must be 32 bytes or longer, each one of a comma-separated list"],
    [
      "a short second one",
      `${secret},short`,
      "BYOND_SECRET must be 32 bytes or longer, each one of a comma-separated list",
    ],
    ["a comma at the end", `${secret},`, "BYOND_SECRET must be 32 bytes or longer, each one of a comma-separated list"],
    ["white space", `${secret} ${secret}x`, "BYOND_SECRET has white space between secrets: separate them by commas"],
    ["a second line", `${secret}\n${secret}x`, "BYOND_SECRET has white space between secrets: separate them by commas"],
    ["one twice", `${secret},${secret}`, "BYOND_SECRET lists a secret twice"],
  ])("of %s is refused, and is not repeated in the message", (_what, value, problem) => {
    const problems = problemsOf({ ...embedded, BYOND_SECRET: value });
    expect(problems).toEqual([problem]);
    expect(problems.join()).not.toContain(secret.slice(1));
  });

  test("may be a passphrase", () => {
    const sentence = "a sentence of more than thirty-two bytes without a comma";
    expect(parseConfig({ ...embedded, BYOND_SECRET: sentence }).secrets).toEqual([sentence]);
  });

  test("counts bytes, not letters", () => {
    expect(parseConfig({ ...embedded, BYOND_SECRET: "ü".repeat(16) }).secrets).toEqual(["ü".repeat(16)]);
  });
});

test.each([
  [{ PORT: "0" }, { port: 0 }],
  [{ PORT: "65535" }, { port: 65_535 }],
  [{ ...embedded, HOST: "0.0.0.0" }, { host: "0.0.0.0" }],
  [{ DATA_DIR: "/srv/byond" }, { database: { kind: "embedded", dataDir: "/srv/byond" } }],
  [production, { database: { kind: "external", address: { host: "db.example", database: "byond" } } }],
  [{ ...embedded, PUBLIC_URL: "https://verify.example.com/" }, { publicUrl: "https://verify.example.com" }],
  [{ ...embedded, TLS_CERT: "/a.pem", TLS_KEY: "/b.pem" }, { tls: { certPath: "/a.pem", keyPath: "/b.pem" } }],
])("%j is understood", (environment, expected) => {
  expect(parseConfig(environment)).toMatchObject(expected);
});

test.each([
  [{ PORT: "65536" }, /^PORT must be a whole number between 0 and 65535, not "65536"$/],
  [{ PORT: "80a" }, /^PORT must be a whole number/],
  [{ PORT: "-1" }, /^PORT must be a whole number/],
  [{ PORT: "8e3" }, /^PORT must be a whole number/],
  [{ PORT: "0x1f90" }, /^PORT must be a whole number/],
  [{ WORKERS: "0" }, /^WORKERS must be auto, or a whole number between 1 and 128, not "0"$/],
  [{ WORKERS: "-1" }, /^WORKERS must be auto, or a whole number/],
  [{ WORKERS: "abc" }, /^WORKERS must be auto, or a whole number/],
  [{ WORKERS: "1.5" }, /^WORKERS must be auto, or a whole number/],
  [{ WORKERS: "1000" }, /^WORKERS must be auto, or a whole number/],
  [{ SIGN_UP: "maybe" }, /^SIGN_UP must be one of: open, closed, not "maybe"$/],
  [{ ...embedded, PUBLIC_URL: "ftp://x" }, /^PUBLIC_URL must be a URL that begins with http:\/\/ or https:\/\/$/],
  [{ ...embedded, PUBLIC_URL: "verify.example.com" }, /^PUBLIC_URL must be a URL/],
  [
    { PUBLIC_URL: "http://localhost@otp.example.com", ...embedded },
    /^PUBLIC_URL must not contain a user or a password$/,
  ],
  [{ PUBLIC_URL: "http://localhost/?a" }, /^PUBLIC_URL must end with the host or a path/],
  [{ PUBLIC_URL: "http://localhost/#a" }, /^PUBLIC_URL must end with the host or a path/],
  [{ HOST: "localhost:8080", ...embedded }, /^HOST must be an address or a name of this machine, without a port$/],
  [{ HOST: "http://localhost", ...embedded }, /^HOST must be an address/],
  [{ HOST: "[::1]", ...embedded }, /^HOST must be an address/],
  [{ SMTP_URL: "smtp://localhost", MAIL_FROM: "Acme" }, /^MAIL_FROM must be one address/],
  [{ SMTP_URL: "smtp://localhost", MAIL_FROM: "a@acme.example, b@acme.example" }, /^MAIL_FROM must be one address/],
  [{ SMTP_URL: "smtp://localhost", MAIL_FROM: "a@a.example", MAIL_REPLY_TO: "x" }, /^MAIL_REPLY_TO must be one/],
  [{ METRICS_TOKEN: "$" + "{METRICS_TOKEN}" }, /^METRICS_TOKEN contains quotes or an unexpanded reference/],
  [{ METRICS_TOKEN: "$(METRICS_TOKEN)" }, /^METRICS_TOKEN contains quotes or an unexpanded reference/],
  [{ METRICS_TOKEN: "$METRICS_TOKEN" }, /^METRICS_TOKEN contains quotes or an unexpanded reference/],
  [{ METRICS_TOKEN: "{{ metrics_token }}" }, /^METRICS_TOKEN contains quotes or an unexpanded reference/],
  [{ METRICS_TOKEN: '"quoted"' }, /^METRICS_TOKEN contains quotes or an unexpanded reference/],
  [{ SMTP_URL: "smtp://localhost" }, /^MAIL_FROM is required with SMTP_URL/],
  [{ SMTP_URL: "smtp://AKIA:Ab+c/d=@host", MAIL_FROM: "a@a.example" }, /^SMTP_URL: .* percent-encoded: "\/" is %2F/],
  [{ SMTP_URL: "localhost", MAIL_FROM: "a@a.example" }, /^SMTP_URL: the SMTP URL must begin with smtp:/],
  [{ SMTP_URL: "smtps://host:587", MAIL_FROM: "a@a.example" }, /^SMTP_URL: the SMTP URL has smtps with port 587/],
  [{ PUBLIC_URL: "https://otp.example.com:http" }, /^PUBLIC_URL must be https:\/\/host:port\/path/],
])("%j is refused with the name of the variable", (environment, problem) => {
  const [found, ...others] = problemsOf({ ...embedded, ...environment });
  expect(found).toMatch(problem);
  expect(others).toEqual([]);
});

test("all problems are reported together, and none repeats a password", () => {
  const problems = problemsOf({
    PORT: "eighty",
    SIGN_UP: "maybe",
    TLS_CERT: "/a.pem",
    PUBLIC_URL: "ftp://x",
    DATABASE_URL: "mysql://byond:hunter2@db.example/byond",
    SMTP_URL: "http://mail:hunter2@mail.example",
  });
  const named = ["DATABASE_URL", "MAIL_FROM", "PORT", "PUBLIC_URL", "SIGN_UP", "SMTP_URL", "TLS_KEY"];
  for (const name of named) {
    expect(problems.filter((problem) => problem.startsWith(name))).not.toEqual([]);
  }
  expect(problems.join()).not.toContain("hunter2");
});

test.each(["localhost", "LocalHost", "localhost.", "::1", "127.0.0.1", "127.255.0.9"])(
  "%s is a loopback host",
  (host) => {
    expect(isLoopbackHost(host)).toBe(true);
  },
);

test.each([
  "",
  "0.0.0.0",
  "::",
  "10.0.0.1",
  "127.0.0.1.evil.example",
  "127.example.com",
  "localhost.evil.example",
  "localhost..",
  "127.0.0.1.",
  "1270.0.1",
])("%j is not this machine's own", (host) => {
  expect(isLoopbackHost(host)).toBe(false);
});

test("TRUSTED_PROXIES may end with a comma, and a comma alone is refused", () => {
  const { trustedProxies } = parseConfig({ ...embedded, TRUSTED_PROXIES: "10.0.0.0/8, ::1," }).proxyTrust;
  expect(trustedProxies).toHaveLength(2);
  for (const proxies of [",", ",10.0.0.0/8", "10.0.0.0/8,,::1"]) {
    expect(problemsOf({ ...embedded, TRUSTED_PROXIES: proxies })).not.toEqual([]);
  }
});

test("ALLOWED_NETWORKS are CIDR ranges; none that is wrong is passed over", () => {
  const { allowedNetworks } = parseConfig({ ...embedded, ALLOWED_NETWORKS: "10.0.0.0/8, 2001:db8::7," });
  expect(allowedNetworks).toHaveLength(2);
  expect(parseConfig(embedded).allowedNetworks).toEqual([]);
  for (const entry of ["10.0.0.0/33", "10.0.0.1/8", "10.0.0.0/08", "office.example.com", ""]) {
    expect(problemsOf({ ...embedded, ALLOWED_NETWORKS: `192.0.2.0/24,${entry},198.51.100.0/24` })).toEqual([
      expect.stringContaining(`ALLOWED_NETWORKS: ${entry || "an empty entry"} `),
    ]);
  }
});

test("KEY_REQUESTS_PER_MINUTE is as a key's own limit, and none if it is not set", () => {
  expect(parseConfig(embedded).keyRequestsPerMinute).toBeUndefined();
  expect(parseConfig({ ...embedded, KEY_REQUESTS_PER_MINUTE: "120" }).keyRequestsPerMinute).toBe(120);
  for (const limit of ["0", "1000001", "many"]) {
    expect(problemsOf({ ...embedded, KEY_REQUESTS_PER_MINUTE: limit })).toEqual([
      `KEY_REQUESTS_PER_MINUTE must be a whole number between 1 and 1000000, not "${limit}"`,
    ]);
  }
});

describe("a .env file", () => {
  const fileOf = (variables: Record<string, string>) => ({ variables, isReadableByAll: false });

  test("gives variables that the environment does not have; an empty one there counts as present", () => {
    const file = fileOf({ PORT: "9000", SIGN_UP: "closed", RETENTION_DAYS: "7", SMTP_URL: "", EDITOR: "vi" });
    const config = parseConfig({ SIGN_UP: "open", RETENTION_DAYS: "" }, file);
    expect(config).toMatchObject({ port: 9_000, signUp: "open", retentionDays: 30 });
    expect(config.envFile).toEqual({ settings: ["PORT"], isReadableByAll: false });
    expect(config.emptySettings).toEqual(["SMTP_URL", "RETENTION_DAYS"]);
    expect(parseConfig({}).envFile).toBe(undefined);
  });

  test.each<[Record<string, string>, string]>([
    [{ SMTP_ULR: "smtp://x" }, "SMTP_ULR is not a setting: rename it to SMTP_URL"],
    [
      { BYOND_SECRET: `\${SECRET}${secret}`, DATA_DIR: "/x" },
      "BYOND_SECRET contains quotes or an unexpanded reference",
    ],
    [{ BYOND_SECRET: secret }, "DATABASE_URL is required with BYOND_SECRET"],
    [{ MAIL_FROM: "a@a.example", SMTP_URL: "" }, "SMTP_URL is required with MAIL_FROM, but is empty"],
  ])("%j in it is refused as in the environment", (variables, problem) => {
    expect(() => parseConfig({}, fileOf(variables))).toThrow(problem);
  });

  test("is logged at the start, with a warning if everybody may read it", () => {
    const noticesOf = (isReadableByAll: boolean) =>
      startNotices(parseConfig({}, { variables: { PORT: "9000" }, isReadableByAll }), standardCapabilities());
    const read = { level: "info", event: "env_file_read", settings: ["PORT"] };
    const warning = {
      level: "warn",
      event: "env_file_world_readable",
      settings: ["chmod 600 .env"],
    };
    expect(noticesOf(false)).toEqual([read]);
    expect(noticesOf(true)).toEqual([read, warning]);
    expect(startNotices(parseConfig({}), standardCapabilities())).toEqual([]);
  });
});

describe("settings are declared", () => {
  const declared = settingsByName(settingGroupsOf(standardCapabilities()));

  test("the README's tables are generated from the declarations (npm run generate)", () => {
    const readme = readFileSync(new URL("../../README.md", import.meta.url), "utf8");
    expect(readme).toBe(withTables(readme));
    expect(names).toEqual([...declared.keys()]);
  });

  test("reading an undeclared setting, or declaring one twice, fails the start", () => {
    const plugIn = (changes: Partial<Capability>): Capability => ({ name: "badges", start: () => ({}), ...changes });
    const read = (changes: Partial<Capability>) =>
      readConfig({}, [...standardCapabilities(), plugIn(changes)], undefined);
    const readSettings: Capability["readSettings"] = (reader) => ({ badgeText: reader.text("BADGE_TEXT") });
    const settings = [settingGroup("Badges", { BADGE_TEXT: { default: "none", meaning: "Of a badge." } })];
    expect(() => read({ readSettings })).toThrow("the setting BADGE_TEXT is read and not declared");
    expect(read({ readSettings, settings })).toHaveProperty("badgeText", undefined);
    expect(() => read({ settings: [...settings, ...settings] })).toThrow("the setting BADGE_TEXT is declared twice");
  });
});

describe("a production server must say where its data is", () => {
  const signs: readonly (readonly [string, Record<string, string>])[] = [
    ["NODE_ENV=production", { NODE_ENV: "production" }],
    ["NODE_ENV=production", { NODE_ENV: "Production" }],
    ["BYOND_SECRET", { BYOND_SECRET: secret }],
    ["PUBLIC_URL", { PUBLIC_URL: "https://otp.example.com" }],
    ["HOST", { HOST: "0.0.0.0" }],
    ["TLS_CERT", { TLS_CERT: "/a.pem", TLS_KEY: "/b.pem" }],
    ["TRUSTED_PROXIES", { TRUSTED_PROXIES: "127.0.0.1" }],
    [
      "WHATSAPP_APP_SECRET",
      {
        WHATSAPP_APP_SECRET: "s",
        WHATSAPP_VERIFY_TOKEN: "v",
        WHATSAPP_TOKEN: "t",
        WHATSAPP_PHONE_NUMBER_ID: "1",
        WHATSAPP_TEMPLATE: "code",
      },
    ],
    ["METRICS_TOKEN", { METRICS_TOKEN: "tok" }],
  ];

  test.each(signs)("with %s, an empty DATABASE_URL is refused, even with DATA_DIR", (sign, set) => {
    for (const environment of [
      { ...set, DATABASE_URL: "" },
      { ...set, DATABASE_URL: " ", ...embedded },
    ]) {
      expect(problemsOf(environment)).toEqual([
        `DATABASE_URL is empty, which is refused with ${sign}: set it, or remove it and set DATA_DIR for an embedded database`,
      ]);
    }
  });

  test.each(signs)("with %s, a missing DATABASE_URL is refused unless DATA_DIR is set", (sign, set) => {
    for (const environment of [set, { ...set, DATA_DIR: "" }]) {
      expect(problemsOf(environment)).toEqual([
        `DATABASE_URL is required with ${sign}, or DATA_DIR for an embedded database`,
      ]);
    }
    expect(parseConfig({ ...set, ...embedded }).database).toEqual({ kind: "embedded", dataDir: "/srv/byond" });
  });

  test.each(signs.filter(([sign]) => sign !== "BYOND_SECRET"))(
    "with %s, an empty BYOND_SECRET is refused: another one would be used instead",
    (sign, set) => {
      expect(problemsOf({ ...set, ...embedded, BYOND_SECRET: "" })).toEqual([
        `BYOND_SECRET is empty, which is refused with ${sign}: set it, or remove it to use the secret in DATA_DIR`,
      ]);
    },
  );

  test("an empty DATABASE_URL with an empty BYOND_SECRET is refused, whatever else is set", () => {
    const both = { DATABASE_URL: "", BYOND_SECRET: " " };
    for (const environment of [both, { ...both, ...embedded }, { ...both, NODE_ENV: "development" }]) {
      expect(problemsOf(environment)).toEqual([
        "DATABASE_URL and BYOND_SECRET are both empty: set them, or remove one for a trial",
      ]);
    }
    const deployment = { DATA_DIR: "", TRUSTED_PROXIES: "127.0.0.1", METRICS_TOKEN: "tok" };
    expect(problemsOf({ ...both, ...deployment })).toEqual([
      expect.stringMatching(/^DATABASE_URL is empty, which is refused with TRUSTED_PROXIES, METRICS_TOKEN:/),
      expect.stringMatching(/^BYOND_SECRET is empty, which is refused with TRUSTED_PROXIES, METRICS_TOKEN:/),
    ]);
  });

  test("a local server may have one of them empty, and send mail", () => {
    const mail = { SMTP_URL: "smtp://localhost", MAIL_FROM: "a@a.example", NODE_ENV: "development", PUBLIC_URL: "" };
    expect(parseConfig({ ...mail, DATABASE_URL: "" })).toMatchObject({
      database: { kind: "embedded" },
      isPublic: false,
    });
    expect(parseConfig({ ...mail, BYOND_SECRET: "" })).toMatchObject({
      database: { kind: "embedded" },
      isPublic: false,
    });
  });
});

describe("groups of settings must be complete", () => {
  const whatsapp = { WHATSAPP_TOKEN: "t", WHATSAPP_PHONE_NUMBER_ID: "1", WHATSAPP_TEMPLATE: "code" };
  const provider = { PROVIDER_SECRET: secret };
  test.each<[Record<string, string>, string[]]>([
    [{ MAIL_FROM: "a@a.example" }, ["SMTP_URL is required with MAIL_FROM"]],
    [{ MAIL_FROM: "a@a.example", SMTP_URL: "" }, ["SMTP_URL is required with MAIL_FROM, but is empty"]],
    [{ SMTP_URL: "smtp://localhost" }, ["MAIL_FROM is required with SMTP_URL"]],
    [
      { MAIL_REPLY_TO: "a@a.example" },
      ["SMTP_URL is required with MAIL_REPLY_TO", "MAIL_FROM is required with MAIL_REPLY_TO"],
    ],
    [{ TLS_CERT: "/a.pem" }, ["TLS_KEY is required with TLS_CERT"]],
    [{ TLS_KEY: "/a.pem" }, ["TLS_CERT is required with TLS_KEY"]],
    [{ TLS_KEY: "/a.pem", TLS_CERT: " " }, ["TLS_CERT is required with TLS_KEY, but is empty"]],
    [
      { ...whatsapp, WHATSAPP_TOKEN: "" },
      ["WHATSAPP_TOKEN is required with WHATSAPP_PHONE_NUMBER_ID, WHATSAPP_TEMPLATE, but is empty"],
    ],
    [
      { WHATSAPP_TOKEN: "t" },
      ["WHATSAPP_PHONE_NUMBER_ID is required with WHATSAPP_TOKEN", "WHATSAPP_TEMPLATE is required with WHATSAPP_TOKEN"],
    ],
    [
      { WHATSAPP_API_URL: "https://graph.example" },
      ["TOKEN", "PHONE_NUMBER_ID", "TEMPLATE"].map((name) => `WHATSAPP_${name} is required with WHATSAPP_API_URL`),
    ],
    [
      { WHATSAPP_VERIFY_TOKEN: "v" },
      [
        "WHATSAPP_APP_SECRET is required with WHATSAPP_VERIFY_TOKEN",
        "WHATSAPP_TOKEN is required with WHATSAPP_APP_SECRET",
      ],
    ],
    [{ ...whatsapp, WHATSAPP_APP_SECRET: "s" }, ["WHATSAPP_VERIFY_TOKEN is required with WHATSAPP_APP_SECRET"]],
    [
      { ...whatsapp, WHATSAPP_TEMPLATE_LANGUAGES: "en," },
      ["WHATSAPP_TEMPLATE_LANGUAGES must be languages as Meta writes them, such as en,pt_BR"],
    ],
    [
      { SMTP_URL: "smtp://mail:@localhost", MAIL_FROM: "a@a.example" },
      ["SMTP_URL: the SMTP URL must have both a user and a password, or neither"],
    ],
    [
      { SMTP_URL: "smtp://:hunter2@localhost", MAIL_FROM: "a@a.example" },
      ["SMTP_URL: the SMTP URL must have both a user and a password, or neither"],
    ],
    [provider, ["SMS_URL or VOICE_URL with the URL of an adapter is required with PROVIDER_SECRET"]],
    [{ SMS_URL: "http://localhost" }, ["SMS_URL: an adapter needs PROVIDER_SECRET"]],
    [{ VOICE_URL: "http://localhost" }, ["VOICE_URL: an adapter needs PROVIDER_SECRET"]],
    [
      { ...provider, SMS_URL: "http://u:hunter2@localhost" },
      ["SMS_URL: the URL of an adapter must not contain a user or a password"],
    ],
    [{ CLIENT_ADDRESS_HEADER: "x-real-ip" }, ["TRUSTED_PROXIES is required with CLIENT_ADDRESS_HEADER"]],
  ])("%j is incomplete", (environment, problems) => {
    expect(problemsOf({ ...embedded, ...environment })).toEqual(problems);
  });

  test("complete groups are accepted, and an empty group counts as unset", () => {
    const none = Object.fromEntries(Object.keys({ ...whatsapp, ...provider }).map((name) => [name, ""]));
    expect(parseConfig({ ...none, MAIL_FROM: "", SMTP_URL: "", TLS_CERT: "", TLS_KEY: "" }).delivery).toEqual(
      parseConfig({}).delivery,
    );
    const { delivery } = parseConfig({ ...whatsapp, ...provider, VOICE_URL: "http://localhost:9/" });
    expect(delivery).toMatchObject({
      whatsapp: { token: "t" },
      sms: [],
      voice: [{ name: "adapter", address: "http://localhost:9", concurrency: 20 }],
    });
  });
});

describe("misspelt settings", () => {
  test.each([
    ["SMTP_ULR", "SMTP_URL"],
    ["SMTP_URI", "SMTP_URL"],
    ["BYOND_SECERT", "BYOND_SECRET"],
    ["BYOND_SECRETS", "BYOND_SECRET"],
    ["DATABSE_URL", "DATABASE_URL"],
    ["DATABASE-URL", "DATABASE_URL"],
    ["database_url", "DATABASE_URL"],
    ["BYOND_DATABASE_URL", "DATABASE_URL"],
    ["METRIC_TOKEN", "METRICS_TOKEN"],
    ["SIGNUP", "SIGN_UP"],
    ["MAIL_FORM", "MAIL_FROM"],
    ["TRUSTED_PROXYS", "TRUSTED_PROXIES"],
    ["WATSAPP_PHONE_NUMBERID", "WHATSAPP_PHONE_NUMBER_ID"],
  ])("%s is refused, and %s named", (found, meant) => {
    const problems = problemsOf({ [found]: "hunter2" });
    expect(problems).toEqual([expect.stringMatching(new RegExp(`^${found} is not a setting: rename it to ${meant}`))]);
    expect(problems.join()).not.toContain("hunter2");
    // Then it is another program's, or left over; and so is one without a value.
    const other = { ...embedded, [meant]: "", [found]: "hunter2" };
    expect(problemsOf(other)).toEqual([]);
    expect(problemsOf({ [found]: "" })).toEqual([]);
  });

  test.each([
    ["BYOND_SECRETS_FILE", "BYOND_SECRET"],
    ["BYOND_SECRET_PATH", "BYOND_SECRET"],
    ["SMTP_URL__FILE", "SMTP_URL"],
    ["FILE__SMTP_URL", "SMTP_URL"],
    ["metrics_token_file", "METRICS_TOKEN"],
    ["BYOND_DATABASE_URL_FILE", "DATABASE_URL"],
    ["DATABSE_URL_FILE", "DATABASE_URL"],
  ])("%s is refused, and the variable for the file of %s named", (found, meant) => {
    expect(problemsOf({ [found]: "/run/secrets/hunter2" })).toEqual([
      `${found} is not a setting: rename it to ${meant}_FILE. If it belongs to another program, set ${meant} as well; it may be empty`,
    ]);
    expect(problemsOf({ ...embedded, [meant]: "", [found]: "/run/secrets/hunter2" })).toEqual([]);
  });

  test.each([
    ["BYOND_SECRET_FIEL", "BYOND_SECRET_FILE"],
    ["DATABASE_URL_FILES", "DATABASE_URL_FILE"],
    ["SMTP_URL_FIL", "SMTP_URL_FILE"],
  ])("%s is refused, and %s named, unless the setting is set", (found, meant) => {
    expect(problemsOf({ [found]: "/run/secrets/hunter2" })).toEqual([
      expect.stringContaining(`${found} is not a setting: rename it to ${meant}. `),
    ]);
    expect(problemsOf({ ...embedded, [meant.replace("_FILE", "")]: "", [found]: "/run/secrets/hunter2" })).toEqual([]);
  });

  test.each([
    ["TLS_KEY_PATH", "TLS_KEY"],
    ["TLS_CERT_FILE", "TLS_CERT"],
    ["SIGN_UP_FILE", "SIGN_UP"],
    ["PRICES_FILE", "PRICES"],
  ])("%s is refused: %s is no secret", (found, meant) => {
    expect(problemsOf({ [found]: "/run/secrets/hunter2" })).toEqual([
      `${found} is not supported: only secrets are read from files of their own. Set ${meant}. If it belongs to another program, set ${meant} as well; it may be empty`,
    ]);
  });

  test("every letter of every setting in the README: swapped, left out, doubled or replaced", () => {
    expect(names.length).toBeGreaterThan(30);
    for (const name of names.filter(({ length }) => length >= 7)) {
      for (let at = 1; at < name.length - 1; at++) {
        const [before, letter, after] = [name.slice(0, at), name.charAt(at), name.slice(at + 1)];
        const typos = [
          before + after.charAt(0) + letter + after.slice(1),
          before + after,
          before + letter + letter + after,
          `${before}Q${after}`,
        ];
        for (const typo of typos.filter((each) => each !== name)) {
          expect([typo, problemsOf({ [typo]: "x" }).length]).toEqual([typo, 1]);
        }
      }
    }
  });

  test("variables of other programs and platforms are ignored", () => {
    const foreign = `
      PORTS POST HOSTS HOSTNAME HOSTTYPE PORT_HTTP DATABASE_HOST DATABASE_PORT DATABASE_NAME DATABASE_USER DATABASE_SSL
      DATABASE_PASSWORD DATABASE_URL_RO DATABASE_DSN SMTP_HOST SMTP_PORT SMTP_USER SMTP_PASS SMTP_FROM SMTP_TLS SFTP_URL
      HTTP_URL MAIL_HOST MAIL_PORT MAIL_TO MAILTO EMAIL_FROM MAIL_DRIVER XDG_DATA_DIRS DATA_PATH TLS_CA SSL_CERT SSL_KEY
      HOST_PATH PORT_FILE PGPASSFILE TLS_CA_FILE SSL_KEY_PATH DATABASE_PATH DATABASE_FILE SECRET_FILE TOKEN_FILE BASH_ENV_FILE
      SSL_CERT_FILE SSL_CERT_DIR TLS_CIPHERS PUBLIC_DIR PUBLIC_KEY PUBLIC_HOST SIGN_IN BYOND_PORT BYOND_SERVICE_HOST
      BYOND_SERVICE_PORT BYOND_PORT_8080_TCP BYOND_VERSION DATA_PORT SECRET SECRET_KEY TOKEN METRICS_PORT METRICS_PATH
      PROVIDER PROVIDER_URL SMS_PROVIDER WHATSAPP_URL WHATSAPP_ID WHATSAPP_NUMBER TRUST_PROXY HTTP_PROXY NO_PROXY
      SESSION_SECRET SESSION_MAX_AGE RETENTION DEFAULT_USER CLIENT_ID REDIS_URL MONGO_URL AMQP_URL PGHOST PGDATABASE PWD
      HOME SHELL TERM LANG LC_ALL TZ NODE_PATH NODE_OPTIONS NODE_VERSION INIT_CWD npm_config_user_agent npm_package_name
      KUBERNETES_PORT KUBERNETES_SERVICE_HOST DYNO RENDER FLY_APP_NAME RAILWAY_PUBLIC_DOMAIN AWS_REGION OLDPWD USER
    `;
    const environment = Object.fromEntries(
      foreign
        .trim()
        .split(/\s+/)
        .map((name) => [name, "tcp://10.0.0.1:80"]),
    );
    expect(problemsOf(environment)).toEqual([]);
  });
});
