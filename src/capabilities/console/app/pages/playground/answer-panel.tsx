import type { ReactNode } from "react";
import { Button } from "../../components/button.tsx";
import { CodeBlock, Id } from "../../components/code-block.tsx";
import { Facts } from "../../components/facts.tsx";
import { Panel } from "../../components/panel.tsx";
import { type BadgeTone, StatusBadge } from "../../components/status-badge.tsx";
import styles from "./playground-page.module.css";
import type { Answer } from "./send-call.ts";

export interface AnswerPanelProps {
  readonly answer: Answer | undefined;
  /** Ends a stream that is still open. */
  readonly onStop: () => void;
  /** What can be done next. */
  readonly children?: ReactNode;
}

/** What the server answered: status, time, the headers worth reading, and the JSON. */
export function AnswerPanel({ answer, onStop, children }: AnswerPanelProps) {
  return (
    <Panel title="Answer" actions={answer && <AnswerStatus answer={answer} onStop={onStop} />}>
      {answer === undefined ? (
        <p className="muted">Nothing sent yet.</p>
      ) : (
        <div className={`stack ${styles.answer}`}>
          {children}
          <Facts facts={factsOf(answer)} />
          <CodeBlock code={answer.text || (answer.isOpen ? "Waiting for the first line…" : "Nothing")} label="answer" />
        </div>
      )}
    </Panel>
  );
}

function factsOf({ headers }: Answer): Readonly<Record<string, ReactNode>> {
  const requestId = headers["x-request-id"];
  const limit = headers["x-ratelimit-limit"];
  const retryAfter = headers["retry-after"];
  return {
    ...(requestId !== undefined && { "Request id": <Id id={requestId} label="request id" /> }),
    ...(limit !== undefined && { "Rate limit": `${headers["x-ratelimit-remaining"]} of ${limit} left` }),
    ...(retryAfter !== undefined && { "Try again in": `${retryAfter} s` }),
    ...(headers["idempotent-replayed"] === "true" && { "Idempotent-Replayed": "true: nothing was done again" }),
  };
}

function AnswerStatus({ answer, onStop }: { readonly answer: Answer; readonly onStop: () => void }) {
  const { status, ms, isOpen } = answer;
  return (
    <div className="row">
      {isOpen && (
        <Button size="small" onPress={onStop}>
          Stop
        </Button>
      )}
      <span role="status" className="row">
        <StatusBadge tone={toneOf(status)}>{status}</StatusBadge>
        <span className="muted">{isOpen ? "Receiving" : `${ms} ms`}</span>
      </span>
    </div>
  );
}

function toneOf(status: number): BadgeTone {
  if (status < 400) {
    return "good";
  }
  return status < 500 ? "warn" : "bad";
}
