import { createClient } from "@connectrpc/connect";
import { useState } from "react";
import { LineType, type LookupNumberResponse, LookupService } from "#gen/byond/v1/lookup_pb.ts";
import { keyTransport } from "../../api/key-transport.ts";
import { serverUrl } from "../../api/server-address.ts";
import { useSubmit } from "../../api/use-submit.ts";
import { Button } from "../../components/button.tsx";
import { CodeBlock } from "../../components/code-block.tsx";
import { EmptyState } from "../../components/empty-state.tsx";
import { Facts } from "../../components/facts.tsx";
import { HouseForm, TextField } from "../../components/fields.tsx";
import { PageHeader } from "../../components/page-header.tsx";
import { Panel } from "../../components/panel.tsx";
import { PlaygroundKeyPanel } from "../../components/playground-key-panel.tsx";
import { StatusBadge } from "../../components/status-badge.tsx";
import styles from "./lookup-page.module.css";

const lookup = createClient(LookupService, keyTransport);

/** What the numbering plans say of one number. The number is not put into the address: it would stay in the browser's history. */
export default function LookupPage() {
  const [number, setNumber] = useState("");
  const [country, setCountry] = useState("");
  const [found, setFound] = useState<{ readonly answer: LookupNumberResponse; readonly command: string }>();
  const { submit, isPending, error } = useSubmit(async () => {
    setFound(undefined);
    const asked = { number, ...(country.trim() !== "" && { country: country.trim() }) };
    setFound({ answer: await lookup.lookupNumber(asked), command: curlCommand(asked) });
  });
  return (
    <>
      <PageHeader
        title="Lookup"
        description="What the world’s numbering plans say of a phone number. Nothing is sent to it, and no carrier is asked."
      />
      <Panel>
        <HouseForm
          label="Look up a number"
          error={error}
          onSubmit={() => void submit()}
          actions={
            <Button type="submit" tone="primary" isPending={isPending}>
              Look up
            </Button>
          }
        >
          <div className={styles.fields}>
            <TextField
              label="Phone number"
              name="number"
              type="tel"
              autoComplete="off"
              placeholder="+6591234567"
              value={number}
              onChange={setNumber}
            />
            <TextField
              label="Country"
              name="country"
              autoComplete="off"
              placeholder="SG"
              maxLength={2}
              value={country}
              onChange={setCountry}
              description="For a national number"
            />
          </div>
        </HouseForm>
      </Panel>
      <div aria-live="polite" className={styles.answer}>
        {found === undefined ? (
          <EmptyState icon="phone" title="No number looked up yet">
            Enter a number with its country code, such as <code>+14155550123</code>, or a national one with its country.
          </EmptyState>
        ) : (
          <Answer {...found} />
        )}
      </div>
      <div className={styles.key}>
        <PlaygroundKeyPanel />
      </div>
    </>
  );
}

function Answer({ answer, command }: { readonly answer: LookupNumberResponse; readonly command: string }) {
  const { input, numberE164, valid, possible, countryCode, country, nationalFormat, lineType, possibleLineTypes } =
    answer;
  return (
    <>
      <Panel
        title={numberE164 ?? input}
        actions={
          valid ? (
            <StatusBadge tone="good">Valid</StatusBadge>
          ) : (
            <StatusBadge tone="bad">{possible ? "Not assigned" : "Not valid"}</StatusBadge>
          )
        }
      >
        <Facts
          facts={{
            "E.164": numberE164 ?? "Not a phone number",
            "National form": nationalFormat ?? "Unknown",
            Country: country === undefined ? "Unknown" : `${country} (${countryCode})`,
            "Line type": lineTypeText(lineType, possibleLineTypes),
            "Possible length": possible ? "Yes" : "No",
          }}
        />
      </Panel>
      <Panel title="The same call" description="With the key in BYONDAPI_KEY.">
        <CodeBlock code={command} label="curl command" />
      </Panel>
    </>
  );
}

const lineTypeWords: Readonly<Partial<Record<LineType, string>>> = {
  [LineType.MOBILE]: "mobile",
  [LineType.FIXED_LINE]: "fixed line",
  [LineType.VOIP]: "VoIP",
  [LineType.TOLL_FREE]: "toll-free",
};

/** "Mobile", or "Mobile or fixed line" where the plan does not distinguish them. */
function lineTypeText(lineType: LineType, possible: readonly LineType[]): string {
  const types = lineType === LineType.UNKNOWN ? possible : [lineType];
  const words = types.map((type) => lineTypeWords[type] ?? "unknown").join(" or ") || "unknown";
  return words.slice(0, 1).toUpperCase() + words.slice(1);
}

function curlCommand(asked: { readonly number: string; readonly country?: string }): string {
  const query = Object.entries(asked)
    .map(([name, value]) => `${name}=${encodeURIComponent(value)}`)
    .join("&");
  return `curl "${serverUrl}/api/v1/lookup?${query}" -H "X-API-Key: $BYONDAPI_KEY"`;
}
