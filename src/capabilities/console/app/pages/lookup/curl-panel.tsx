import { CodeBlock } from "../../components/code-block.tsx";
import { Panel } from "../../components/panel.tsx";

/** The call that was made, as a command. */
export function CurlPanel({ command }: { readonly command: string }) {
  return (
    <Panel title="The same call" description="With the key in BYONDAPI_KEY.">
      <CodeBlock code={command} label="curl command" />
    </Panel>
  );
}
