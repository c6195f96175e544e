import type { ReactNode } from "react";
import { CodeBlock } from "./code-block.tsx";
import { Notice } from "./notice.tsx";

export interface SecretOnceProps {
  readonly secret: string;
  /** What it is: "API key". */
  readonly label: string;
  /** The variable of a ready `.env` line: `BYONDAPI_KEY`. */
  readonly variable?: string;
  readonly children?: ReactNode;
}

/** A secret that no other answer has. */
export function SecretOnce({ secret, label, variable, children }: SecretOnceProps) {
  return (
    <div className="stack">
      <Notice tone="warn" title={`Copy this ${label} now`}>
        It is shown once. Nobody can read it later, the server included.
      </Notice>
      <CodeBlock code={secret} label={label} />
      {variable && <CodeBlock code={`${variable}=${secret}`} label=".env line" />}
      {children}
    </div>
  );
}
