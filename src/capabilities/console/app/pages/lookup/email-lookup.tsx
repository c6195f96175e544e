import { createClient } from "@connectrpc/connect";
import { useState } from "react";
import { EmailProblem, EmailService, type LookupEmailResponse, MailDomainStatus } from "#gen/byond/v1/email_pb.ts";
import { keyTransport } from "../../api/key-transport.ts";
import { serverUrl } from "../../api/server-address.ts";
import { useSubmit } from "../../api/use-submit.ts";
import { Button } from "../../components/button.tsx";
import { EmptyState } from "../../components/empty-state.tsx";
import { Facts } from "../../components/facts.tsx";
import { HouseForm, TextField } from "../../components/fields.tsx";
import { Notice } from "../../components/notice.tsx";
import { Panel } from "../../components/panel.tsx";
import { StatusBadge } from "../../components/status-badge.tsx";
import { CurlPanel } from "./curl-panel.tsx";
import styles from "./lookup-page.module.css";

const emails = createClient(EmailService, keyTransport);

const problems: Readonly<Partial<Record<EmailProblem, string>>> = {
  [EmailProblem.NO_AT_SIGN]: "No @",
  [EmailProblem.TOO_LONG]: "Too long",
  [EmailProblem.INVALID_LOCAL_PART]: "Not valid before the @",
  [EmailProblem.INVALID_DOMAIN]: "Not valid after the @",
};

const domainStatuses: Readonly<Partial<Record<MailDomainStatus, string>>> = {
  [MailDomainStatus.ACCEPTS_MAIL]: "Takes mail",
  [MailDomainStatus.NO_MAIL]: "Takes no mail",
  [MailDomainStatus.NOT_FOUND]: "Does not exist",
};

/** What can be known of an e-mail address without mail to it. */
export function EmailLookup() {
  const [email, setEmail] = useState("");
  const [found, setFound] = useState<{ readonly answer: LookupEmailResponse; readonly command: string }>();
  const { submit, isPending, error } = useSubmit(async () => {
    setFound(undefined);
    setFound({ answer: await emails.lookupEmail({ email }), command: curlCommand(email) });
  });
  return (
    <>
      <Panel>
        <HouseForm
          label="Look up an e-mail address"
          error={error}
          onSubmit={() => void submit()}
          actions={
            <Button type="submit" tone="primary" isPending={isPending}>
              Look up
            </Button>
          }
        >
          <TextField
            label="E-mail address"
            name="email"
            autoComplete="off"
            inputMode="email"
            placeholder="ada@example.com"
            value={email}
            onChange={setEmail}
          />
        </HouseForm>
      </Panel>
      <div aria-live="polite" className={styles.answer}>
        {found === undefined ? (
          <EmptyState icon="search" title="No address looked up yet">
            Its form is checked, and whether its domain takes mail. Whether the mailbox exists, only a verification can
            tell.
          </EmptyState>
        ) : (
          <>
            <Answer answer={found.answer} />
            <CurlPanel command={found.command} />
          </>
        )}
      </div>
    </>
  );
}

function Answer({ answer }: { readonly answer: LookupEmailResponse }) {
  const { input, valid, reason, email, domain, mailServer, suggestion } = answer;
  return (
    <Panel
      title={email ?? input}
      actions={
        valid ? (
          <StatusBadge tone="good">Valid</StatusBadge>
        ) : (
          <StatusBadge tone="bad">{problems[reason ?? EmailProblem.UNSPECIFIED] ?? "Not valid"}</StatusBadge>
        )
      }
    >
      <div className="stack">
        {suggestion && (
          <Notice tone="warn">
            Probably <strong>{suggestion}</strong> was meant.
          </Notice>
        )}
        <Facts
          facts={{
            Domain: domain ?? "Unknown",
            "Mail to the domain": domainStatuses[answer.domainStatus] ?? "Not known",
            "Mail server": mailServer ?? "Unknown",
            "Belongs to a task, not a person": yesOrNo(answer.role),
            "Provider of free addresses": yesOrNo(answer.freeProvider),
            "Domain of throw-away addresses": yesOrNo(answer.disposable),
            ...(answer.needsSmtputf8 && { "Needs a mail server with": "Internationalised addresses (SMTPUTF8)" }),
          }}
        />
      </div>
    </Panel>
  );
}

const yesOrNo = (is: boolean) => (is ? "Yes" : "No");

function curlCommand(email: string): string {
  const body = JSON.stringify({ email }).replaceAll("'", "'\\''");
  return `curl ${serverUrl}/api/v1/email/verify -H "X-API-Key: $BYONDAPI_KEY" -H "Content-Type: application/json" -d '${body}'`;
}
