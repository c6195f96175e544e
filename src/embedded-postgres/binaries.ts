import { EmbeddedPostgresError, orUseDatabaseUrl } from "./embedded-postgres-error.ts";

/** Absolute paths of the programs. */
export interface PostgresBinaries {
  readonly initdb: string;
  readonly postgres: string;
}

/**
 * Finds the PostgreSQL programs that npm installed for this machine.
 *
 * @throws EmbeddedPostgresError if there are none for the platform.
 */
export async function loadPostgresBinaries(
  platform: string = process.platform,
  architecture: string = process.arch,
): Promise<PostgresBinaries> {
  const packageName = `@embedded-postgres/${platform}-${architecture}`;
  let paths: unknown;
  try {
    paths = await import(packageName);
  } catch (cause) {
    throw new EmbeddedPostgresError(
      orUseDatabaseUrl(
        `No PostgreSQL comes with Byond for ${platform}-${architecture} (the package ${packageName} is not installed; ` +
          `npm leaves it out when optional dependencies are omitted)`,
      ),
      { cause },
    );
  }
  if (!isPostgresBinaries(paths)) {
    throw new EmbeddedPostgresError(orUseDatabaseUrl(`${packageName} does not name its programs`));
  }
  return { initdb: paths.initdb, postgres: paths.postgres };
}

function isPostgresBinaries(value: unknown): value is PostgresBinaries {
  return (
    typeof value === "object" &&
    value !== null &&
    "initdb" in value &&
    typeof value.initdb === "string" &&
    "postgres" in value &&
    typeof value.postgres === "string"
  );
}
