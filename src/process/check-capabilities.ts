import type { Capability } from "../capability.ts";
import { defaultCommand } from "./command-line.ts";
import { schemaOf, workspaceTablesOf } from "./database-schema.ts";

/**
 * Checks what capabilities declare, before anything is started. Throws `TypeError` for two of one name (capabilities, scopes, migrations,
 * tables, commands), and for a table of a workspace's rows that no erasure would empty, because it is not among `workspaceTables`.
 */
export function checkCapabilities(capabilities: readonly Capability[]): void {
  requireDistinct(
    "capabilities",
    capabilities.map(({ name }) => name),
  );
  requireDistinct(
    "scopes",
    capabilities.flatMap(({ scopes = [] }) => scopes),
  );
  requireDistinct("commands", [defaultCommand, ...capabilities.flatMap(({ commands = {} }) => Object.keys(commands))]);
  const { entities, migrations } = schemaOf(capabilities);
  requireDistinct(
    "migrations",
    migrations.map(({ name }) => name),
  );
  const tables = entities.map(({ meta }) => ({
    name: meta.tableName,
    isOfWorkspace: meta.properties !== undefined && "workspaceId" in meta.properties,
  }));
  requireDistinct(
    "tables",
    tables.map(({ name }) => name),
  );
  const declared = workspaceTablesOf(capabilities);
  for (const { name, isOfWorkspace } of tables) {
    if (isOfWorkspace && !Object.hasOwn(declared, name)) {
      throw new TypeError(
        `the table ${name} has rows of workspaces, which would be left when one is erased: list it in workspaceTables`,
      );
    }
  }
  for (const name of Object.keys(declared)) {
    if (!tables.some((table) => table.name === name)) {
      throw new TypeError(`workspaceTables has ${name}, and there is no entity of that table`);
    }
  }
}

function requireDistinct(what: string, names: readonly string[]): void {
  const repeated = names.find((name, index) => name === "" || names.indexOf(name) !== index);
  if (repeated !== undefined) {
    throw new TypeError(
      repeated === "" ? `one of the ${what} has an empty name` : `two ${what} have the name ${repeated}`,
    );
  }
}

/** What a capability contributes of one kind, by name. */
interface Contributed<T> {
  readonly capability: string;
  readonly entries: Iterable<readonly [name: string, value: T]>;
}

/** Joins what capabilities contribute. Throws `TypeError` if two have one of the same name: one of them would be lost. */
export function joinContributed<T>(what: string, contributed: readonly Contributed<T>[]): Map<string, T> {
  const joined = new Map<string, T>();
  const owners = new Map<string, string>();
  for (const { capability, entries } of contributed) {
    for (const [name, value] of entries) {
      const owner = owners.get(name);
      if (owner !== undefined) {
        throw new TypeError(`${what} ${name} of ${capability} is already that of ${owner}`);
      }
      owners.set(name, capability);
      joined.set(name, value);
    }
  }
  return joined;
}
