import { randomBytes } from "node:crypto";
import { Client } from "pg";
import { inject } from "vitest";

/** A role of PostgreSQL that may log in and owns nothing. Dispose of it after the databases in which it has rights. */
export class DatabaseRole implements AsyncDisposable {
  readonly name = `role_${randomBytes(6).toString("hex")}`;
  readonly password = "hunter2";
  readonly #administrator: Client;

  private constructor(administrator: Client) {
    this.#administrator = administrator;
  }

  /** `attributes`, as in `CREATE ROLE`. */
  static async create(attributes = ""): Promise<DatabaseRole> {
    const administrator = new Client({ connectionString: inject("postgresUrl") });
    administrator.on("error", () => undefined);
    await administrator.connect();
    const role = new DatabaseRole(administrator);
    await administrator.query(`CREATE ROLE ${role.name} LOGIN PASSWORD '${role.password}' ${attributes}`);
    return role;
  }

  /** The URL of a database, as this role. */
  urlOf(databaseUrl: string): string {
    const url = new URL(databaseUrl);
    url.username = this.name;
    url.password = this.password;
    return url.href;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#administrator.query(`DROP ROLE ${this.name}`);
    await this.#administrator.end();
  }
}
