import { useEffect, useState } from "react";
import type { CreateApiKeyResponse, RotateApiKeyResponse } from "#gen/byond/v1/api_key_pb.ts";
import { serverPath, serverUrl } from "../../api/server-address.ts";
import { Button } from "../../components/button.tsx";
import { CodeBlock } from "../../components/code-block.tsx";
import { DialogActions, ModalDialog } from "../../components/modal-dialog.tsx";
import { Notice } from "../../components/notice.tsx";
import { quoted } from "../../components/quoted.ts";
import { SecretOnce } from "../../components/secret-once.tsx";
import { Time } from "../../components/time.tsx";
import { firstCall } from "./first-call.ts";

export type NewSecret = CreateApiKeyResponse | RotateApiKeyResponse;

/** Shows a whole key. It does not close without a warning before a secret key was copied, which is shown once. */
export function NewSecretDialog({ secret, onClose }: { readonly secret: NewSecret; readonly onClose: () => void }) {
  const isPublishable = secret.origins !== undefined;
  const [isCopied, setCopied] = useState(isPublishable);
  const [isWarned, setWarned] = useState(false);
  useEffect(() => {
    if (isCopied) {
      return;
    }
    const warn = (event: BeforeUnloadEvent) => event.preventDefault();
    addEventListener("beforeunload", warn);
    return () => removeEventListener("beforeunload", warn);
  }, [isCopied]);
  const { name, key, requireSignature } = secret;
  const previousEnd = "previousKeyExpiresAt" in secret ? secret.previousKeyExpiresAt : undefined;
  return (
    <ModalDialog
      isOpen
      look="wide"
      isDismissable={isCopied}
      onClose={onClose}
      title={"previousKeyExpiresAt" in secret ? `New secret of ${quoted(name)}` : `${quoted(name)} is created`}
    >
      <div className="stack">
        {previousEnd && (
          <Notice title="The old secret still works">
            Until <Time at={previousEnd} />. Roll out the new one before.
          </Notice>
        )}
        {isPublishable ? (
          <>
            <p>It is no secret: put it into the code of your pages. The key’s page shows it, too.</p>
            <CodeBlock code={key} label="key" />
            <p className="muted">
              What a page says proves nothing:{" "}
              <a href={`${serverPath}/docs/guides/publishable-keys`} target="_blank" rel="noreferrer">
                how your server makes sure
              </a>
              .
            </p>
          </>
        ) : (
          <SecretOnce secret={key} label="key" variable="BYONDAPI_KEY" onCopied={() => setCopied(true)}>
            {requireSignature ? (
              <p className="muted">
                Requests with this key must be signed:{" "}
                <a href={`${serverPath}/docs/guides/authentication`} target="_blank" rel="noreferrer">
                  how to sign
                </a>
                .
              </p>
            ) : (
              <div className="field">
                <p className="label">A first call</p>
                <CodeBlock code={firstCall(secret, serverUrl)} label="first call with curl" />
              </div>
            )}
          </SecretOnce>
        )}
        {isWarned && !isCopied ? (
          <>
            <Notice tone="bad" title="You have not copied the key">
              It cannot be shown again. Without it, rotate the key to get another one.
            </Notice>
            <DialogActions>
              <Button tone="danger" onPress={onClose}>
                Close anyway
              </Button>
              <Button autoFocus onPress={() => setWarned(false)}>
                Back to the key
              </Button>
            </DialogActions>
          </>
        ) : (
          <DialogActions>
            <Button tone="primary" onPress={() => (isCopied ? onClose() : setWarned(true))}>
              Done
            </Button>
          </DialogActions>
        )}
      </div>
    </ModalDialog>
  );
}
