/** Every field of a request that takes a URL which the server will call refuses what leads into the server's own network, out of the schema. */
import type { DescField, DescMessage, DescMethod, JsonObject } from "@bufbuild/protobuf";
import { beforeAll, describe, expect, test } from "vitest";
import { type SignedUp, useTestApp } from "../support/app.ts";
import { allMethods } from "../wire/request-messages.ts";
import { rawProtocols } from "./raw-protocols.ts";

const app = useTestApp();
let account: SignedUp;
let webhookId: string;
beforeAll(async () => {
  account = await app.signUp();
  const body = { url: "https://hooks.example/byond" };
  webhookId = (await app.rest("POST", "/webhooks", { session: account.session, body })).body.id;
});

/** The requests that have a field called `url`, and a request of each with a URL in it. */
const takers = (await allMethods()).flatMap((method) =>
  placesOfUrl(method.input).map((path) => ({ name: `${method.name}.${path.join(".")}`, method, path })),
);

function placesOfUrl(desc: DescMessage): string[][] {
  return desc.fields.flatMap((field: DescField): string[][] =>
    field.message === undefined
      ? field.name === "url"
        ? [["url"]]
        : []
      : field.message.typeName.startsWith("google.")
        ? []
        : placesOfUrl(field.message).map((path) => [field.name, ...path]),
  );
}

function requestWith(method: DescMethod, path: readonly string[], url: string): JsonObject {
  const inner = path.toReversed().reduce<JsonObject | string>((value, name) => ({ [name]: value }), url);
  const names = method.input.fields.some(({ name }) => name === "id") ? { id: webhookId } : {};
  return { ...names, ...Object(inner) };
}

const refused = [
  "http://hooks.example/",
  "http://127.0.0.1/",
  "https://127.0.0.1/",
  "https://127.1/",
  "https://0x7f.1/",
  "https://0177.0.0.1/",
  "https://2130706433/",
  "https://127.0.0.1./",
  "https://0.0.0.0/",
  "https://[::1]/",
  "https://[::]/",
  "https://[::ffff:127.0.0.1]/",
  "https://[::ffff:7f00:1]/",
  "https://[64:ff9b::7f00:1]/",
  "https://[2002:7f00:1::]/",
  "https://[fe80::1]/",
  "https://[fd00:ec2::254]/",
  "https://169.254.169.254/latest/meta-data/",
  "https://10.0.0.1/",
  "https://100.64.0.1/",
  "https://192.168.1.1/",
  "https://localhost/",
  "https://LOCALHOST./",
  "https://a.localhost/",
  "https://①②⑦.0.0.1/",
  "https://user:password@hooks.example/",
  "https:///127.0.0.1/",
  "ftp://hooks.example/",
  "file:///etc/passwd",
  "javascript:alert(1)",
  "//hooks.example/",
  "https://hooks.example:0/",
];

test("there are such fields", () => {
  expect(takers.map(({ name }) => name)).toEqual(
    expect.arrayContaining(["CreateWebhook.url", "UpdateGuard.guard.hook.url"]),
  );
});

describe.each(takers)("$name", ({ method, path }) => {
  const headers = () => ({ authorization: `Bearer ${account.session}` });

  test.each(rawProtocols)("refuses them over $name", async ({ call }) => {
    const answers = await Promise.all(
      refused.map(async (url) => [
        url,
        (await call(app.url, method, requestWith(method, path, url), headers())).text.includes("validation_error"),
      ]),
    );
    expect(answers.filter(([, isRefused]) => isRefused !== true)).toEqual([]);
  });

  test.each(rawProtocols)("takes a public one over $name", async ({ call }) => {
    const answer = await call(app.url, method, requestWith(method, path, "https://hooks.example/byond"), headers());
    expect(answer.text).not.toContain("validation_error");
    expect(answer.status).toMatch(/^(0|20\d)$/);
  });
});
