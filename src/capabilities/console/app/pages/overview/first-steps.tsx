import { useMode } from "../../api/mode.ts";
import { serverUrl } from "../../api/server-address.ts";
import { CodeBlock } from "../../components/code-block.tsx";
import { PageLink } from "../../components/page-link.tsx";
import { Panel } from "../../components/panel.tsx";
import styles from "./overview.module.css";

const startCommand = `curl -X POST "${serverUrl}/api/v1/verify/start" -H "X-API-Key: $BYONDAPI_KEY" \\
  -H "Content-Type: application/json" -d '{"channel": "email", "recipient": "ada@example.com"}'`;

/** How the first verification comes about. */
export function FirstSteps() {
  const mode = useMode();
  return (
    <Panel title="Send your first code">
      <ol className={styles.steps}>
        <li>
          <PageLink to="/playground/StartVerification">Start a verification in the playground</PageLink>: no key and no
          code needed.
        </li>
        <li>
          {mode === "test"
            ? "Its code is all zeros, and its message is in "
            : "In test mode its code is all zeros, and its message is in "}
          <PageLink to="/inbox">the inbox</PageLink>, as the recipient would see it.
        </li>
        <li>
          <PageLink to="/keys">Create an API key</PageLink> for your server, put it into <code>BYONDAPI_KEY</code>, and
          make the same call:
          <CodeBlock code={startCommand} label="curl command" />
        </li>
      </ol>
    </Panel>
  );
}
