import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { providerKinds } from "../../../src/capabilities/channels/provider-kinds.ts";

test("the guide's table of providers says what their code says", () => {
  const guide = readFileSync(join(import.meta.dirname, "../../../docs/guides/delivery.md"), "utf8");
  const [, table = ""] = /\| provider \| channels .*\n\|[-|]*\n((?:\|.*\n)*)/.exec(guide) ?? [];
  const rows = providerKinds.map(({ name, channels, facts }) => {
    const cells = [`\`${name}\``, channels.map((channel) => `\`${channel}\``).join(", ")];
    return `| ${[...cells, facts.dsn, facts.reports, facts.signature, facts.finalState].join(" | ")} |`;
  });
  expect(table.trimEnd().split("\n")).toEqual(rows);
});

test("names and schemes are no other kind's", () => {
  const names = providerKinds.map(({ name }) => name);
  const schemes = providerKinds.flatMap((kind) => kind.schemes);
  expect(new Set(names).size).toBe(names.length);
  expect(new Set(schemes).size).toBe(schemes.length);
});
