import { useEffect, useState } from "react";
import { Button, type ButtonTone } from "./button.tsx";
import { copyText } from "./copy-text.ts";
import { notify } from "./notify.tsx";

const shownMs = 2_000;

export interface CopyButtonProps {
  readonly text: string;
  /** What is copied, for its accessible name: "verification id". */
  readonly label: string;
  /** Default: an icon alone. */
  readonly children?: string;
  readonly tone?: ButtonTone;
  readonly onCopied?: () => void;
}

/** Copies a text, and says so for two seconds. */
export function CopyButton({ text, label, children, tone = "quiet", onCopied }: CopyButtonProps) {
  const [isCopied, setCopied] = useState(false);
  useEffect(() => {
    if (!isCopied) {
      return;
    }
    const timer = setTimeout(() => setCopied(false), shownMs);
    return () => clearTimeout(timer);
  }, [isCopied]);
  return (
    <Button
      tone={tone}
      size="small"
      icon={isCopied ? "check" : "copy"}
      {...(children === undefined && { "aria-label": isCopied ? `Copied ${label}` : `Copy ${label}` })}
      onPress={async () => {
        try {
          await copyText(text);
        } catch {
          notify("The browser does not let this page copy. Select the text instead.");
          return;
        }
        setCopied(true);
        onCopied?.();
      }}
    >
      {children === undefined ? undefined : isCopied ? "Copied" : children}
    </Button>
  );
}
