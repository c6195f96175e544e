/** Signing in tells nobody whether an address has an account: the same answer after the same work. */
import { afterEach, beforeAll, expect, test, vi } from "vitest";
import { Hasher, passwordCost } from "../../../src/crypto/argon2-hasher.ts";
import { useTestApp } from "../../support/app.ts";

const app = useTestApp({}, { passwordCost });
let email: string;
beforeAll(async () => {
  ({ email } = await app.signUp());
});
afterEach(() => {
  vi.restoreAllMocks();
});

const signIn = (address: string, password: string) =>
  app.rest("POST", "/auth/sign-in", { body: { email: address, password } });

test("an unknown address, a malformed one and a wrong password get the same answer", async () => {
  const answers = [
    await signIn(email, "the wrong password"),
    await signIn("nobody@example.com", "the wrong password"),
    await signIn("not an address", "the wrong password"),
  ];
  for (const { status, body, headers } of answers) {
    expect(status).toBe(401);
    expect({ ...body.error, request_id: "" }).toEqual({ ...answers[0]?.body.error, request_id: "" });
    expect([...headers.keys()].sort()).toEqual([...(answers[0]?.headers.keys() ?? [])].sort());
  }
});

test.each([
  ["a wrong password", () => email],
  ["an unknown address", () => "nobody@example.com"],
  ["a malformed address", () => "not an address"],
])("%s costs one comparison with a hash of the full cost", async (_what, address) => {
  const verify = vi.spyOn(Hasher.prototype, "verify");
  expect((await signIn(address(), "the wrong password")).status).toBe(401);
  expect(verify).toHaveBeenCalledTimes(1);
  const [hash, password] = verify.mock.calls[0] ?? [];
  expect(password).toBe("the wrong password");
  // OWASP's parameters, in whichever order the hash names them.
  expect(hash?.split("$")[3]?.split(",").sort()).toEqual(["m=19456", "p=1", "t=2"]);
});

test("an address in upper or lower case is the same account", async () => {
  expect((await signIn(email.toUpperCase(), "correct horse battery")).status).toBe(200);
});
