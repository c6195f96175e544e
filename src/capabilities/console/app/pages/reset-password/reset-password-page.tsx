import { useState } from "react";
import {
  ConfirmPasswordResetResponse_Status as ConfirmStatus,
  StartPasswordResetResponse_Status as StartStatus,
} from "#gen/byond/v1/auth_pb.ts";
import { openAuth } from "../../api/session.ts";
import { useSubmit } from "../../api/use-submit.ts";
import { Button } from "../../components/button.tsx";
import { HouseForm, TextField } from "../../components/fields.tsx";
import { Notice } from "../../components/notice.tsx";
import { notify } from "../../components/notify.tsx";
import { PageLink, useGoTo } from "../../components/page-link.tsx";
import { Entrance } from "../../shell/entrance.tsx";

/** Asks for a code by mail, and sets a new password with it. */
export default function ResetPasswordPage() {
  const [email, setEmail] = useState("");
  const [resetId, setResetId] = useState<string>();
  return (
    <Entrance
      title="Reset your password"
      description={
        resetId === undefined
          ? "We send an eight-digit code to your address."
          : `If ${email} has an account, a code is on its way there.`
      }
      footer={
        <p>
          <PageLink to="/sign-in">Back to sign-in</PageLink>
        </p>
      }
    >
      {resetId === undefined ? (
        <AskForCode email={email} onChangeEmail={setEmail} onStarted={setResetId} />
      ) : (
        <SetPassword resetId={resetId} onStartAgain={() => setResetId(undefined)} />
      )}
    </Entrance>
  );
}

interface AskForCodeProps {
  readonly email: string;
  readonly onChangeEmail: (email: string) => void;
  readonly onStarted: (resetId: string) => void;
}

function AskForCode({ email, onChangeEmail, onStarted }: AskForCodeProps) {
  const [isUnavailable, setUnavailable] = useState(false);
  const { submit, isPending, error } = useSubmit(async () => {
    const { resetId, status } = await openAuth.startPasswordReset({ email });
    setUnavailable(status === StartStatus.CHANNEL_UNAVAILABLE);
    if (status === StartStatus.PENDING) {
      onStarted(resetId);
    }
  });
  return (
    <HouseForm
      label="Ask for a code"
      error={error}
      onSubmit={() => void submit()}
      actions={
        <Button type="submit" tone="primary" isPending={isPending}>
          Send code
        </Button>
      }
    >
      {isUnavailable && (
        <Notice tone="warn" title="This server cannot send mail">
          Its administrator can set a new password with <code>npm start -- reset-password</code>.
        </Notice>
      )}
      <TextField
        label="E-mail"
        name="email"
        type="email"
        autoComplete="username"
        value={email}
        onChange={onChangeEmail}
        autoFocus
      />
    </HouseForm>
  );
}

const problems: Partial<Readonly<Record<ConfirmStatus, string>>> = {
  [ConfirmStatus.INCORRECT]: "That code is not right. Try again.",
  [ConfirmStatus.EXPIRED]: "That code has expired or was used. Ask for a new one.",
  [ConfirmStatus.LOCKED]: "Too many wrong codes. Ask for a new one.",
};

function SetPassword({ resetId, onStartAgain }: { readonly resetId: string; readonly onStartAgain: () => void }) {
  const goTo = useGoTo();
  const [code, setCode] = useState("");
  const [newPassword, setNewPassword] = useState("");
  const [status, setStatus] = useState<ConfirmStatus>();
  const { submit, isPending, error } = useSubmit(async () => {
    setStatus(undefined);
    const answer = await openAuth.confirmPasswordReset({ resetId, code, newPassword });
    if (answer.status === ConfirmStatus.APPROVED) {
      notify("Your password is set. Sign in with it.");
      goTo("/sign-in");
      return;
    }
    setStatus(answer.status);
  });
  const problem = status === undefined ? undefined : problems[status];
  return (
    <HouseForm
      label="Set a new password"
      error={error}
      onSubmit={() => void submit()}
      actions={
        <>
          <Button onPress={onStartAgain}>Ask for a new code</Button>
          <Button type="submit" tone="primary" isPending={isPending}>
            Set password
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
        value={code}
        onChange={setCode}
        autoFocus
      />
      <TextField
        label="New password"
        name="new_password"
        type="password"
        autoComplete="new-password"
        description="At least 10 characters."
        value={newPassword}
        onChange={setNewPassword}
      />
    </HouseForm>
  );
}
