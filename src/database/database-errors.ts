import { AppError, keyRefused, sessionRefused } from "../errors.ts";

/** A 503 promises that nothing was done: the statement was never sent, or it was rolled back. */
export function unavailable(cause: unknown): AppError {
  return new AppError("unavailable", "The service is not available right now. Try again shortly.", {
    retryAfterSeconds: 1,
    cause,
  });
}

/** The signature was used before, by a call that had its effect. */
function signatureUsed(cause: unknown): AppError {
  return new AppError(
    "signature_invalid",
    "The signature was already used, and its call took effect. Sign each call anew.",
    { cause },
  );
}

/** The rights of the key have changed since the call was admitted. Nothing was done: authorize the call again and repeat it. */
export class CredentialChanged extends AppError {
  constructor(cause: unknown) {
    super("unavailable", "The key was changed during the call. Try again.", {
      retryAfterSeconds: 1,
      cause,
    });
  }
}

/** The SQLSTATEs that the functions of our migrations raise. A statement that raises one of them was rolled back. */
const raised: ReadonlyMap<string, (cause: Error) => AppError> = new Map([
  ["BY001", keyRefused],
  ["BY002", sessionRefused],
  ["BY003", (cause) => new CredentialChanged(cause)],
  ["BY004", unavailable],
  ["BY005", signatureUsed],
]);

/**
 * SQLSTATEs that mean "not now" rather than "wrong": the connection, resources, a shutdown, read-only, deadlocks, and the
 * time-outs of locks (55P03), statements (57014) and idle transactions (25P03). All of them come from the server, which
 * has rolled back what it refuses.
 */
const transient = /^(08...|53...|57P0[123]|25006|25P03|40001|40P01|55P03|57014)$/;

const connectionFailure = /^(ECONNREFUSED|ECONNRESET|ENOENT|ENOTFOUND|EPIPE|ETIMEDOUT|EHOSTUNREACH|EAI_AGAIN)$/;
const connectionFailureMessage =
  /Connection terminated|is not queryable|Query read timeout|timeout exceeded when trying to connect|Cannot use a pool after calling end/;

/** Whether the TLS handshake failed, so that nothing was sent: by Node's or OpenSSL's code, or the message of `pg`. */
export function isHandshakeFailure(error: Error): boolean {
  return (
    /^(CERT_|UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_|INVALID_CA|ERR_TLS_|ERR_SSL_|EPROTO)/.test(codeOf(error)) ||
    /SSL connection/.test(error.message)
  );
}

/** Whether the connection was lost: a statement that was sent before may have been carried out. */
export function isConnectionLost(error: unknown): boolean {
  return (
    error instanceof Error && (connectionFailure.test(codeOf(error)) || connectionFailureMessage.test(error.message))
  );
}

/**
 * Whether a connection must be replaced: it is lost, or leads to a database that is read-only (25006). After a failover, a new
 * connection leads to the new primary.
 */
export function isConnectionSpent(error: unknown): boolean {
  return isConnectionLost(error) || (error instanceof Error && codeOf(error) === "25006");
}

/** Whether PostgreSQL refused a connection because as many are open as the server, the database or the role may have. */
export function isOutOfConnections(error: unknown): boolean {
  return error instanceof Error && codeOf(error) === "53300";
}

/** Whether a number has more digits than its type can hold. */
export function isOutOfRange(error: unknown): boolean {
  return error instanceof Error && codeOf(error) === "22003";
}

/** Maps an error of the database to an `AppError` where there is one; otherwise returns it unchanged. */
export function asAppError(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof AppError) {
    return error;
  }
  const code = codeOf(error);
  const refusal = raised.get(code);
  if (refusal !== undefined) {
    return refusal(error);
  }
  return transient.test(code) || isConnectionLost(error) || isHandshakeFailure(error) ? unavailable(error) : error;
}

/** The SQLSTATE, or Node's code. */
export function codeOf(error: Error): string {
  return "code" in error && typeof error.code === "string" ? error.code : "";
}
