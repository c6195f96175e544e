import { useMutation } from "@connectrpc/connect-query";
import { useState } from "react";
import { FixedCodeService } from "#gen/byond/v1/fixed_code_pb.ts";
import { refreshFixedCodes } from "../../api/fixed-codes.ts";
import { inBothModes } from "../../api/in-both-modes.ts";
import { useMe } from "../../api/session.ts";
import { useSubmit } from "../../api/use-submit.ts";
import { Button } from "../../components/button.tsx";
import { HouseForm, SelectField, TextField } from "../../components/fields.tsx";
import { ModalDialog } from "../../components/modal-dialog.tsx";
import { notify } from "../../components/notify.tsx";

const lifetimes = [1, 7, 14, 30].map((days) => [String(days), days === 1 ? "1 day" : `${days} days`] as const);

/** Gives a recipient a fixed code. The list shows the code, then and later. */
export function CreateFixedCodeDialog({ onClose }: { readonly onClose: () => void }) {
  const me = useMe();
  const [recipient, setRecipient] = useState("");
  const [days, setDays] = useState("14");
  const [description, setDescription] = useState("");
  const [password, setPassword] = useState("");
  const create = useMutation(FixedCodeService.method.createFixedCode, inBothModes);
  const { submit, isPending, error } = useSubmit(async () => {
    await create.mutateAsync({
      recipient: recipient.trim(),
      password,
      days: Number(days),
      ...(description !== "" && { description }),
    });
    await refreshFixedCodes();
    notify("Fixed code created.");
    onClose();
  });
  return (
    <ModalDialog isOpen onClose={onClose} title="Create fixed code">
      <HouseForm
        label="Create fixed code"
        error={error}
        onSubmit={() => void submit()}
        actions={
          <>
            <Button onPress={onClose}>Cancel</Button>
            <Button type="submit" tone="primary" isPending={isPending}>
              Create fixed code
            </Button>
          </>
        }
      >
        {/* For password managers, which otherwise do not know whose it is. */}
        <input type="email" autoComplete="username" value={me?.email ?? ""} readOnly hidden />
        <TextField
          label="Recipient"
          name="recipient"
          autoComplete="off"
          placeholder="reviewer@example.com or +12125550123"
          description="Whoever knows the code passes as this recipient. Choose one that reaches nobody."
          value={recipient}
          onChange={setRecipient}
        />
        <SelectField label="Ends after" name="days" value={days} onChange={setDays} options={lifetimes} />
        <TextField
          label="Note"
          name="description"
          description="Optional."
          autoComplete="off"
          maxLength={200}
          value={description}
          onChange={setDescription}
        />
        <TextField
          label="Password"
          name="password"
          type="password"
          autoComplete="current-password"
          description="Yours. A session alone is not enough for this."
          value={password}
          onChange={setPassword}
        />
      </HouseForm>
    </ModalDialog>
  );
}
