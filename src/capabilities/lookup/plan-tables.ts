import { join } from "node:path";
import { plansFolder } from "../../text/numbering-plans.ts";
import { PrefixTable } from "../../text/prefix-table.ts";

/** What is known of numbers by how they begin. Time zones are separated by spaces. */
export type PlanTableName = "timezones" | "locations" | "carriers";

/** The tables of `gen/plans/`, each of which is read when it is first asked for. */
export class PlanTables {
  readonly #read: (path: string) => Promise<PrefixTable>;
  readonly #tables = new Map<PlanTableName, Promise<PrefixTable>>();

  constructor(read: (path: string) => Promise<PrefixTable> = PrefixTable.read) {
    this.#read = read;
  }

  /** Rejects if the file cannot be read. The next call tries again. */
  table(name: PlanTableName): Promise<PrefixTable> {
    const known = this.#tables.get(name);
    if (known !== undefined) {
      return known;
    }
    const reading = this.#read(join(plansFolder, `${name}.br`));
    this.#tables.set(name, reading);
    reading.catch(() => this.#tables.delete(name));
    return reading;
  }
}
