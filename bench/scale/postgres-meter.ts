import { readFileSync } from "node:fs";
import type pg from "pg";
import type { Postgres } from "../databases.ts";

/** What PostgreSQL has to be started with. Everything is logged only while the bench learns the names of statements. */
export const meterSettings: Readonly<Record<string, string>> = {
  shared_preload_libraries: "pg_stat_statements",
  "pg_stat_statements.max": "10000",
  log_line_prefix: "%m [%p] %Q ",
  log_error_verbosity: "default",
  // A phase is not disturbed by what is measured as a phase of its own.
  autovacuum: "off",
  checkpoint_timeout: "1h",
  max_wal_size: "20GB",
};

/** Since PostgreSQL was started, or since the statistics were reset. */
export interface Reading {
  readonly atMs: number;
  /** CPU time of all its processes, in ms. */
  readonly cpuMs: number;
  readonly lsn: string;
  readonly statements: ReadonlyMap<string, StatementUse>;
}

export interface StatementUse {
  readonly calls: number;
  /** What a trigger or function writes counts for the statement that called it. */
  readonly walBytes: number;
}

export interface LoggedStatement {
  readonly name: string;
  /** Those that were logged. */
  readonly calls: number;
  /** Without its commit. */
  readonly cpuMs: number;
}

/** What happened between two readings. */
export interface Use {
  readonly seconds: number;
  readonly cpuMs: number;
  /** Without pages that are written as a whole. */
  readonly walBytes: number;
  /** Pages that were written as a whole, because they were changed for the first time after a checkpoint. */
  readonly pageBytes: number;
  /** That wrote something, and so wait for the disk. */
  readonly commits: number;
  readonly statements: ReadonlyMap<string, StatementUse>;
}

export class PostgresMeter {
  readonly #postgres: Postgres;
  readonly #client: pg.Client;

  /** `client`: the administrator's, in the database that is measured. */
  constructor(postgres: Postgres, client: pg.Client) {
    this.#postgres = postgres;
    this.#client = client;
  }

  async prepare(): Promise<void> {
    for (const extension of ["pg_stat_statements", "pg_walinspect"]) {
      await this.#client.query(`CREATE EXTENSION IF NOT EXISTS ${extension}`);
    }
  }

  /** Has every statement logged with its name and its CPU time, or none. */
  async logStatements(isOn: boolean): Promise<void> {
    await this.#client.query(`ALTER SYSTEM SET log_min_duration_statement = ${isOn ? 0 : -1}`);
    await this.#client.query(`ALTER SYSTEM SET log_statement_stats = ${isOn ? "on" : "off"}`);
    await this.#client.query("SELECT pg_reload_conf()");
  }

  /** What is known of statements by the log, by the id that `pg_stat_statements` knows them by. */
  loggedStatements(): ReadonlyMap<string, LoggedStatement> {
    const log = readFileSync(this.#postgres.logPath, "utf8");
    const statements = new Map<string, { name: string; calls: number; cpuMs: number }>();
    for (const [, id = "", name = ""] of log.matchAll(/ \[\d+\] (-?\d+) LOG: [^\n]*? execute (\w+): /g)) {
      statements.set(id, { name, calls: 0, cpuMs: 0 });
    }
    const executions =
      / \[\d+\] (-?\d+) LOG: {2}EXECUTE MESSAGE STATISTICS\n[^\n]*DETAIL: [^\n]*\n\t!\t([\d.]+) s user, ([\d.]+) s system/g;
    for (const [, id = "", user = "", system = ""] of log.matchAll(executions)) {
      const statement = statements.get(id);
      if (statement !== undefined) {
        statement.calls += 1;
        statement.cpuMs += (Number(user) + Number(system)) * 1_000;
      }
    }
    return statements;
  }

  async read(): Promise<Reading> {
    const { rows } = await this.#client.query(
      `SELECT queryid::text AS id, sum(calls) AS calls, sum(wal_bytes) AS wal
        FROM pg_stat_statements WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database()) GROUP BY queryid`,
    );
    // So that there is a record between two readings: reading the WAL refuses to find none.
    await this.#client.query("SELECT pg_logical_emit_message(true, 'bench', '')");
    const { rows: positions } = await this.#client.query("SELECT pg_current_wal_flush_lsn() AS lsn");
    return {
      atMs: performance.now(),
      cpuMs: cpuMsOf(this.#postgres.processId),
      lsn: positions[0].lsn,
      statements: new Map(rows.map(({ id, calls, wal }) => [id, { calls: Number(calls), walBytes: Number(wal) }])),
    };
  }

  /** Runs `work`, and answers what it took. */
  async measure(work: () => Promise<unknown>): Promise<Use> {
    const before = await this.read();
    await work();
    const after = await this.read();
    const wal = await this.#walBetween(before.lsn, after.lsn);
    const statements = new Map<string, StatementUse>();
    for (const [id, use] of after.statements) {
      const { calls, walBytes } = before.statements.get(id) ?? { calls: 0, walBytes: 0 };
      if (use.calls > calls) {
        statements.set(id, { calls: use.calls - calls, walBytes: use.walBytes - walBytes });
      }
    }
    return {
      seconds: (after.atMs - before.atMs) / 1_000,
      cpuMs: after.cpuMs - before.cpuMs,
      ...wal,
      statements,
    };
  }

  async #walBetween(from: string, until: string): Promise<Pick<Use, "walBytes" | "pageBytes" | "commits">> {
    const { rows } = await this.#client.query(
      `SELECT sum(record_size) AS records, sum(fpi_size) AS pages,
          sum(count) FILTER (WHERE "resource_manager/record_type" = 'Transaction/COMMIT') AS commits
        FROM pg_get_wal_stats($1, $2, per_record => true)`,
      [from, until],
    );
    return {
      walBytes: Number(rows[0].records),
      pageBytes: Number(rows[0].pages),
      commits: Number(rows[0].commits ?? 0),
    };
  }

  /** Pages that were written as a whole since `lsn`, by table or index. */
  async pagesWritten(lsn: string): Promise<ReadonlyMap<string, number>> {
    const { rows } = await this.#client.query(
      `SELECT relname AS name, count(*)::integer AS pages
        FROM pg_get_wal_block_info($1, pg_current_wal_lsn(), show_data => false) AS block
        JOIN pg_class ON pg_class.relfilenode = block.relfilenode
        WHERE block_fpi_length > 0 GROUP BY relname`,
      [lsn],
    );
    return new Map(rows.map(({ name, pages }) => [name, pages]));
  }
}

/** Of a process and its children, those that ended included. */
function cpuMsOf(processId: number): number {
  const children = readFileSync(`/proc/${processId}/task/${processId}/children`, "utf8").trim().split(" ");
  const living = [String(processId), ...children].reduce((sum, id) => sum + onCpuMs(id), 0);
  const fields = readFileSync(`/proc/${processId}/stat`, "utf8")
    .replace(/^.*\) /s, "")
    .split(" ");
  // Linux counts those of ended children in hundredths of a second.
  return living + (Number(fields[13]) + Number(fields[14])) * 10;
}

function onCpuMs(processId: string): number {
  try {
    return Number(readFileSync(`/proc/${processId}/schedstat`, "utf8").split(" ")[0]) / 1e6;
  } catch {
    // It ended a moment ago.
    return 0;
  }
}
