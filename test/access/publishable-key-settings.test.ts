/** Publishable keys as the account manages them: their origins, and what they do not have. */
import { describe, expect, test } from "vitest";
import { shop, usePages } from "./pages-fixture.ts";

const { app, keys, create, from } = usePages();

describe("the key", () => {
  test("is all of its prefix, and shows it again", async () => {
    const created = await create({ origins: [shop], mode: "test" });
    expect(created).toMatchObject({ mode: "test", scopes: ["verify"], origins: [shop], require_signature: false });
    expect(created.key).toMatch(/^pk_pub_test_[0-9A-Za-z]{21}$/);
    const { body } = await app.rest("GET", `/api-keys/${created.id}`, { session: keys.session });
    expect(body.key_prefix).toBe(created.key);
    const { body: list } = await app.rest("GET", "/api-keys", { session: keys.session });
    expect(list.keys.find(({ id }: { id: string }) => id === created.id)).toMatchObject({ origins: [shop] });
  });

  test("that nobody made is refused", async () => {
    const forged = `${keys.page.slice(0, -1)}${keys.page.endsWith("0") ? "1" : "0"}`;
    for (const key of [
      forged,
      keys.page.slice(0, -1),
      `${keys.page}0`,
      `${keys.page}.${keys.secret.split(".")[1]}`,
      keys.page.replace("live", "test"),
    ]) {
      const { body } = await app.rest("POST", "/verify/check", {
        key,
        headers: from(shop),
        body: { verification_id: "vrf_none", code: "1" },
      });
      expect(body.error.code).toBe("invalid_api_key");
    }
  });

  test.each([
    ["HTTPS://Shop.Example", "https://shop.example"],
    ["https://shop.example:443", "https://shop.example"],
    ["https://shop.example:8443", "https://shop.example:8443"],
    ["https://bücher.example", "https://xn--bcher-kva.example"],
    ["https://XN--BCHER-KVA.example", "https://xn--bcher-kva.example"],
    ["http://localhost:5173", "http://localhost:5173"],
    ["http://app.localhost:80", "http://app.localhost"],
    ["http://127.0.0.1:8080", "http://127.0.0.1:8080"],
    ["http://[::1]:8080", "http://[::1]:8080"],
  ])("names the origin %s as browsers write it", async (named, origin) => {
    const { key, origins } = await create({ origins: [named, named] });
    expect(origins).toEqual([origin]);
    const body = { verification_id: "vrf_none", code: "1" };
    expect((await app.rest("POST", "/verify/check", { key, headers: from(origin), body })).status).toBe(404);
  });

  const noPath = "must be an origin without a path, such as https://shop.example";
  const notSecure = "must begin with https://, except for localhost";
  test.each([
    ["https://shop.example/", noPath],
    ["https://shop.example/path", noPath],
    ["https://shop.example?x", noPath],
    ["https://shop.example#x", noPath],
    ["https://user:pass@shop.example", noPath],
    ["https://*.shop.example", noPath],
    ["*", noPath],
    ["null", noPath],
    ["", noPath],
    ["shop.example", noPath],
    ["https://", noPath],
    ["https://shop.example:99999", noPath],
    ["https:\\\\shop.example", noPath],
    [" https://shop.example", noPath],
    ["capacitor://localhost", noPath],
    ["http://shop.example", notSecure],
    ["http://localhost.evil.example", notSecure],
    ["http://192.168.0.1", notSecure],
  ])("does not take the origin %j", async (origin, problem) => {
    const { status, body } = await app.rest("POST", "/api-keys", {
      session: keys.session,
      body: { name: "a key", origins: [shop, origin] },
    });
    expect(status).toBe(422);
    expect(body.error.fields).toEqual({ "origins[1]": problem });
  });

  test("has 1 to 20 origins, and nothing that only a secret key has", async () => {
    const refusal = async (fields: object) =>
      (await app.rest("POST", "/api-keys", { session: keys.session, body: { name: "a key", ...fields } })).body.error
        ?.fields;
    expect(Object.keys(await refusal({ origins: [] }))).toEqual(["origins"]);
    const many = Array.from({ length: 21 }, (_, index) => `https://shop-${index}.example`);
    expect(Object.keys(await refusal({ origins: many }))).toEqual(["origins"]);
    await create({ origins: many.slice(1) });
    const problem = "must be left out, because the key is publishable";
    expect(await refusal({ origins: [shop], scopes: ["verify"], require_signature: true })).toEqual({
      scopes: problem,
      require_signature: problem,
    });
    expect(await refusal({ origins: [shop], min_signature_version: "v2" })).toEqual({ min_signature_version: problem });
  });

  test("stays of its kind", async () => {
    const change = async (id: string, body: object) =>
      (await app.rest("PATCH", `/api-keys/${id}`, { session: keys.session, body })).body;
    const publishable = await create({ origins: [shop] });
    const other = await create({});
    const isPublishable = "must be left out, because the key is publishable";
    expect((await change(publishable.id, { scopes: ["*"] })).error.fields).toEqual({ scopes: isPublishable });
    expect((await change(publishable.id, { min_signature_version: "v1" })).error.fields).toEqual({
      require_signature: isPublishable,
      min_signature_version: isPublishable,
    });
    expect((await change(other.id, { origins: [shop] })).error.fields).toEqual({
      origins: "must be left out, because the key is not publishable",
    });
    expect(Object.keys((await change(publishable.id, { origins: null })).error.fields)).toEqual(["origins"]);
    expect(await change(publishable.id, { name: "renamed", requests_per_minute: 5 })).toMatchObject({
      name: "renamed",
      requests_per_minute: 5,
      origins: [shop],
      scopes: ["verify"],
    });
  });
});
