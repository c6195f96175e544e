/** What the documentation says of scopes is what the schema declares. */
import { getOption } from "@bufbuild/protobuf";
import { beforeAll, expect, test } from "vitest";
import { access } from "../../../gen/byond/v1/access_pb.ts";
import { scopeWords } from "../../../src/capabilities/console/app/pages/keys/key-texts.ts";
import { operationTitle } from "../../../src/capabilities/reference/openapi/titles.ts";
import { useTestApp } from "../../support/app.ts";
import { allMethods } from "../../wire/request-messages.ts";

const app = useTestApp();
/** The scopes that a key can have, and what the document says that each allows. */
let scopes: ReadonlyMap<string, string>;
/** The rows of the guide's table, by scope: what it allows, and whether a key without scopes may do it. */
let rows: ReadonlyMap<string, readonly [allows: string, withoutScopes: string]>;
beforeAll(async () => {
  const document = await (await fetch(`${app.url}/openapi.json`)).json();
  const { enum: names, "x-enum-descriptions": texts } = document.components.schemas.Scope;
  scopes = new Map(names.map((name: string, index: number) => [name, texts[index]]));
  const guide = await (await fetch(`${app.url}/docs/guides/authentication.md`)).text();
  const row = /^\| `(\S+)` \| (.*) \| (.*) \|$/gm;
  const section = guide.split(/^## /m).find((part) => part.startsWith("Scopes\n")) ?? "";
  rows = new Map(
    [...section.matchAll(row)].map(([, scope = "", allows = "", without = ""]) => [scope, [allows, without]]),
  );
});

test("the guide's table has every scope that a key can have, and what it allows", () => {
  expect([...rows.keys()].toSorted()).toEqual([...scopes.keys()].toSorted());
  for (const [scope, [allows]] of rows) {
    expect(allows, scope).toMatch(/^[A-Z].+\.$/);
  }
});

test("the table and the document name every call that a key without scopes may not make, and no other", async () => {
  const methods = (await allMethods()).map((method) => ({ method, ...getOption(method, access) }));
  for (const scope of [...rows.keys()].filter((name) => name !== "*")) {
    const calls = methods.filter((call) => call.scope === scope);
    const named = calls.filter(({ namedScope }) => namedScope).map(({ method }) => operationTitle(method));
    const [, without] = rows.get(scope) ?? [];
    const text = scopes.get(scope);
    expect(calls.length, scope).toBeGreaterThan(0);
    if (named.length === calls.length) {
      expect([without, text]).toEqual(["no", expect.stringContaining("A key has it only if it names it, or `*`.")]);
    } else if (named.length === 0) {
      expect([without, text]).toEqual(["yes", expect.not.stringContaining("names it")]);
    } else {
      expect(without).toBe(`all but: ${named.join(", ")}`);
      expect(text).toContain(`Only with a key that names it, or \`*\`: ${named.join(", ")}.`);
    }
  }
});

test("the console offers every scope one by one", () => {
  expect(["*", ...scopeWords.map(([scope]) => scope)].toSorted()).toEqual([...scopes.keys()].toSorted());
});
