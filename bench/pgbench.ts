import { execFile } from "node:child_process";
import { globSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";
import { runFolder } from "./processes.ts";
import type { SentStatement } from "./verify-workspace.ts";

const run = promisify(execFile);
/** As many as a server has. */
const connections = 10;
/** Debian keeps it out of the way. */
const path = [process.env.PATH, ...globSync("/usr/lib/postgresql/*/bin")].join(delimiter);

export async function hasPgbench(): Promise<boolean> {
  return run("pgbench", ["--version"], { env: { PATH: path } }).then(
    () => true,
    () => false,
  );
}

/** Runs a script of pgbench with prepared statements. Resolves to its transactions a second. */
export async function runPgbench(databaseUrl: string, script: string, seconds: number): Promise<number> {
  const file = join(runFolder, "pgbench.sql");
  writeFileSync(file, script);
  const options = ["-n", "-M", "prepared", "-c", String(connections), "-j", "1", "-T", String(seconds), "-f", file];
  const { stdout } = await run("pgbench", [...options, databaseUrl], { env: { PATH: path } });
  const [, failed] = /^number of failed transactions: (\d+)/m.exec(stdout) ?? [];
  const [, rate] = /^tps = ([\d.]+)/m.exec(stdout) ?? [];
  if (failed !== "0" || rate === undefined) {
    throw new Error(`pgbench says:\n${stdout}`);
  }
  return Number(rate);
}

/**
 * A script that runs a statement of the server again and again. What differs between two runs of it by the server, ids and indexes, is
 * different every time; all else is as the server sent it. `expressions`: SQL in the place of a value, by its literal.
 */
export function scriptOf(
  [sent, other]: readonly [SentStatement, SentStatement],
  variable: string,
  expressions: Readonly<Record<string, string>> = {},
): string {
  const text = sent.text.replace(/\$(\d+)::((?:double precision|\w+)(?:\[\])?)/g, (_, digits, type) => {
    const literal = sent.literals.get(Number(digits)) ?? "NULL";
    const differs = literal !== other.literals.get(Number(digits));
    return `(${expressions[literal] ?? sqlOf(literal, differs ? type : undefined)})::${type}`;
  });
  return `\\set variable ${variable}\n${text.replace(/\s+/g, " ")};\n`;
}

/** SQL of a literal. Of one that varies, with the variable in it: at the end of a text, or of each text in an array. */
function sqlOf(literal: string, variedType: string | undefined): string {
  if (literal === "NULL") {
    return literal;
  }
  const text = literal.slice(1, -1);
  const variable = " || CAST(:variable AS text) || ";
  switch (variedType) {
    case "text":
      return `${quote(text)}${variable}''`;
    case "text[]":
      return text
        .split(/(?=[,}])/)
        .map(quote)
        .join(variable);
    default:
      return quote(text);
  }
}

/** pgbench takes what follows a colon for a variable, also within a literal. */
function quote(text: string): string {
  return `U&'${text.replaceAll("\\", "\\\\").replaceAll(":", "\\003a")}'`;
}
