/** What would be lost in silence, or fail only at the first call, keeps the server from starting. */
import { defineEntity, p } from "@mikro-orm/core";
import { Migration } from "@mikro-orm/migrations";
import { Counter } from "prom-client";
import { describe, expect, test } from "vitest";
import { standardCapabilities } from "../../src/app.ts";
import type { Capability, Contribution } from "../../src/capability.ts";
import { checkCapabilities } from "../../src/process/check-capabilities.ts";
import { startTestApp } from "../support/app.ts";

class Empty extends Migration {
  override up(): void {}
}

const NoteEntity = defineEntity({
  name: "Note",
  tableName: "note",
  properties: { id: p.text().primary(), workspaceId: p.text() },
});

const notes = (changes: Partial<Capability>): Capability => ({ name: "notes", start: () => ({}), ...changes });

test("the standard capabilities are in order", () => {
  expect(() => checkCapabilities(standardCapabilities())).not.toThrow();
});

test.each<[string, Partial<Capability>, string]>([
  ["a name that is taken", { name: "verify" }, "two capabilities have the name verify"],
  ["an empty name", { name: "" }, "one of the capabilities has an empty name"],
  ["a scope that is taken", { scopes: ["lookup"] }, "two scopes have the name lookup"],
  [
    "a command that is taken",
    { commands: { start: { summary: "", run: async () => undefined } } },
    "two commands have the name start",
  ],
  [
    "a migration that is taken",
    { migrations: [{ name: "verify-0001", class: Empty }] },
    "two migrations have the name verify-0001",
  ],
  [
    "a table that is taken",
    { entities: [defineEntity({ name: "Other", tableName: "outbox", properties: { id: p.text().primary() } })] },
    "two tables have the name outbox",
  ],
  ["a table of a workspace's rows that no erasure empties", { entities: [NoteEntity] }, "the table note has rows"],
  ["a table that has no entity", { workspaceTables: { note: "id" } }, "there is no entity of that table"],
  [
    "a table that another one declares",
    { workspaceTables: { verification: "id" } },
    "the table verification is in workspaceTables twice",
  ],
])("%s is refused", (_, changes, problem) => {
  expect(() => checkCapabilities([...standardCapabilities(), notes(changes)])).toThrow(problem);
});

describe("a contribution", () => {
  const page = () => "served" as const;
  const refused = async (contribution: Contribution) => {
    const capabilities = [...standardCapabilities(), notes({ start: () => contribution })];
    return startTestApp({}, { capabilities }).then(
      () => "started",
      (error: Error) => error.message,
    );
  };

  test.each<[string, Contribution, string]>([
    ["a page of the server", { pages: () => new Map([["/healthz", page]]) }, "the page /healthz of notes"],
    ["a page of another", { pages: () => new Map([["/docs", page]]) }, "the page /docs of notes"],
    [
      "a sweep of another",
      { sweeps: [{ name: "verification", removeBatch: async () => false }] },
      "the sweep verification of notes",
    ],
    [
      "the sender of another",
      { senders: { verification_code: { send: async () => ({ kind: "sent", providerMessageId: "x" }) } } },
      "the sender verification_code of notes is already that of verify",
    ],
    [
      "another's credentials",
      { authenticator: { authenticateKey: async () => undefined } },
      "the authenticator's authenticateKey of notes is already that of keys",
    ],
    [
      "a metric of the server",
      { metrics: [new Counter({ name: "byond_http_request_duration_seconds", help: "x", registers: [] })] },
      "byond_http_request_duration_seconds",
    ],
  ])("cannot take the place of %s", async (_, contribution, problem) => {
    expect(await refused(contribution)).toContain(problem);
  });
});
