/** What a workspace may send is changed by the operator, on two servers. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startTestApp, type TestApp } from "../../support/app.ts";
import { runCommand } from "../../support/run-command.ts";

let here: TestApp;
let there: TestApp;
beforeAll(async () => {
  here = await startTestApp({ defaultTier: "starter" });
  there = await here.startAnother();
});
afterAll(async () => {
  await there[Symbol.asyncDispose]();
  await here[Symbol.asyncDispose]();
});

const setTier = (options: Record<string, string>) => runCommand("set-tier", here.databaseUrl, { options, input: "" });

test("a tier holds on every server when the command is done, for keys and sessions", async () => {
  const owner = await here.signUp("Umbrella");
  const { body } = await here.rest("POST", "/api-keys", { session: owner.session, body: { name: "a key" } });
  const seen = () =>
    Promise.all(
      [here, there].flatMap((app) => [
        app
          .rest("GET", "/lookup?number=%2B6591234567", { key: body.key })
          .then(({ headers }) => headers.get("x-ratelimit-limit")),
        app.rest("GET", "/workspace", { session: owner.session }).then(({ body: { tier } }) => tier),
      ]),
    );
  expect(await seen()).toEqual(["1000", "starter", "1000", "starter"]);
  await setTier({ workspace: owner.workspaceId, tier: "scale" });
  expect(await seen()).toEqual(["20000", "scale", "20000", "scale"]);
  await setTier({ email: owner.email.toUpperCase(), tier: "builder" });
  expect(await seen()).toEqual(["5000", "builder", "5000", "builder"]);
});

describe("is refused:", () => {
  const either = "Give either --email or --workspace.";
  test.each([
    [{ tier: "golden", workspace: "ws_1" }, "--tier must be one of: starter, builder, scale, unlimited."],
    [{ tier: "scale" }, either],
    [{ tier: "scale", email: "a@example.com", workspace: "ws_1" }, either],
    [{ tier: "scale", workspace: "ws_none" }, "There is no workspace ws_none."],
    [{ tier: "scale", email: "nobody@example.com" }, "There is no account with this email."],
    [{ tier: "scale", email: "nobody" }, "There is no account with this email."],
  ])("%j", async (options, sentence) => {
    await expect(setTier(options)).rejects.toThrow(sentence);
  });

  test("an address for whose proof several accounts wait", async () => {
    const email = "contested@example.com";
    const ids: string[] = [];
    for (const name of ["One", "Two"]) {
      const { body } = await here.rest("POST", "/auth/sign-up", {
        body: { email, password: `the way of ${name}`, name },
      });
      ids.push(body.workspace_id);
    }
    await expect(setTier({ email, tier: "scale" })).rejects.toThrow(`Choose one with --workspace: ${ids.join(", ")}.`);
  });
});
