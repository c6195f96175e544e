import { fileVariable } from "./setting-files.ts";

/** Shorter names are too similar to unrelated ones: `POST`, `PORTS`, `HOSTS`. */
const shortestName = 7;
/** From this length on, a name with two typos is still unambiguous. */
const longName = 15;
const prefix = /^BYOND_/;
/** How a variable names a file that holds the value: Docker's `_FILE` and similar conventions. */
const ofFile = /^FILE__|_+(?:FILE|PATH)$/;

/** Settings of other programs whose names are close to one of ours. */
const foreign = new Set(["EMAIL_FROM", "SFTP_URL", "HOST_FILE", "PORT_FILE"]);

export interface MisspeltSetting {
  /** The name in the environment. */
  readonly found: string;
  /** The setting that it was meant to be. */
  readonly meant: string;
  /** Whether its name says that it names a file that holds the setting. */
  readonly isFile: boolean;
}

/**
 * Finds variables whose names are misspelt settings: a letter wrong, missing, extra or swapped with its neighbour, other case,
 * a prefix `BYOND_` or a suffix `_FILE`. A setting that exists under its right name, even empty, is not considered. `secrets`: the
 * settings that can be in files, whose variables are names like any other.
 */
export function findMisspeltSettings(
  environment: Readonly<Record<string, string | undefined>>,
  settings: ReadonlySet<string>,
  secrets: ReadonlySet<string>,
): MisspeltSetting[] {
  const unset = (name: string) => environment[name] === undefined;
  const files = new Set([...secrets].map(fileVariable));
  const missing = [
    ...[...settings].filter((name) => name.length >= shortestName && unset(name)),
    ...[...secrets].filter(unset).map(fileVariable).filter(unset),
  ];
  return Object.entries(environment).flatMap(([found, value]) => {
    if (settings.has(found) || files.has(found) || foreign.has(found) || !value?.trim()) {
      return [];
    }
    const isFile = ofFile.test(found.toUpperCase());
    const meant =
      missing.find((name) => isNear(found.toUpperCase().replace(ofFile, ""), name)) ??
      [...settings].find((name) => fileVariable(name) === found && unset(name));
    return meant === undefined ? [] : [{ found, meant, isFile }];
  });
}

function isNear(found: string, name: string): boolean {
  const most = name.length >= longName ? 2 : 1;
  return (
    found.replace(prefix, "") === name ||
    (Math.abs(found.length - name.length) <= most && editDistance(found, name) <= most)
  );
}

/** Optimal string alignment distance: letters inserted, deleted, replaced, or swapped with their neighbour. */
function editDistance(one: string, other: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: other.length + 1 }, (_, column) => column);
  for (let row = 1; row <= one.length; row++) {
    const current = [row];
    for (let column = 1; column <= other.length; column++) {
      const replaced = (last[column - 1] ?? 0) + (one[row - 1] === other[column - 1] ? 0 : 1);
      const leftOut = (last[column] ?? 0) + 1;
      const putIn = (current[column - 1] ?? 0) + 1;
      const isExchange = one[row - 1] === other[column - 2] && one[row - 2] === other[column - 1];
      const exchanged = isExchange
        ? (beforeLast[column - 2] ?? Number.POSITIVE_INFINITY) + 1
        : Number.POSITIVE_INFINITY;
      current.push(Math.min(replaced, leftOut, putIn, exchanged));
    }
    beforeLast = last;
    last = current;
  }
  return last[other.length] ?? 0;
}
