import type { Build } from "./build.ts";
import type { Edit } from "./mutate.ts";

/** A rule of the protocol, broken. */
export type Mutant = { readonly name: string } & (
  | { readonly file: string; readonly edits: readonly Edit[] }
  | { readonly build: Partial<Build> }
);

const revocation: readonly Mutant[] = [
  {
    name: "numbers are taken without the advisory lock, so that a lower one may be committed later",
    build: { flaws: { withoutAdvisoryLock: true } },
  },
  {
    name: "the revocation is committed before the change that it is about",
    build: { flaws: { recordsBeforeTheChange: true } },
  },
  {
    name: "revoking again what is revoked already answers at once",
    build: { onRepetition: "answer at once" },
  },
];

const renewal: readonly Mutant[] = [
  {
    name: "the revocations are read before the own row is updated, not after",
    file: "lease.ts",
    edits: [
      {
        right: "let updateSentAt = renewing || this.#registration === undefined ? await this.#updateRow() : undefined;",
        wrong: "let updateSentAt: Moment | undefined;",
      },
      {
        right: "      applied.apply(revocations);\n",
        wrong: "      applied.apply(revocations);\n      updateSentAt = await this.#updateRow();\n",
      },
    ],
  },
  {
    name: "the lease is valid when the own row is updated, before the revocations are applied",
    file: "lease.ts",
    edits: [
      {
        right: "if (await store.renew(this.#registration, applied.sequence)) {",
        wrong: "if (await store.renew(this.#registration, applied.sequence)) {\n        this.#extend(sentAt);",
      },
    ],
  },
  {
    name: "the lease is timed from when the renewal was answered",
    file: "lease.ts",
    edits: [{ right: "this.#extend(updateSentAt);", wrong: "this.#extend(this.#now());" }],
  },
  {
    name: "the lease is timed on the monotonic clock alone, which stands still in a suspended machine",
    file: "lease.ts",
    edits: [{ right: "&& now.wallMs < this.#validUntil.wallMs", wrong: "" }],
  },
  {
    name: "the lease is timed on the wall clock alone, which can be set back",
    file: "lease.ts",
    edits: [{ right: "now.monotonicMs < this.#validUntil.monotonicMs &&", wrong: "" }],
  },
  {
    name: "what was read is acknowledged before it is applied",
    file: "lease.ts",
    edits: [
      {
        right: "      applied.apply(revocations);\n",
        wrong: `      if (this.#registration !== undefined) {
        await store.renew(this.#registration, revocations.at(-1)?.sequence ?? applied.sequence);
      }
      applied.apply(revocations);\n`,
      },
    ],
  },
  {
    name: "a renewal that finds no row of its own does not mind",
    file: "lease.ts",
    edits: [
      {
        right: "if (await store.renew(this.#registration, applied.sequence)) {",
        wrong: "if ((await store.renew(this.#registration, applied.sequence)) || true) {",
      },
    ],
  },
  {
    name: "a renewal that finds no row of its own registers anew, but keeps the cache",
    file: "lease.ts",
    edits: [
      { right: "applied.apply(await store.revocationsAfter(applied.sequence));", wrong: "" },
      { right: "applied.startOver(sequence);", wrong: 'applied.apply([{ sequence, subject: "nobody" }]);' },
    ],
  },
  {
    name: "a renewal that finds no row of its own empties the cache, but keeps the fills under way",
    file: "credential-cache.ts",
    edits: [
      {
        right: "        if (applied.isCurrent(entry)) {",
        wrong: "        if (!applied.wasRevoked(entry)) {\n          entry.asOf = applied.position;",
      },
    ],
  },
  {
    name: "a server registers anew under its old name, although the registration before may still arrive",
    file: "lease.ts",
    edits: [
      {
        right: "const id = createRegistrationId();",
        wrong: "const id = this.#earlier.at(-1) ?? createRegistrationId();",
      },
      { right: "const earlier = this.#earlier;", wrong: "const earlier: string[] = [];" },
    ],
  },
  {
    name: "a server registers with the last number taken, although that may not be committed",
    build: { flaws: { registersAtLastNumberTaken: true } },
  },
  {
    name: "a server that stops removes its row, but goes on answering from its cache",
    file: "lease.ts",
    edits: [{ right: "    this.#released = true;\n", wrong: "" }],
  },
];

const notification: readonly Mutant[] = [
  {
    name: "the number in a notification is applied, although the one before may have been lost",
    build: { onNotification: "apply its number" },
  },
];

const waiting: readonly Mutant[] = [
  {
    name: "the revoker answers when it has committed",
    file: "revoker.ts",
    edits: [{ right: "await this.#confirm(sequence);", wrong: "" }],
  },
  {
    name: "the revoker waits one lease, without the allowance for clocks that differ",
    file: "revoker.ts",
    edits: [{ right: "clockDriftAllowance * longestLeaseMs", wrong: "longestLeaseMs" }],
  },
  {
    name: "the revoker waits on the wall clock",
    file: "revoker.ts",
    edits: [{ right: "clock.monotonicMs()", wrong: "clock.now().getTime()" }],
  },
  {
    name: "the revoker counts its wait from before the commit",
    file: "revoker.ts",
    edits: [
      { right: "export class Revoker<Transaction> {", wrong: "let begunAt = 0;\nexport class Revoker<Transaction> {" },
      {
        right: "    const { result, sequence } = await",
        wrong: "    begunAt = this.#options.clock.monotonicMs();\n    const { result, sequence } = await",
      },
      { right: "const seenAt = clock.monotonicMs();", wrong: "const seenAt = begunAt;" },
    ],
  },
  {
    name: "the revoker looks who has to be waited for before the commit",
    file: "revoker.ts",
    edits: [
      {
        right: "export class Revoker<Transaction> {",
        wrong: "const seenBefore = new Map<number, readonly ServerBehind[]>();\nexport class Revoker<Transaction> {",
      },
      {
        right: "return { result, sequence: named.length === 0 ? undefined : await store.record(transaction, named) };",
        wrong: `const sequence = await store.record(transaction, named);
      seenBefore.set(sequence, await store.serversBehind(sequence));
      return { result, sequence };`,
      },
      {
        right: "const seenFirst = await this.#seeWhoIsBehind(sequence);",
        wrong: "const seenFirst = seenBefore.get(sequence) ?? [];",
      },
    ],
  },
  {
    name: "the revoker also removes servers that did renew since",
    build: { flaws: { removesRenewedRows: true } },
  },
];

const cache: readonly Mutant[] = [
  {
    name: "without a lease the cache answers all the same",
    file: "credential-cache.ts",
    edits: [{ right: "if (!lease.isValid()) {", wrong: "if (lease === undefined) {" }],
  },
  {
    name: "without a lease a request joins a read that began before it was sent",
    file: "credential-cache.ts",
    edits: [
      {
        right: "return this.#read(key).then(found);",
        wrong: "return (this.#fills.get(key) ?? this.#startFill(key)).then(found);",
      },
    ],
  },
  {
    name: "a fill notes the applied sequence after it has read",
    file: "credential-cache.ts",
    edits: [
      {
        right: "...(loaded?.subjects ?? [])], asOf };",
        wrong: "...(loaded?.subjects ?? [])], asOf: this.#deps.applied.position };",
      },
    ],
  },
  {
    name: "a fill that a revocation overtook is not kept, but answers those who wait for it",
    file: "credential-cache.ts",
    edits: [{ right: "counters.repeatedReads += 1;", wrong: "return entry;" }],
  },
];

const sweeping: readonly Mutant[] = [
  {
    name: "revocations are swept that not every server has applied",
    build: { flaws: { sweepsWhatAnyServerApplied: true } },
  },
];

/** Every rule of the protocol, broken once. */
export const everyMutant: readonly Mutant[] = [
  ...revocation,
  ...renewal,
  ...notification,
  ...waiting,
  ...cache,
  ...sweeping,
];
