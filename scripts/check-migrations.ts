/**
 * Whether migrations can run beside servers that serve, and whether those of the last release are what they were. With `--release`, notes
 * that all of them are released.
 */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { MigrationObject } from "@mikro-orm/core";
import { Migration } from "@mikro-orm/migrations";
import { standardCapabilities } from "../src/app.ts";
import { schemaOf } from "../src/process/database-schema.ts";

const root = join(import.meta.dirname, "..");
const squawk = join(root, "node_modules/@squawk-cli/linux-x64/bin/squawk");
const releasedFile = join(root, "src/process/released-migrations.json");

/** Rules of squawk that are about something else than what is locked, and how long. */
const excludedRules = [
  // A migration takes as long as it needs: `src/database/migrate.ts`.
  "require-lock-timeout",
  "require-statement-timeout",
  // Whether a statement can be repeated matters outside a transaction only, where `DROP` before `CREATE` does it.
  "prefer-robust-stmts",
  "prefer-bigint-over-int",
  "prefer-bigint-over-smallint",
];

export interface MigrationText {
  readonly name: string;
  readonly sql: string;
  readonly isTransactional: boolean;
}

/** The SQL of a migration, which needs no database to tell it. */
export async function readMigration({ name, class: Class }: MigrationObject): Promise<MigrationText> {
  const migration: unknown = Reflect.construct(Class, []);
  if (!(migration instanceof Migration)) {
    throw new TypeError(`${name} is no migration`);
  }
  await migration.up();
  const sql = migration.getQueries().map((query) => `${String(query).trim()};\n`);
  return { name, sql: sql.join(""), isTransactional: migration.isTransactional() };
}

interface Released {
  readonly name: string;
  readonly sha256: string;
}

/** Of the SQL, and of whether all of it is one transaction. */
export function hashOf({ name, sql, isTransactional }: MigrationText): Released {
  const hashed = isTransactional ? sql : `-- each statement by itself\n${sql}`;
  return { name, sha256: createHash("sha256").update(hashed).digest("hex") };
}

/** What became of released migrations that must not, in sentences. */
export function findChanges(released: readonly Released[], migrations: readonly MigrationText[]): string[] {
  const names = new Set(released.map(({ name }) => name));
  const current = migrations.map(hashOf).filter(({ name }) => names.has(name));
  const hashes = new Map(current.map(({ name, sha256 }) => [name, sha256]));
  const problems = released.flatMap(({ name, sha256 }) => {
    const hash = hashes.get(name);
    return hash === sha256 ? [] : [`${name} was released, and is ${hash === undefined ? "gone" : "changed"}`];
  });
  const kept = released.filter(({ name }) => hashes.has(name));
  const isInOrder = kept.every(({ name }, index) => name === current[index]?.name);
  return isInOrder ? problems : [...problems, "released migrations are in another order"];
}

/**
 * What squawk says of a migration, by lines: what blocks or rewrites a table is refused, unless the same transaction makes the table, or
 * `-- squawk-ignore <rule>` stands above it, below the reason.
 */
export function lint({ name, sql, isTransactional }: MigrationText): string[] {
  const lines = sql.split("\n").map((line) => line.trim());
  const unexplained = lines.flatMap((line, index) =>
    line.includes("squawk-ignore") && !/^-- (?!squawk-ignore)/.test(lines[index - 1] ?? "")
      ? [`${name}: a comment above "${line}" has to say why`]
      : [],
  );
  const options = ["--reporter=gcc", "--pg-version=15", `--exclude=${excludedRules.join(",")}`];
  const { status, stdout, stderr, error } = spawnSync(
    squawk,
    [...options, ...(isTransactional ? ["--assume-in-transaction"] : []), `--stdin-filepath=${name}.sql`],
    { input: sql, encoding: "utf8" },
  );
  if (error !== undefined) {
    throw error;
  }
  return status === 0
    ? unexplained
    : [...unexplained, ...`${stdout}${stderr}`.split("\n").filter((line) => line !== "")];
}

/** Whether squawk is installed: the package for x64 on Linux, which is where CI runs. */
export const isSquawkHere = existsSync(squawk);

if (import.meta.main) {
  const migrations = await Promise.all(schemaOf(standardCapabilities()).migrations.map(readMigration));
  if (process.argv.includes("--release")) {
    await writeFile(releasedFile, `${JSON.stringify(migrations.map(hashOf), undefined, 2)}\n`);
  } else {
    if (!isSquawkHere) {
      console.log("squawk is not installed for this platform: only CI lints what migrations lock");
    }
    const problems = [
      ...findChanges(JSON.parse(await readFile(releasedFile, "utf8")), migrations),
      ...(isSquawkHere ? migrations.flatMap(lint) : []),
    ];
    for (const problem of problems) {
      console.error(problem);
    }
    process.exitCode = problems.length === 0 ? 0 : 1;
  }
}
