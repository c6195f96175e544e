import { MethodOptions_IdempotencyLevel } from "@bufbuild/protobuf/wkt";
import { Credential } from "#gen/byond/v1/access_pb.ts";
import type { ModeName } from "../../api/mode.ts";
import { Button } from "../../components/button.tsx";
import { SelectField, TextField } from "../../components/fields.tsx";
import type { Operation } from "./operations.ts";
import styles from "./playground-page.module.css";
import type { Trial } from "./trials.ts";

export interface CallOptionsProps {
  readonly operation: Operation;
  readonly trial: Trial;
  readonly mode: ModeName;
  readonly onChange: (change: Partial<Trial>) => void;
}

/** Who calls, where there is a choice, and the idempotency key of calls with side effects. */
export function CallOptions({ operation, trial, mode, onChange }: CallOptionsProps) {
  const { access, method } = operation;
  const session = access.byMode ? `Your session (${mode} mode)` : "Your session";
  return (
    <>
      {access.credential === Credential.API_KEY_OR_SESSION && (
        <SelectField
          label="Call with"
          value={trial.caller}
          onChange={(caller) => onChange({ caller })}
          options={[
            ["key", "An API key"],
            ["session", session],
          ]}
        />
      )}
      {method.idempotency !== MethodOptions_IdempotencyLevel.NO_SIDE_EFFECTS && (
        <div className={styles.idempotency}>
          <TextField
            label="Idempotency-Key"
            isCode
            autoComplete="off"
            value={trial.idempotencyKey}
            onChange={(idempotencyKey) => onChange({ idempotencyKey })}
          />
          <Button onPress={() => onChange({ idempotencyKey: randomKey() })}>Generate</Button>
        </div>
      )}
    </>
  );
}

/** `crypto.randomUUID` exists on secure pages only. */
function randomKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
