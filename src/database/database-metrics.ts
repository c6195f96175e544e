import { Gauge, type Metric } from "prom-client";
import { readCounter, readCounters, readGauge } from "../observe/read-metrics.ts";
import type { Database } from "./database.ts";
import type { StatementTime } from "./statement-times.ts";

/** What is known of connections to PostgreSQL and of statements, for `/metrics`. */
export function databaseMetrics(database: Pick<Database, "poolUse" | "waits" | "statements">): Metric[] {
  const { waits, statements } = database;
  const ofStatements = (name: string, help: string, read: (time: StatementTime) => number) =>
    readCounters(name, help, ["statement"], () =>
      Array.from(statements, ([statement, time]) => [{ statement }, read(time)] as const),
    );
  return [
    new Gauge({
      name: "byond_database_pool_connections",
      help: "Connections of the pool, by whether a call uses them.",
      labelNames: ["state"],
      aggregator: "sum",
      registers: [],
      collect() {
        const { connections, idle } = database.poolUse;
        this.set({ state: "idle" }, idle);
        this.set({ state: "used" }, connections - idle);
      },
    }),
    readGauge(
      "byond_database_pool_connections_max",
      "sum",
      "Connections that the pool may have.",
      () => database.poolUse.max,
    ),
    readGauge(
      "byond_database_pool_waiting_calls",
      "sum",
      "Calls that wait for a connection of the pool.",
      () => database.poolUse.waiting,
    ),
    readCounter(
      "byond_database_pool_waits_total",
      "Connections that calls took from the pool.",
      () => waits.total.count,
    ),
    readCounter(
      "byond_database_pool_wait_seconds_total",
      "How long calls waited for their connection of the pool, all together.",
      () => waits.total.seconds,
    ),
    ofStatements(
      "byond_database_statements_total",
      "Statements that PostgreSQL answered, by name. `query`: all that have none.",
      ({ runs }) => runs,
    ),
    ofStatements(
      "byond_database_statement_seconds_total",
      "How long the answers of statements took, by name, all together.",
      ({ seconds }) => seconds,
    ),
    ofStatements(
      "byond_database_statement_failures_total",
      "Statements that failed, by name. Some are repeated.",
      ({ failures }) => failures,
    ),
  ];
}
