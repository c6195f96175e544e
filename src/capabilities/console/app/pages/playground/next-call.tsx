import { Button } from "../../components/button.tsx";
import { useGoTo } from "../../components/page-link.tsx";
import type { ApiCall } from "./api-call.ts";
import { textDraft } from "./draft.ts";
import styles from "./playground-page.module.css";
import type { Answer } from "./send-call.ts";
import { changeTrial, type Trial } from "./trials.ts";

export interface NextCallProps {
  readonly userId: string;
  readonly call: ApiCall;
  readonly trial: Trial & { readonly answer: Answer };
  /** Whether the call was made in the sandbox. */
  readonly isSandbox: boolean;
  /** Called before the page of the next operation is shown. */
  readonly onNext: (methodName: string) => void;
}

const defaultCodeLength = 6;

/** After a start: the verification's id is taken to the operations that need it. */
export function NextCall({ userId, call, trial, isSandbox, onNext }: NextCallProps) {
  const goTo = useGoTo();
  const verificationId = startedId(call, trial.answer);
  if (verificationId === undefined) {
    return null;
  }
  const code = "0".repeat(Number(textDraft(trial.draft.code_length)) || defaultCodeLength);
  const open = (methodName: string, draft: Trial["draft"]) => () => {
    changeTrial(userId, methodName, { draft, answer: undefined, error: undefined });
    onNext(methodName);
    goTo(`/playground/${methodName}`);
  };
  return (
    <div className={styles.next}>
      <p>
        {isSandbox ? (
          <>
            Nothing was sent: in the sandbox the code is <code>{code}</code>.
          </>
        ) : (
          "The code is on its way to the recipient."
        )}
      </p>
      <div className="row">
        <Button
          tone="primary"
          onPress={open("CheckVerification", {
            verification_id: verificationId,
            ...(isSandbox && { code }),
          })}
        >
          Check the code
        </Button>
        <Button onPress={open("GetVerification", { verification_id: verificationId })}>Get the verification</Button>
      </div>
    </div>
  );
}

function startedId({ operation }: ApiCall, { status, text }: Answer): string | undefined {
  if (operation.method.name !== "StartVerification" || status !== 201) {
    return undefined;
  }
  const { verification_id, status: outcome }: Readonly<Record<string, unknown>> = JSON.parse(text);
  return typeof verification_id === "string" && outcome === "pending" ? verification_id : undefined;
}
