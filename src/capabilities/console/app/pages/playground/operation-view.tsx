import { useEffect, useRef, useState } from "react";
import { Credential } from "#gen/byond/v1/access_pb.ts";
import { useMode } from "../../api/mode.ts";
import { usePlaygroundKey } from "../../api/playground-key.ts";
import { useSubmit } from "../../api/use-submit.ts";
import { Button } from "../../components/button.tsx";
import { ConfirmDialog } from "../../components/confirm-dialog.tsx";
import { Notice } from "../../components/notice.tsx";
import { Panel } from "../../components/panel.tsx";
import { PlaygroundKeyPanel } from "../../components/playground-key-panel.tsx";
import { AnswerPanel } from "./answer-panel.tsx";
import { buildCall, type CredentialKind } from "./api-call.ts";
import { CallOptions } from "./call-options.tsx";
import { DocText } from "./doc-text.tsx";
import { NextCall } from "./next-call.tsx";
import type { ApiDocs } from "./operation-docs.ts";
import { whatToConfirm, whyNotSent } from "./operation-policy.ts";
import type { Operation } from "./operations.ts";
import styles from "./playground-page.module.css";
import { RequestForm } from "./request-form.tsx";
import { missingFields, sendCall } from "./send-call.ts";
import { type SnippetLanguage, SnippetTabs } from "./snippet-tabs.tsx";
import { changeTrial, type Trial, useTrial } from "./trials.ts";

export interface OperationViewProps {
  readonly operation: Operation;
  readonly docs: ApiDocs;
  readonly userId: string;
  readonly language: SnippetLanguage;
  readonly onLanguage: (language: SnippetLanguage) => void;
  /** Whether what had the focus led here, and is gone. */
  readonly takesFocus: boolean;
  readonly onFocusTaken: () => void;
  /** Called before a button leads to another operation. */
  readonly onNext: (methodName: string) => void;
}

/** An operation: its form, the lines that make the same call, and the answer. */
export function OperationView(props: OperationViewProps) {
  const { operation, docs, userId, language, onLanguage, takesFocus, onFocusTaken, onNext } = props;
  const { name } = operation.method;
  const heading = useRef<HTMLHeadingElement>(null);
  const answer = useRef<HTMLDivElement>(null);
  const running = useRef<AbortController>(undefined);
  const [isConfirming, setConfirming] = useState(false);
  const trial = useTrial(userId, name);
  const mode = useMode();
  const key = usePlaygroundKey();
  const credential = credentialOf(operation, trial);
  const call = buildCall(operation, { draft: trial.draft, credential, mode, idempotencyKey: trial.idempotencyKey });
  const change = (next: Partial<Trial>) => changeTrial(userId, name, next);

  useEffect(() => {
    if (takesFocus) {
      heading.current?.focus();
      onFocusTaken();
    }
  }, [takesFocus, onFocusTaken]);
  useEffect(
    () => () => {
      if (operation.isStream) {
        running.current?.abort();
      }
    },
    [operation],
  );

  const { submit: send, isPending } = useSubmit(async () => {
    const abort = new AbortController();
    running.current = abort;
    change({ answer: undefined, error: undefined });
    try {
      await sendCall(call, abort.signal, (received) => change({ answer: received }));
      // On phones it is below the form.
      answer.current?.scrollIntoView({ block: "nearest" });
    } catch (error) {
      if (!abort.signal.aborted) {
        change({ error });
      }
    }
  });
  const submit = () => {
    if (call.missing.length > 0) {
      change({ error: missingFields(call.missing) });
    } else if (whatToConfirm(name) === undefined) {
      void send();
    } else {
      setConfirming(true);
    }
  };

  const reason = whyNotSent(name);
  const description = docs.description(operation);
  return (
    <div className={styles.operation}>
      <div className={styles.head}>
        <h2 className="section-title" tabIndex={-1} ref={heading}>
          {docs.title(operation)}
        </h2>
        <p className="break-anywhere">
          <code>
            {operation.route.httpMethod} {operation.route.template}
          </code>
        </p>
        <p className="muted">
          {description && <DocText text={`${description} `} />}
          <a href={docs.link(operation)} target="_blank" rel="noreferrer">
            Read the reference
          </a>
        </p>
      </div>
      <div>
        <Panel>
          <RequestForm
            operation={operation}
            docs={docs}
            draft={trial.draft}
            onChange={(draft) => change({ draft })}
            error={trial.error}
            onSubmit={() => reason === undefined && submit()}
            options={<CallOptions operation={operation} trial={trial} mode={mode} onChange={change} />}
            actions={
              <>
                {Object.keys(trial.draft).length > 0 && (
                  <Button onPress={() => change({ draft: {}, error: undefined })}>Clear form</Button>
                )}
                {reason === undefined && (
                  <Button type="submit" tone="primary" icon="play" isPending={isPending}>
                    Send
                  </Button>
                )}
              </>
            }
          />
          {reason !== undefined && (
            <Notice tone="info" title="Not sent from here">
              {reason}
            </Notice>
          )}
        </Panel>
        {reason === undefined && credential === "key" && (
          <div className={styles.key}>
            <PlaygroundKeyPanel />
          </div>
        )}
      </div>
      <div ref={answer}>
        {reason === undefined && (
          <AnswerPanel answer={trial.answer} onStop={() => running.current?.abort()}>
            {trial.answer && (
              <NextCall
                userId={userId}
                call={call}
                trial={{ ...trial, answer: trial.answer }}
                isSandbox={key?.mode !== "live"}
                onNext={onNext}
              />
            )}
          </AnswerPanel>
        )}
        <SnippetTabs call={call} selected={language} onSelect={onLanguage} />
      </div>
      <ConfirmDialog
        isOpen={isConfirming}
        onClose={() => setConfirming(false)}
        title={`${docs.title(operation)}?`}
        confirmLabel="Send"
        onConfirm={send}
      >
        {whatToConfirm(name)} This cannot be undone.
      </ConfirmDialog>
    </div>
  );
}

function credentialOf({ access }: Operation, trial: Trial): CredentialKind {
  switch (access.credential) {
    case Credential.NONE:
      return "none";
    case Credential.API_KEY:
      return "key";
    case Credential.SESSION:
      return "session";
    default:
      return trial.caller;
  }
}
