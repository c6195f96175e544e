import { resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { isLoopbackHost } from "../../src/config/loopback-host.ts";
import { type Config, ConfigError, parseConfig } from "../../src/config.ts";
import { startNotices } from "../../src/start-notices.ts";

const secret = "0123456789abcdef0123456789abcdef";
const production = {
  DATABASE_URL: "postgres://byond:hunter2@db.example/byond?sslmode=verify-full&sslrootcert=system",
  BYOND_SECRET: secret,
};

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
  test("is a server for one machine: loopback, its own PostgreSQL, sign-up open, a local inbox", () => {
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

  test("a variable that is empty or blank is an unset one", () => {
    const blank = { PORT: "", HOST: " ", DATABASE_URL: "", BYOND_SECRET: "", TLS_CERT: "", SIGN_UP: "\t" };
    expect(parseConfig(blank)).toEqual(parseConfig({}));
  });
});

test("sessions last 30 days, or as long as SESSION_MAX_DAYS says", () => {
  expect(parseConfig({}).sessionMaxDays).toBe(30);
  expect(parseConfig({ SESSION_MAX_DAYS: "1" }).sessionMaxDays).toBe(1);
  for (const days of ["0", "-1", "1.5", "3651", "for ever"]) {
    expect(problemsOf({ SESSION_MAX_DAYS: days })).toEqual([expect.stringContaining("SESSION_MAX_DAYS")]);
  }
});

test("a configuration cannot be changed", () => {
  expect(Object.isFrozen(parseConfig({}))).toBe(true);
});

describe("whether the server is public, and what that closes", () => {
  type Doors = Pick<Config, "isPublic" | "signUp" | "inbox">;
  const of = (environment: Record<string, string>): Doors => {
    const { isPublic, signUp, inbox } = parseConfig(environment);
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
    ["its own database, closed", { SIGN_UP: "closed" }, { ...own, signUp: "closed" }],
    ["its own database on every address", { HOST: "0.0.0.0" }, internet],
    ["its own database on ::", { HOST: "::" }, internet],
    ["a name that only begins like loopback", { HOST: "127.example.com" }, internet],
    ["a public address", { PUBLIC_URL: "https://otp.example.com" }, internet],
    ["a public address without TLS", { PUBLIC_URL: "http://otp.example.com:8080/byond" }, internet],
    ["a public address in the local network", { PUBLIC_URL: "http://192.168.1.10" }, internet],
    ["a public address that only begins like loopback", { PUBLIC_URL: "http://127.0.0.1.example.com" }, internet],
    ["a public address with a loopback user", { PUBLIC_URL: "http://localhost@otp.example.com" }, internet],
    ["every address, though the public one is loopback", { HOST: "::", PUBLIC_URL: "http://localhost" }, internet],
    ["every address, opened", { HOST: "0.0.0.0", SIGN_UP: "open" }, { ...internet, signUp: "open" }],
    ["a public address, opened", { PUBLIC_URL: "https://a.example", SIGN_UP: "open" }, { ...internet, signUp: "open" }],
    ["a database of others", production, several],
    ["a database of others, opened", { ...production, SIGN_UP: "open" }, { ...several, signUp: "open" }],
  ])("%s", (_what, environment, expected) => {
    expect(of(environment)).toEqual(expected);
  });
});

describe("what the start says", () => {
  const linesOf = (environment: Record<string, string>) =>
    startNotices(parseConfig(environment)).map(({ level, event, settings }) => [level, event, ...settings].join(" "));
  const closed = [
    "info sign-up is closed SIGN_UP=open",
    "info /metrics is closed METRICS_TOKEN",
    "info email is unavailable SMTP_URL MAIL_FROM",
    "info whatsapp is unavailable WHATSAPP_TOKEN",
  ];
  const shared = "warn all clients count as one address, that of the proxy in front of https TRUSTED_PROXIES";

  test.each<[string, Record<string, string>, string[]]>([
    ["on loopback, nothing", {}, []],
    ["what is closed beyond loopback", { HOST: "0.0.0.0" }, closed],
    ["what is closed with a public address", { PUBLIC_URL: "http://otp.example.com" }, closed],
    ["what is closed with a database of others", production, closed],
    ["that https needs a proxy's addresses", { PUBLIC_URL: "https://otp.example.com" }, [...closed, shared]],
    ["that it does so on loopback too", { PUBLIC_URL: "HTTPS://localhost" }, [shared]],
    ["not if the proxy is known", { PUBLIC_URL: "https://localhost", TRUSTED_PROXIES: "127.0.0.1" }, []],
    [
      "that no address can be proved where messages leave, but no mails",
      { HOST: "0.0.0.0", SIGN_UP: "open", SMS_PROVIDER_URL: "http://localhost", PROVIDER_SECRET: "x".repeat(32) },
      [
        ...closed.slice(1),
        "warn nobody can prove an address, and so use the live keys of a new account: no mail is sent SMTP_URL MAIL_FROM",
      ],
    ],
    ["not with TLS of its own", { PUBLIC_URL: "https://localhost", TLS_CERT: "/a.pem", TLS_KEY: "/b.pem" }, []],
    [
      "nothing of what is open",
      {
        HOST: "0.0.0.0",
        SIGN_UP: "open",
        METRICS_TOKEN: "token",
        SMTP_URL: "smtp://localhost",
        MAIL_FROM: "a@example.com",
      },
      ["info whatsapp is unavailable WHATSAPP_TOKEN"],
    ],
  ])("%s", (_what, environment, expected) => {
    expect(linesOf(environment)).toEqual(expected);
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
    expect(parseConfig({ BYOND_SECRET: ` ${secret} ` }).secrets).toEqual([secret]);
    expect(parseConfig({ BYOND_SECRET: `${other}, ${secret}` }).secrets).toEqual([other, secret]);
  });

  test.each([
    ["31 bytes", secret.slice(1), "BYOND_SECRET must be 32 bytes or longer, each one of a comma-separated list"],
    [
      "a short second one",
      `${secret},short`,
      "BYOND_SECRET must be 32 bytes or longer, each one of a comma-separated list",
    ],
    ["a comma at the end", `${secret},`, "BYOND_SECRET must be 32 bytes or longer, each one of a comma-separated list"],
    ["one twice", `${secret},${secret}`, "BYOND_SECRET lists a secret twice"],
  ])("of %s is refused, and is not repeated in the message", (_what, value, problem) => {
    const problems = problemsOf({ BYOND_SECRET: value });
    expect(problems).toEqual([problem]);
    expect(problems.join()).not.toContain(secret.slice(1));
  });

  test("counts bytes, not letters", () => {
    expect(parseConfig({ BYOND_SECRET: "ü".repeat(16) }).secrets).toEqual(["ü".repeat(16)]);
  });
});

test.each([
  [{ PORT: "0" }, { port: 0 }],
  [{ PORT: "65535" }, { port: 65_535 }],
  [{ HOST: "0.0.0.0" }, { host: "0.0.0.0" }],
  [{ DATA_DIR: "/srv/byond" }, { database: { kind: "embedded", dataDir: "/srv/byond" } }],
  [production, { database: { kind: "external", address: { host: "db.example", database: "byond" } } }],
  [{ PUBLIC_URL: "https://verify.example.com/" }, { publicUrl: "https://verify.example.com" }],
  [{ TLS_CERT: "/a.pem", TLS_KEY: "/b.pem" }, { tls: { certPath: "/a.pem", keyPath: "/b.pem" } }],
])("%j is understood", (environment, expected) => {
  expect(parseConfig(environment)).toMatchObject(expected);
});

test.each([
  [{ PORT: "65536" }, /^PORT must be a whole number between 0 and 65535, not "65536"$/],
  [{ PORT: "80a" }, /^PORT must be a whole number/],
  [{ PORT: "-1" }, /^PORT must be a whole number/],
  [{ PORT: "8e3" }, /^PORT must be a whole number/],
  [{ PORT: "0x1f90" }, /^PORT must be a whole number/],
  [{ SIGN_UP: "maybe" }, /^SIGN_UP must be one of: open, closed, not "maybe"$/],
  [{ PUBLIC_URL: "ftp://x" }, /^PUBLIC_URL must be a URL that begins with http:\/\/ or https:\/\/$/],
  [{ PUBLIC_URL: "verify.example.com" }, /^PUBLIC_URL must be a URL/],
  [{ TLS_CERT: "/a.pem" }, /^TLS_CERT and TLS_KEY go together/],
  [{ TLS_KEY: "/a.pem" }, /^TLS_CERT and TLS_KEY go together/],
  [{ SMTP_URL: "smtp://localhost" }, /^MAIL_FROM is required with SMTP_URL/],
])("%j is refused with the name of the variable", (environment, problem) => {
  const [found, ...others] = problemsOf(environment);
  expect(found).toMatch(problem);
  expect(others).toEqual([]);
});

test("every problem is told at once, and none repeats a password", () => {
  const problems = problemsOf({
    PORT: "eighty",
    SIGN_UP: "maybe",
    TLS_CERT: "/a.pem",
    PUBLIC_URL: "ftp://x",
    DATABASE_URL: "mysql://byond:hunter2@db.example/byond",
    SMTP_URL: "http://mail:hunter2@mail.example",
  });
  const named = ["DATABASE_URL", "MAIL_FROM", "PORT", "PUBLIC_URL", "SIGN_UP", "SMTP_URL", "TLS_CERT"];
  for (const name of named) {
    expect(problems.filter((problem) => problem.startsWith(name))).not.toEqual([]);
  }
  expect(problems.join()).not.toContain("hunter2");
});

test.each(["localhost", "::1", "127.0.0.1", "127.255.0.9"])("%s is this machine's own", (host) => {
  expect(isLoopbackHost(host)).toBe(true);
});

test.each([
  "",
  "0.0.0.0",
  "::",
  "10.0.0.1",
  "127.0.0.1.evil.example",
  "127.example.com",
  "localhost.evil.example",
  "1270.0.1",
])("%j is not this machine's own", (host) => {
  expect(isLoopbackHost(host)).toBe(false);
});
