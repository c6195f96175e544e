import type { ReactNode } from "react";
import { CodeBlock } from "./code-block.tsx";
import { Notice } from "./notice.tsx";

export interface SecretOnceProps {
  readonly secret: string;
  /** What it is: "API key". */
  readonly label: string;
  /** The variable of a ready `.env` line: `BYONDAPI_KEY`. */
  readonly variable?: string;
  /** Called when the secret was copied, alone or in its line. */
  readonly onCopied?: () => void;
  readonly children?: ReactNode;
}

/** A secret that no other answer has. */
export function SecretOnce({ secret, label, variable, onCopied, children }: SecretOnceProps) {
  return (
    <div className="stack" onCopy={onCopied}>
      <Notice tone="warn" title={`Copy this ${label} now`}>
        It is shown once. Nobody can read it later, the server included.
      </Notice>
      <CodeBlock code={secret} label={label} onCopied={onCopied} />
      {variable && (
        <div className="field">
          <p className="label">.env line</p>
          <CodeBlock code={`${variable}=${secret}`} label=".env line" onCopied={onCopied} />
        </div>
      )}
      {children}
    </div>
  );
}
