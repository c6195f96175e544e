import { createConnectQueryKey, useMutation } from "@connectrpc/connect-query";
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { type Verification, VerifyService } from "#gen/byond/v1/verify_pb.ts";
import { channels } from "../../api/channels.ts";
import { useSubmit } from "../../api/use-submit.ts";
import { Button } from "../../components/button.tsx";
import { HouseForm, SelectField, TextField } from "../../components/fields.tsx";
import { ModalDialog } from "../../components/modal-dialog.tsx";
import { notify } from "../../components/notify.tsx";

type ChannelName = (typeof channels)[number][0];

const formOf = (channel: ChannelName | undefined) => (channel === "email" ? "mail address" : "phone number");

/** Sends the code of a pending verification again, over the same channel or another one. */
export function ResendDialog({
  verification,
  onClose,
}: {
  readonly verification: Verification;
  readonly onClose: () => void;
}) {
  const used = channels.find(([, , value]) => value === verification.channel)?.[0];
  const [channel, setChannel] = useState<ChannelName>(used ?? "email");
  const [recipient, setRecipient] = useState("");
  // WhatsApp's messages cannot show a payment.
  const options = channels
    .filter(([name]) => name !== "whatsapp" || verification.amount === undefined)
    .map(([name, text]) => [name, text] as const);
  const queries = useQueryClient();
  const resend = useMutation(VerifyService.method.resendCode);
  const { submit, isPending, error } = useSubmit(async () => {
    const value = channels.find(([name]) => name === channel)?.[2];
    await resend.mutateAsync({
      verificationId: verification.verificationId,
      ...(value !== undefined && { channel: value }),
      ...(recipient.trim() !== "" && { recipient: recipient.trim() }),
    });
    await queries.invalidateQueries({
      queryKey: createConnectQueryKey({ schema: VerifyService, cardinality: undefined }),
    });
    notify("Code sent again");
    onClose();
  });
  return (
    <ModalDialog isOpen onClose={onClose} title="Resend code">
      <HouseForm
        label="Resend code"
        error={error}
        onSubmit={() => void submit()}
        actions={
          <>
            <Button onPress={onClose}>Cancel</Button>
            <Button type="submit" tone="primary" isPending={isPending}>
              Resend code
            </Button>
          </>
        }
      >
        <p className="muted">The same code, with the same expiry and the same attempts.</p>
        <SelectField label="Channel" name="channel" value={channel} onChange={setChannel} options={options} />
        {formOf(channel) !== formOf(used) && (
          <TextField
            label={channel === "email" ? "Mail address" : "Phone number"}
            name="recipient"
            description={`Needed if the verification has no ${formOf(channel)} yet.`}
            value={recipient}
            onChange={setRecipient}
          />
        )}
      </HouseForm>
    </ModalDialog>
  );
}
