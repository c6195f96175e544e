import { toHouseError } from "../api/house-error.ts";
import { Button } from "./button.tsx";
import { CopyButton } from "./copy-button.tsx";
import { Notice } from "./notice.tsx";

export interface ErrorNoticeProps {
  /** What was thrown; nothing is shown without it. */
  readonly error: unknown;
  readonly onRetry?: () => void;
  /** Whether the problem of a field is shown at the field itself. */
  readonly isFieldShown?: (name: string) => boolean;
}

/** What went wrong in the server's words, what to do, and the request's id. */
export function ErrorNotice({ error, onRetry, isFieldShown = () => false }: ErrorNoticeProps) {
  if (error === undefined || error === null) {
    return null;
  }
  const { code, message, requestId, documentationUrl, fields, retryAfterSeconds } = toHouseError(error);
  const problems = Object.entries(fields).filter(([name]) => !isFieldShown(name));
  return (
    <Notice
      tone="bad"
      title={message}
      actions={
        onRetry && (
          <Button size="small" icon="refresh" onPress={onRetry}>
            Try again
          </Button>
        )
      }
    >
      {problems.length > 0 && (
        <ul className="error-fields">
          {problems.map(([name, problem]) => (
            <li key={name}>
              <code>{name}</code> {problem}
            </li>
          ))}
        </ul>
      )}
      {retryAfterSeconds !== undefined && <p>Try again in {describeSeconds(retryAfterSeconds)}.</p>}
      <p className="error-facts">
        {documentationUrl === undefined ? (
          <code>{code}</code>
        ) : (
          <a href={documentationUrl} target="_blank" rel="noreferrer">
            {code}: what it means
          </a>
        )}
        {requestId && (
          <span>
            Request <code>{requestId}</code> <CopyButton text={requestId} label="request id" />
          </span>
        )}
      </p>
    </Notice>
  );
}

/** "40 seconds", "25 minutes". */
function describeSeconds(seconds: number): string {
  const [amount, unit] = seconds < 120 ? [seconds, "second"] : [Math.ceil(seconds / 60), "minute"];
  return new Intl.NumberFormat(undefined, { style: "unit", unit: String(unit), unitDisplay: "long" }).format(
    Number(amount),
  );
}
