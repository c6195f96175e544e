import type { Timestamp } from "@bufbuild/protobuf/wkt";
import { createConnectQueryKey, useMutation } from "@connectrpc/connect-query";
import { type ReactNode, useState } from "react";
import {
  AuthService,
  CheckEmailVerificationResponse_Status as CheckStatus,
  StartEmailVerificationResponse_Status as StartStatus,
} from "#gen/byond/v1/auth_pb.ts";
import { inBothModes } from "../../api/in-both-modes.ts";
import { queryClient } from "../../api/query-client.ts";
import { useSubmit } from "../../api/use-submit.ts";
import { Button } from "../../components/button.tsx";
import { ErrorNotice } from "../../components/error-notice.tsx";
import { HouseForm, TextField } from "../../components/fields.tsx";
import { DialogActions } from "../../components/modal-dialog.tsx";
import { Notice } from "../../components/notice.tsx";
import { notify } from "../../components/notify.tsx";
import { Panel } from "../../components/panel.tsx";
import { Time } from "../../components/time.tsx";
import styles from "./settings-page.module.css";

/**
 * Verifies the account's address with a code.
 *
 *   ask ──send──▶ enter ──right code──▶ verified (the panel is gone)
 *    ▲              │
 *    └──expired or locked: another code
 */
export function EmailVerificationPanel({ email }: { readonly email: string }) {
  const [step, setStep] = useState<"ask" | "enter">("ask");
  const [expiresAt, setExpiresAt] = useState<Timestamp>();
  const [isUnavailable, setUnavailable] = useState(false);
  const start = useMutation(AuthService.method.startEmailVerification, inBothModes);
  const send = useSubmit(async () => {
    const answer = await start.mutateAsync({});
    setUnavailable(answer.status === StartStatus.CHANNEL_UNAVAILABLE);
    if (answer.status === StartStatus.PENDING) {
      setExpiresAt(answer.expiresAt);
      setStep("enter");
      notify("The code is on its way.");
    }
  });
  const sendButton = (label: string, tone: "primary" | "secondary") => (
    <Button tone={tone} isPending={send.isPending} onPress={() => void send.submit()}>
      {label}
    </Button>
  );
  return (
    <Panel
      title="Verify your e-mail address"
      description="Where a server sends real messages, live keys work only after that, and an account that is not verified ends after 72 hours."
    >
      <div className={`stack ${styles.form}`}>
        {isUnavailable && (
          <Notice tone="warn" title="This server cannot send mail">
            Its administrator can create accounts that are verified.
          </Notice>
        )}
        <ErrorNotice error={send.error} />
        {step === "ask" ? (
          <>
            <p>
              We send an eight-digit code to <bdi>{email}</bdi>.
            </p>
            <DialogActions>
              <Button tone="quiet" onPress={() => setStep("enter")}>
                I have a code
              </Button>
              {sendButton("Send code", "primary")}
            </DialogActions>
          </>
        ) : (
          <CodeForm expiresAt={expiresAt} sendAgain={sendButton("Send another code", "secondary")} />
        )}
      </div>
    </Panel>
  );
}

const problems: Partial<Readonly<Record<CheckStatus, string>>> = {
  [CheckStatus.INCORRECT]: "That code is not right. Try again.",
  [CheckStatus.EXPIRED]: "That code has expired, was used, or was never sent. Ask for another one.",
  [CheckStatus.LOCKED]: "Too many wrong codes. Ask for another one.",
};

interface CodeFormProps {
  readonly expiresAt: Timestamp | undefined;
  readonly sendAgain: ReactNode;
}

function CodeForm({ expiresAt, sendAgain }: CodeFormProps) {
  const [code, setCode] = useState("");
  const [status, setStatus] = useState<CheckStatus>();
  const check = useMutation(AuthService.method.checkEmailVerification, inBothModes);
  const { submit, isPending, error } = useSubmit(async () => {
    setStatus(undefined);
    const answer = await check.mutateAsync({ code });
    setStatus(answer.status);
    if (answer.verified) {
      notify("Your address is verified. Live keys work on every server.");
      await queryClient.invalidateQueries({
        queryKey: createConnectQueryKey({ schema: AuthService.method.getMe, cardinality: undefined }),
      });
      document.getElementById("content")?.focus();
    }
  });
  const problem = status === undefined ? undefined : problems[status];
  return (
    <HouseForm
      label="Enter the code"
      error={error}
      onSubmit={() => void submit()}
      actions={
        <>
          {sendAgain}
          <Button type="submit" tone="primary" isPending={isPending}>
            Verify
          </Button>
        </>
      }
    >
      {problem && <Notice tone="bad" title={problem} />}
      <TextField
        label="Code"
        name="code"
        inputMode="numeric"
        autoComplete="one-time-code"
        isCode
        description={
          expiresAt && (
            <>
              It expires <Time at={expiresAt} relative />.
            </>
          )
        }
        value={code}
        onChange={setCode}
        autoFocus
      />
    </HouseForm>
  );
}
