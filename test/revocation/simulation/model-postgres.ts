import type { Revocation } from "../../../src/revocation/applied-revocations.ts";
import type { ServerBehind } from "../../../src/revocation/revoker.ts";
import { Locks } from "./locks.ts";
import type { World } from "./world.ts";

/** What a wrong statement would do in the place of the right one. */
export interface Flaws {
  readonly withoutAdvisoryLock?: boolean;
  readonly recordsBeforeTheChange?: boolean;
  readonly registersAtLastNumberTaken?: boolean;
  readonly sweepsWhatAnyServerApplied?: boolean;
  readonly removesRenewedRows?: boolean;
}

interface ServerRow {
  readonly leaseMs: number;
  readonly applied: number;
  readonly renewals: number;
}

/** A transaction between BEGIN and its end. Its changes are seen by others when it commits, all at once. */
export interface ModelTransaction {
  readonly locks: string[];
  readonly changes: (() => void)[];
  revocations: readonly Revocation[];
  isOver: boolean;
}

type Finish<T> = (result: T) => void;

const advisoryLock = "advisory";

/**
 * PostgreSQL at READ COMMITTED, as far as the protocol's statements go. A statement begins when it arrives: reads see
 * what is committed at that moment, and nothing later. Writes take the locks of their rows, look at them again once they
 * have them, and become visible later, at their commit, when the locks are released. A transaction keeps its locks until
 * it ends. Numbers are taken from a sequence, which no rollback gives back.
 */
export class ModelPostgres {
  /** Told of each commit that notifies. */
  readonly listeners: ((revocations: readonly Revocation[]) => void)[] = [];
  readonly #world: World;
  readonly #flaws: Flaws;
  readonly #locks = new Locks();
  /** What is committed. */
  readonly #servers = new Map<string, ServerRow>();
  readonly #versions = new Map<string, number>();
  #revocations: readonly Revocation[] = [];
  #lastNumberTaken = 0;

  constructor(world: World, flaws: Flaws) {
    this.#world = world;
    this.#flaws = flaws;
  }

  get serverCount(): number {
    return this.#servers.size;
  }

  get revocationCount(): number {
    return this.#revocations.length;
  }

  register(id: string, leaseMs: number, earlierIds: readonly string[], finish: Finish<number>): void {
    const applied = this.#flaws.registersAtLastNumberTaken === true ? this.#lastNumberTaken : this.#lastCommitted();
    this.#write([...earlierIds, id].map(rowLock), () => {
      for (const earlier of earlierIds) {
        this.#servers.delete(earlier);
      }
      this.#servers.set(id, { leaseMs, applied, renewals: 0 });
      finish(applied);
    });
  }

  renew(id: string, applied: number, finish: Finish<boolean>): void {
    this.#write([rowLock(id)], () => {
      const row = this.#servers.get(id);
      if (row !== undefined) {
        this.#servers.set(id, { ...row, applied: Math.max(row.applied, applied), renewals: row.renewals + 1 });
      }
      finish(row !== undefined);
    });
  }

  revocationsAfter(sequence: number, finish: Finish<readonly Revocation[]>): void {
    finish(this.#revocations.filter((revocation) => revocation.sequence > sequence));
  }

  remove(ids: readonly string[], finish: Finish<void>): void {
    this.#write(ids.map(rowLock), () => {
      for (const id of ids) {
        this.#servers.delete(id);
      }
      finish();
    });
  }

  lastSequence(finish: Finish<number>): void {
    finish(this.#lastCommitted());
  }

  serversBehind(sequence: number, finish: Finish<readonly ServerBehind[]>): void {
    const rows = [...this.#servers].filter(([, row]) => row.applied < sequence);
    finish(rows.map(([id, { renewals, leaseMs }]) => ({ id, renewals, leaseMs })));
  }

  removeUnrenewed(servers: readonly ServerBehind[], finish: Finish<void>): void {
    this.#write(
      servers.map((server) => rowLock(server.id)),
      () => {
        for (const { id, renewals } of servers) {
          if (this.#servers.get(id)?.renewals === renewals || this.#flaws.removesRenewedRows === true) {
            this.#servers.delete(id);
          }
        }
        finish();
      },
    );
  }

  sweep(finish: Finish<void>): void {
    const applied = [...this.#servers.values()].map((row) => row.applied);
    const below = this.#flaws.sweepsWhatAnyServerApplied === true ? Math.max(...applied) + 1 : Math.min(...applied);
    const seen = new Set(applied.length === 0 ? [] : this.#revocations.filter(({ sequence }) => sequence < below));
    this.#commitLater(() => {
      this.#revocations = this.#revocations.filter((revocation) => !seen.has(revocation));
      finish();
    });
  }

  /** The committed version of a subject. */
  version(subject: string): number {
    return this.#versions.get(subject) ?? 0;
  }

  begin(): ModelTransaction {
    return { locks: [], changes: [], revocations: [], isOver: false };
  }

  /** Raises a subject's version. False: it was that high already. */
  change(transaction: ModelTransaction, subject: string, version: number, finish: Finish<boolean>): void {
    this.#takeFor(transaction, `subject ${subject}`, () => {
      const isHigher = version > this.version(subject);
      if (isHigher) {
        transaction.changes.push(() => this.#versions.set(subject, version));
      }
      finish(isHigher);
    });
  }

  takeAdvisoryLock(transaction: ModelTransaction, finish: Finish<void>): void {
    if (this.#flaws.withoutAdvisoryLock === true) {
      finish();
    } else {
      this.#takeFor(transaction, advisoryLock, finish);
    }
  }

  insertRevocations(transaction: ModelTransaction, subjects: readonly string[], finish: Finish<number>): void {
    transaction.revocations = subjects.map((subject) => {
      this.#lastNumberTaken += 1;
      return { sequence: this.#lastNumberTaken, subject };
    });
    if (this.#flaws.recordsBeforeTheChange === true) {
      this.#publish(transaction.revocations);
      transaction.revocations = [];
    }
    finish(this.#lastNumberTaken);
  }

  commit(transaction: ModelTransaction, finish: Finish<void>): void {
    if (transaction.isOver) {
      return;
    }
    this.#commitLater(() => {
      if (transaction.isOver) {
        return;
      }
      for (const change of transaction.changes) {
        change();
      }
      this.#publish(transaction.revocations);
      this.#end(transaction);
      finish();
    });
  }

  rollBack(transaction: ModelTransaction): void {
    if (!transaction.isOver) {
      this.#end(transaction);
    }
  }

  #lastCommitted(): number {
    return this.#revocations.at(-1)?.sequence ?? 0;
  }

  #publish(revocations: readonly Revocation[]): void {
    if (revocations.length > 0) {
      this.#revocations = [...this.#revocations, ...revocations].sort((a, b) => a.sequence - b.sequence);
      for (const listener of this.listeners) {
        listener(revocations);
      }
    }
  }

  #end(transaction: ModelTransaction): void {
    transaction.isOver = true;
    this.#locks.release(...transaction.locks.splice(0));
  }

  #takeFor(transaction: ModelTransaction, name: string, then: () => void): void {
    if (transaction.isOver) {
      return;
    }
    this.#locks.take(name, () => {
      if (transaction.isOver) {
        this.#locks.release(name);
        return;
      }
      transaction.locks.push(name);
      then();
    });
  }

  /** A statement that is a transaction of its own. `atCommit` looks at the rows, which nobody else can change by then. */
  #write(locks: readonly string[], atCommit: () => void): void {
    this.#locks.takeAll(locks, () =>
      this.#commitLater(() => {
        atCommit();
        this.#locks.release(...locks);
      }),
    );
  }

  #commitLater(commit: () => void): void {
    this.#world.after(this.#world.random.next() * this.#world.weather.usualDelayMs, commit);
  }
}

function rowLock(id: string): string {
  return `server ${id}`;
}
