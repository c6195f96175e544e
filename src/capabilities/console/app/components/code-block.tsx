import { CopyButton } from "./copy-button.tsx";

/** Code, or an id, in one font with a button that copies it. */
export function CodeBlock({
  code,
  label,
  onCopied,
}: {
  readonly code: string;
  /** What it is: "curl command". */
  readonly label: string;
  readonly onCopied?: () => void;
}) {
  return (
    <div className="code-block">
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: code that is too wide is scrolled, by keyboard, too */}
      <section className="code-text" aria-label={label} tabIndex={0}>
        <pre>
          <code>{code}</code>
        </pre>
      </section>
      <CopyButton text={code} label={label} onCopied={onCopied} />
    </div>
  );
}

/** An id within text, with a button that copies it. */
export function Id({ id, label = "id" }: { readonly id: string; readonly label?: string }) {
  return (
    <span className="id">
      <code>{id}</code>
      <CopyButton text={id} label={label} />
    </span>
  );
}
