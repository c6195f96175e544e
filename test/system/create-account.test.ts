/** Accounts where sign-up is closed: made from the command line. */
import { spawnSync } from "node:child_process";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createMigratedDatabase } from "../support/app.ts";
import { MainProcess } from "./main-process.ts";

const hasNpm = spawnSync("npm", ["--version"]).status === 0;

let database: Awaited<ReturnType<typeof createMigratedDatabase>>;
let environment: Record<string, string>;
beforeAll(async () => {
  database = await createMigratedDatabase();
  environment = {
    DATABASE_URL: database.url,
    BYOND_SECRET: "0123456789abcdef0123456789abcdef",
    PORT: "0",
    npm_config_update_notifier: "false",
  };
});
afterAll(async () => {
  await database.drop();
});

const createAccount = (args: readonly string[], input: string) => runScript("create-account", args, input);
const resetPassword = (args: readonly string[], input: string) => runScript("reset-password", args, input);

/** `npm run <script> -- …`, with the password on standard input; without npm, what it runs. */
async function runScript(script: string, args: readonly string[], input: string) {
  const command = ["npm", "run", script, "--", ...args] as const;
  await using run = hasNpm
    ? new MainProcess({ command, environment, input })
    : new MainProcess({ args: [script, ...args], environment, input });
  const { code } = await run.exited;
  return { code, output: run.output, said: run.log, written: run.written };
}

async function post(url: string, path: string, body: object) {
  const response = await fetch(`${url}/api/v1${path}`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
  return { status: response.status, body: JSON.parse(await response.text()) };
}

test("an account created by the command can sign in while sign-up answers 404", async () => {
  const password = "correct horse battery";
  const made = await createAccount(["--email", "Ada@Example.com", "--name", "Acme Ltd."], `${password}\n`);
  expect(made.code).toBe(0);
  expect(made.output).toMatch(/Created usr_[0-9A-Za-z]{22} with workspace ws_[0-9A-Za-z]{22}\.\n$/);
  expect(made.written).not.toContain(password);

  await using server = new MainProcess({ environment });
  const url = await server.url();
  const signUp = await post(url, "/auth/sign-up", { email: "eve@example.com", password, name: "Eve" });
  expect(signUp).toMatchObject({ status: 404, body: { error: { code: "not_found" } } });
  const signIn = await post(url, "/auth/sign-in", { email: "ada@example.com", password });
  expect(signIn.status).toBe(200);
  expect(made.output).toContain(signIn.body.user_id);
  const keys = await fetch(`${url}/api/v1/api-keys`, {
    headers: { Authorization: `Bearer ${signIn.body.access_token}` },
  });
  expect(keys.status).toBe(200);
  expect(await server.stop()).toEqual({ code: 0, signal: null });
});

describe("the command fails with a sentence and exit status 1", () => {
  const good = ["--email", "new@example.com", "--name", "New"];
  const password = "correct horse battery\n";

  test.each([
    ["a password of nine characters", good, "too short\n", "The password must be 10 to 128 characters long."],
    ["a password of 129 characters", good, `${"x".repeat(129)}\n`, "The password must be 10 to 128 characters long."],
    ["no password", good, "", "No password was given on standard input."],
    ["a common password", good, "Password123\n", "The password is too easy to guess: it is a common password"],
    ["the address as the password", good, "NEW@example.com\n", "The password is too easy to guess: it is the email"],
    ["no address", ["--name", "New"], password, "--email is required. Usage: byond create-account"],
    ["no name", ["--email", "new@example.com"], password, "--name is required. Usage: byond create-account"],
    [
      "an address that is none",
      ["--email", "nobody", "--name", "New"],
      password,
      "The email must be an email address.",
    ],
    ["an unknown option", [...good, "--admin"], password, "create-account has no option --admin."],
    [
      "a name of 101 characters",
      ["--email", "new@example.com", "--name", "x".repeat(101)],
      password,
      "The name must be 1 to 100 characters long.",
    ],
  ])("%s", async (_what, args, input, sentence) => {
    const { code, said, written } = await createAccount(args, input);
    expect(code).toBe(1);
    expect(said).toContain(sentence);
    expect(written).not.toMatch(/\n\s+at |node:internal/);
  });

  test("for an address that already has an account", async () => {
    const args = ["--email", "twice@example.com", "--name", "Twice"];
    expect((await createAccount(args, password)).code).toBe(0);
    const again = await createAccount(args, password);
    expect(again.code).toBe(1);
    expect(again.said).toContain("An account with this email address already exists.");
  });
});

test("an account created by the operator is verified, replaces unverified accounts of that address, and its password can be reset", async () => {
  const email = "contested@example.com";
  await using server = new MainProcess({ environment: { ...environment, SIGN_UP: "open" } });
  const url = await server.url();
  const me = async (session: string) => {
    const response = await fetch(`${url}/api/v1/auth/me`, { headers: { Authorization: `Bearer ${session}` } });
    return { status: response.status, body: JSON.parse(await response.text()) };
  };
  const squatter = await post(url, "/auth/sign-up", { email, password: "the squatter's password", name: "Eve" });
  expect((await me(squatter.body.access_token)).body.verified).toBe(false);

  const made = await createAccount(["--email", email, "--name", "Acme"], "the operator's choice\n");
  expect(made.code).toBe(0);
  expect((await me(squatter.body.access_token)).status).toBe(401);
  const signIn = (secret: string) => post(url, "/auth/sign-in", { email, password: secret });
  expect((await signIn("the squatter's password")).status).toBe(401);
  const session = (await signIn("the operator's choice")).body.access_token;
  expect((await me(session)).body).toMatchObject({ verified: true, email });

  const reset = await resetPassword(["--email", email.toUpperCase()], "another long password\n");
  expect(reset.output).toMatch(/Set the password of usr_[0-9A-Za-z]{22} and ended its sessions\.\n$/);
  expect(reset.written).not.toContain("another long password");
  expect((await me(session)).status).toBe(401);
  expect((await signIn("the operator's choice")).status).toBe(401);
  expect((await signIn("another long password")).status).toBe(200);
  expect(await server.stop()).toEqual({ code: 0, signal: null });
});

test("resetting the password of an unverified address creates a new account; for an unknown address it does nothing", async () => {
  const email = "unproved@example.com";
  await using server = new MainProcess({ environment: { ...environment, SIGN_UP: "open" } });
  const url = await server.url();
  const squatter = await post(url, "/auth/sign-up", { email, password: "the squatter's password", name: "Eve" });
  const reset = await resetPassword(["--email", email], "another long password\n");
  expect(reset.output).toContain("No account with this email was verified, so all of them were deleted. Created usr_");
  const { body } = await post(url, "/auth/sign-in", { email, password: "another long password" });
  expect(body.workspace_id).toMatch(/^ws_/);
  expect(body.workspace_id).not.toBe(squatter.body.workspace_id);

  for (const [args, sentence] of [
    [["--email", "nobody@example.com"], "There is no account with this email."],
    [[], "--email is required. Usage: byond reset-password --email <address>"],
    [["--email", "nobody"], "The email must be an email address."],
  ] as const) {
    const refused = await resetPassword(args, "another long password\n");
    expect([refused.code, refused.said]).toEqual([1, expect.stringContaining(sentence)]);
  }
  const easy = await resetPassword(["--email", email], "password1234\n");
  expect(easy.code).toBe(1);
  expect(easy.said).toContain("The password is too easy to guess");
});
