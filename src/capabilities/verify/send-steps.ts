import { limitLockWait, type Queryable } from "../../database/database.ts";
import { type SharedRun, type SharedStatement, type Step, sharedStatement } from "../../database/shared-statement.ts";
import { type BoundStatement, bigint, bytea, nullable, optional, text } from "../../database/statement.ts";
import { AppError } from "../../errors.ts";
import { activeSpan } from "../../observe/active-span.ts";
import { outboxInsert } from "../../outbox/outbox.ts";
import { heldCredential, requireCredential } from "../../revocation/held-credential.ts";
import type { CodeDispatcher } from "./code-sender.ts";
import {
  chargedPart,
  defineSendStep,
  type Screening,
  type Send,
  type SendStep,
  sendParameters,
  sendValues,
} from "./define-send-step.ts";
import { queueSteps } from "./fallback/queue-fallback-steps.ts";
import { refuseBlocked } from "./sandbox-outcomes.ts";
import type { HeldCharge, SendCharges } from "./send-charges.ts";
import type { SendGuard } from "./send-guard.ts";
import { limitsStep } from "./send-limits.ts";

/** Steps of other capabilities in the statement of a send. `app.ts` hands them to `verifyCapability`. */
export interface AddedSendSteps {
  /** May refuse the send before a limit is counted. */
  readonly guard?: readonly SendStep[];
  /** May refuse the send or charge for it, after every limit has given a token. */
  readonly charge?: readonly SendStep[];
  /** Record the send. They read the CTE `sending`. */
  readonly event?: readonly SendStep[];
}

/** The steps that a start and a resend have each their own of. */
interface OwnSteps<Run extends Send> {
  /** Locks the verification if there is one already, or tells whether one must not be written. */
  readonly target?: Step<Run>;
  /** Writes the verification if the run passed the steps before. Has the CTE `sending`. */
  readonly verification: Step<Run>;
}

/** The statement that sends a code: its steps in their order. */
export function sendStatement<Run extends Send, Row extends SendingRow>(
  name: string,
  { target, verification }: OwnSteps<Run>,
  { guard = [], charge = [], event = [] }: AddedSendSteps,
): SharedStatement<Run, Row> {
  return sharedStatement(name, { parameters: sendParameters, values: sendValues }, [
    begin,
    ...(target === undefined ? [] : [target]),
    refuseBlocked,
    ...guard,
    limitsStep,
    ...charge,
    verification,
    outbox,
    queueSteps,
    ...event,
    credential,
  ]);
}

/** A row of the statement. Both are null if the send did not take place. */
export interface SendingRow {
  readonly createdAt: Date | null;
  readonly expiresAt: Date | null;
  /** The version of the guard's settings. Null: the run did not reach the guard. Absent: it has none. */
  readonly guardVersion?: number | null;
  /** Whether the price was charged. Null: the run did not reach the charge. Absent: there is none. */
  readonly charged?: boolean | null;
}

/** The columns of the step `verification`, which `SendingRow` has. */
export const sendingColumns = {
  created_at: "(SELECT created_at FROM sending)",
  expires_at: "(SELECT expires_at FROM sending)",
};

const begin = defineSendStep({
  name: "begin",
  parameters: {},
  values: () => ({}),
  sql: () => ({ ctes: limitLockWait, passed: "EXISTS (SELECT FROM begun)" }),
});

const outbox = defineSendStep({
  name: "outbox",
  parameters: {
    messageId: nullable(text),
    kind: nullable(text),
    lane: nullable(text),
    payloadSealed: nullable(bytea),
    claimedBy: nullable(text),
    price: optional(bigint),
    chargedTo: optional(text),
    traceParent: optional(text),
  },
  parts: (send) => [...chargedPart(send), ...(activeSpan() === undefined ? [] : ["traced"])],
  values: ({ message, charge }) => ({
    messageId: message?.id ?? null,
    kind: message?.kind ?? null,
    lane: message?.lane ?? null,
    payloadSealed: message?.payloadSealed ?? null,
    claimedBy: message?.claimedBy ?? null,
    price: charge?.amount,
    chargedTo: charge?.reserveId,
    traceParent: activeSpan()?.traceParent,
  }),
  sql: (p, { parts }) => ({
    ctes: `queued AS (${outboxInsert({
      from: `sending WHERE ${p.messageId} IS NOT NULL`,
      workspaceId: p.workspaceId,
      id: p.messageId,
      kind: p.kind,
      lane: p.lane,
      subjectId: p.id,
      payloadSealed: p.payloadSealed,
      claimedBy: p.claimedBy,
      createdAt: "created_at",
      expiresAt: "expires_at",
      ...(parts.includes("charged") ? { charge: { price: p.price, chargedTo: p.chargedTo } } : {}),
      ...(parts.includes("traced") ? { traceParent: p.traceParent } : {}),
    })})`,
    changes: ["queued"],
  }),
});

/** The last step: waits for all locks and changes of the others, and rolls them back unless the credential still holds. */
const credential = defineSendStep({
  name: "credential",
  parameters: { held: heldCredential },
  values: (send) => ({ held: send.credential }),
  sql: (p, { changes }) => ({
    columns: {
      credential_holds: requireCredential(p.held, {
        after: changes.filter((cte) => cte !== "sending"),
        effect: "sending",
      }),
    },
  }),
});

interface Dependencies {
  readonly database: Queryable;
  readonly codes: CodeDispatcher;
  /** Undefined: nothing is judged. */
  readonly guard: SendGuard | undefined;
  /** Undefined: nothing costs anything. */
  readonly charges: SendCharges | undefined;
}

/** The settings of a workspace's guard can change again while they are read, and a reserve be closed while it is charged to. */
const maxTries = 5;

/** When a send was created and expires. */
export interface Sent {
  readonly createdAt: Date;
  readonly expiresAt: Date;
}

/**
 * Runs the statement of a send, and hands the message to the dispatcher after the commit. `lookUp` finds the send if the connection
 * is lost before the answer. Returns undefined if there was nothing to do. Throws the refusal of the first step that the run did
 * not pass, and `invalid_api_key` if the credential no longer holds.
 */
export async function sendCode<Run extends Send, Row extends SendingRow>(
  deps: Dependencies,
  statement: SharedStatement<Run, Row>,
  send: Run,
  lookUp: BoundStatement<Row>,
): Promise<Sent | undefined> {
  const { codes } = deps;
  const { workspaceId, verificationId, message } = send;
  const claimedAtMs = codes.monotonicMs();
  const row = await runScreened(deps, statement, send, lookUp);
  if (row === undefined) {
    return undefined;
  }
  const { createdAt, expiresAt } = row;
  if (message !== undefined) {
    const { id, kind, lane, payloadSealed } = message;
    codes.dispatch({
      workspaceId,
      id,
      kind,
      lane,
      subjectId: verificationId,
      payloadSealed,
      attempts: 0,
      claim: 1,
      createdAt,
      expiresAt,
      claimedAtMs,
    });
  }
  return { createdAt, expiresAt };
}

/**
 * The same without the dispatch. Judges the send and holds its price, and does so again if the statement finds that the settings have changed, or
 * that there is nothing left of what it would be charged to.
 */
async function runScreened<Run extends Send, Row extends SendingRow>(
  { database, guard, charges }: Dependencies,
  statement: SharedStatement<Run, Row>,
  send: Run,
  lookUp: BoundStatement<Row>,
): Promise<Sent | undefined> {
  for (let tries = 0; tries < maxTries; tries += 1) {
    const screening = await guard?.screen(send);
    const judged = screening === undefined ? send : screened(send, screening);
    const held = await charges?.hold(judged);
    const run = statement(held === undefined ? judged : { ...judged, charge: held });
    const row = await runHeld(database, run, lookUp, held);
    const { createdAt, expiresAt, guardVersion = null } = row;
    if (createdAt !== null && expiresAt !== null) {
      return { createdAt, expiresAt };
    }
    if (row.charged === false) {
      continue;
    }
    if (screening !== undefined && guardVersion !== null && guardVersion !== screening.settingsVersion) {
      await guard?.refresh(database, send.workspaceId);
      continue;
    }
    const refusal = run.refusal(row);
    if (refusal === undefined) {
      return undefined;
    }
    const { reason } = refusal.details;
    if (screening !== undefined && reason !== undefined) {
      await guard?.record({ ...send, screening, reason });
    }
    throw refusal;
  }
  throw new AppError("unavailable", "What the send depends on changes too often. Try again.", { retryAfterSeconds: 1 });
}

/** Runs the statement, and settles what was held for it. */
async function runHeld<Row extends SendingRow>(
  database: Queryable,
  run: SharedRun<Row>,
  lookUp: BoundStatement<Row>,
  held: HeldCharge | undefined,
): Promise<Row> {
  let row: Row | undefined;
  try {
    [row] = await database.run(run.statement, run.values, lookUp);
  } catch (error) {
    if (error instanceof AppError && error.code !== "outcome_unknown") {
      held?.giveBack();
    } else {
      held?.spent();
    }
    throw error;
  }
  if (row === undefined) {
    held?.spent();
    throw new TypeError("the statement of a send answers one row");
  }
  if (row.createdAt !== null) {
    held?.spent();
  } else if (row.charged === false) {
    held?.refused();
  } else {
    held?.giveBack();
  }
  return row;
}

function screened<Run extends Send>(send: Run, screening: Screening): Run {
  return {
    ...send,
    screening,
    originLimits: screening.isShadow ? send.originLimits : [...send.originLimits, ...screening.limits],
    sharesRecipientLimit: send.sharesRecipientLimit || screening.sharesRecipientLimit,
  };
}
