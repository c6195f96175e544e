/**
 * Checks that migrations can run while servers are running, and that released ones have not changed. With `--release`, records
 * all current ones as released.
 */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { glob, readFile, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import type { MigrationObject } from "@mikro-orm/core";
import { Migration } from "@mikro-orm/migrations";
import { standardCapabilities } from "../src/app.ts";
import { schemaOf } from "../src/process/database-schema.ts";

const root = join(import.meta.dirname, "..");
const squawk = join(root, "node_modules/@squawk-cli/linux-x64/bin/squawk");
const releasedFile = join(root, "src/process/released-migrations.json");

/** Rules of squawk that are not about locks. */
const excludedRules = [
  // Migrations have no statement timeout: see `src/database/migrate.ts`.
  "require-lock-timeout",
  "require-statement-timeout",
  // Repeatable statements only matter outside a transaction. There, `DROP` before `CREATE` makes them repeatable.
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

/** Changes of released migrations, which are not allowed, in sentences. */
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

/** Files of migrations that no owner lists, and so never run. */
async function findUnlisted(migrations: readonly MigrationText[]): Promise<string[]> {
  const listed = new Set(migrations.map(({ name }) => name));
  const problems: string[] = [];
  for await (const file of glob("src/**/*.migration.ts", { cwd: root })) {
    if (!listed.has(basename(file, ".migration.ts"))) {
      problems.push(`${file} is not in the migrations of its owner, and would never run`);
    }
  }
  return problems;
}

/**
 * Squawk's findings in a migration, one per line. A statement that blocks or rewrites a table is refused, unless the same
 * transaction creates the table, or the reason and `-- squawk-ignore <rule>` are above it.
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

/** Whether squawk is installed. It is for x64 Linux only, where CI runs. */
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
      ...(await findUnlisted(migrations)),
      ...findChanges(JSON.parse(await readFile(releasedFile, "utf8")), migrations),
      ...(isSquawkHere ? migrations.flatMap(lint) : []),
    ];
    for (const problem of problems) {
      console.error(problem);
    }
    process.exitCode = problems.length === 0 ? 0 : 1;
  }
}
