import { createConnectQueryKey, useMutation, useQuery } from "@connectrpc/connect-query";
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { type Verification, VerificationStatus, VerifyService } from "#gen/byond/v1/verify_pb.ts";
import { channelText } from "../../api/channels.ts";
import { Button } from "../../components/button.tsx";
import { Id } from "../../components/code-block.tsx";
import { ConfirmDialog } from "../../components/confirm-dialog.tsx";
import { ErrorNotice } from "../../components/error-notice.tsx";
import { Facts } from "../../components/facts.tsx";
import { notify } from "../../components/notify.tsx";
import { PageHeader } from "../../components/page-header.tsx";
import { Panel } from "../../components/panel.tsx";
import { Skeleton } from "../../components/skeleton.tsx";
import { Time } from "../../components/time.tsx";
import { FallbackSteps } from "./fallback-steps.tsx";
import { Messages } from "./messages.tsx";
import { ResendDialog } from "./resend-dialog.tsx";
import { Timeline } from "./timeline.tsx";
import { useLiveVerifications } from "./use-live-verifications.ts";
import { FixedCodeBadge, VerificationStatusBadge } from "./verification-words.tsx";

const pendingRefreshMs = 3_000;

const back = { to: "/verifications", label: "Verifications" };

/** One verification: how it stands, each message, and what happened to it. */
export function VerificationDetail({ id }: { readonly id: string }) {
  // Attempts, and messages that leave, are no events.
  const { data, error, refetch } = useQuery(
    VerifyService.method.getVerification,
    { verificationId: id },
    {
      refetchInterval: ({ state }) =>
        state.data?.verification?.status === VerificationStatus.PENDING ? pendingRefreshMs : false,
    },
  );
  const verification = data?.verification;
  if (verification === undefined) {
    return (
      <>
        <PageHeader title="Verification" back={back} />
        {error ? (
          <ErrorNotice error={error} onRetry={() => void refetch()} />
        ) : (
          <Skeleton lines={8} label="Loading verification" />
        )}
      </>
    );
  }
  return <LoadedVerification verification={verification} />;
}

function LoadedVerification({ verification }: { readonly verification: Verification }) {
  const {
    verificationId: id,
    channel,
    status,
    recipient,
    attemptsLeft,
    createdAt,
    expiresAt,
    approvedAt,
    metadata,
    payee,
    amount,
  } = verification;
  useLiveVerifications(id);
  const [open, setOpen] = useState<"resend" | "cancel">();
  const queries = useQueryClient();
  const cancel = useMutation(VerifyService.method.cancelVerification);
  const refresh = () =>
    queries.invalidateQueries({ queryKey: createConnectQueryKey({ schema: VerifyService, cardinality: undefined }) });
  const isPending = status === VerificationStatus.PENDING;
  return (
    <>
      <PageHeader
        title={recipient ?? "Erased recipient"}
        back={back}
        aside={
          <>
            <VerificationStatusBadge status={status} />
            <FixedCodeBadge verification={verification} />
          </>
        }
        actions={
          isPending && (
            <>
              <Button icon="refresh" onPress={() => setOpen("resend")}>
                Resend code
              </Button>
              <Button onPress={() => setOpen("cancel")}>Cancel verification</Button>
            </>
          )
        }
      />
      <div className="stack">
        <Panel>
          <Facts
            facts={{
              Id: <Id id={id} label="verification id" />,
              Channel: channelText(channel),
              Started: <Time at={createdAt} />,
              [isPending ? "Expires" : "Valid until"]: <Time at={expiresAt} />,
              ...(isPending && { "Wrong codes left": attemptsLeft }),
              ...(approvedAt && { Approved: <Time at={approvedAt} /> }),
              ...(amount && { Payee: payee, Amount: `${amount.value} ${amount.currency}` }),
            }}
          />
        </Panel>
        {Object.keys(metadata).length > 0 && (
          <Panel title="Metadata">
            <Facts facts={metadata} />
          </Panel>
        )}
        <Messages verification={verification} />
        <FallbackSteps verification={verification} />
        <Timeline verificationId={id} />
      </div>
      {open === "resend" && <ResendDialog verification={verification} onClose={() => setOpen(undefined)} />}
      <ConfirmDialog
        isOpen={open === "cancel"}
        onClose={() => setOpen(undefined)}
        title="Cancel this verification?"
        confirmLabel="Cancel verification"
        onConfirm={async () => {
          await cancel.mutateAsync({ verificationId: id });
          await refresh();
          notify("Verification canceled");
        }}
      >
        Its code no longer works, and messages that wait are not sent. This cannot be undone.
      </ConfirmDialog>
    </>
  );
}
