import { createClient } from "@connectrpc/connect";
import { useState } from "react";
import { LookupField, type LookupNumberResponse, LookupService } from "#gen/byond/v1/lookup_pb.ts";
import { keyTransport } from "../../api/key-transport.ts";
import { serverUrl } from "../../api/server-address.ts";
import { useSubmit } from "../../api/use-submit.ts";
import { Button } from "../../components/button.tsx";
import { EmptyState } from "../../components/empty-state.tsx";
import { Facts } from "../../components/facts.tsx";
import { HouseForm, TextField } from "../../components/fields.tsx";
import { Panel } from "../../components/panel.tsx";
import { CurlPanel } from "./curl-panel.tsx";
import styles from "./lookup-page.module.css";
import { lineTypeText } from "./lookup-words.ts";
import { ValidityBadge } from "./validity-badge.tsx";

const lookup = createClient(LookupService, keyTransport);

const fields = [
  LookupField.INTERNATIONAL_FORMAT,
  LookupField.REASON,
  LookupField.ALSO_POSSIBLE,
  LookupField.TIMEZONES,
  LookupField.LOCATION,
  LookupField.CARRIER,
];
const fieldNames = "international_format,reason,also_possible,timezones,location,carrier";

/** What the numbering plans say of one number. */
export function NumberLookup() {
  const [number, setNumber] = useState("");
  const [country, setCountry] = useState("");
  const [found, setFound] = useState<{ readonly answer: LookupNumberResponse; readonly command: string }>();
  const { submit, isPending, error } = useSubmit(async () => {
    setFound(undefined);
    const asked = { number, ...(country.trim() !== "" && { country: country.trim() }) };
    setFound({ answer: await lookup.lookupNumber({ ...asked, fields }), command: curlCommand(asked) });
  });
  return (
    <>
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
          <>
            <Answer answer={found.answer} />
            <CurlPanel command={found.command} />
          </>
        )}
      </div>
    </>
  );
}

function Answer({ answer }: { readonly answer: LookupNumberResponse }) {
  const { input, numberE164, countryCode, country, carrier, location } = answer;
  const regions = answer.alsoPossible?.regions ?? [];
  const timezones = answer.timezones?.timezones ?? [];
  return (
    <Panel title={numberE164 ?? input} actions={<ValidityBadge lookup={answer} />}>
      <Facts
        facts={{
          "E.164": numberE164 ?? "Not a phone number",
          "National form": answer.nationalFormat ?? "Unknown",
          "International form": answer.internationalFormat ?? "Unknown",
          Country: country === undefined ? "Unknown" : `${country} (${countryCode})`,
          ...(regions.length > 0 && { "May also be of": regions.join(", ") }),
          ...(location !== undefined && { Location: location }),
          "Line type": lineTypeText(answer),
          ...(carrier !== undefined && { "Carrier that it was allocated to": carrier }),
          ...(timezones.length > 0 && { "Time zones": timezones.join(", ") }),
        }}
      />
    </Panel>
  );
}

function curlCommand(asked: { readonly number: string; readonly country?: string }): string {
  const query = Object.entries(asked)
    .map(([name, value]) => `${name}=${encodeURIComponent(value)}`)
    .join("&");
  return `curl "${serverUrl}/api/v1/lookup?${query}&fields=${fieldNames}" -H "X-API-Key: $BYONDAPI_KEY"`;
}
