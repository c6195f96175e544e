import { createClient } from "@connectrpc/connect";
import { useState } from "react";
import { type BatchLookupResponse, LookupField, LookupService } from "#gen/byond/v1/lookup_pb.ts";
import { keyTransport } from "../../api/key-transport.ts";
import { useSubmit } from "../../api/use-submit.ts";
import { Button } from "../../components/button.tsx";
import { HouseForm, TextField } from "../../components/fields.tsx";
import { Panel } from "../../components/panel.tsx";
import { ListAnswer } from "./list-answer.tsx";
import styles from "./lookup-page.module.css";

const lookup = createClient(LookupService, keyTransport);
const fields = [LookupField.REASON, LookupField.CARRIER, LookupField.LOCATION, LookupField.TIMEZONES];

/** A list of numbers that is pasted, in one call. */
export function ListLookup() {
  const [text, setText] = useState("");
  const [country, setCountry] = useState("");
  const [found, setFound] = useState<{ readonly numbers: readonly string[]; readonly answer: BatchLookupResponse }>();
  const numbers = text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");
  const { submit, isPending, error } = useSubmit(async () => {
    setFound(undefined);
    const answer = await lookup.batchLookup({
      numbers: numbers.map((number) => ({ number })),
      fields,
      ...(country.trim() !== "" && { country: country.trim() }),
    });
    setFound({ numbers, answer });
  });
  return (
    <>
      <Panel>
        <HouseForm
          label="Look up a list of numbers"
          error={error}
          onSubmit={() => void submit()}
          actions={
            <Button type="submit" tone="primary" isPending={isPending} isDisabled={numbers.length === 0}>
              Look up
            </Button>
          }
        >
          <div className={styles.fields}>
            <TextField
              label="Phone numbers"
              name="numbers"
              rows={8}
              isCode
              autoComplete="off"
              placeholder={"+6591234567\n+14155550123"}
              value={text}
              onChange={setText}
              description={`One on each line, 1,000 at most: ${numbers.length.toLocaleString()} now. Longer lists: byond lookup --csv`}
            />
            <TextField
              label="Country"
              name="country"
              autoComplete="off"
              placeholder="SG"
              maxLength={2}
              value={country}
              onChange={setCountry}
              description="For national numbers"
            />
          </div>
        </HouseForm>
      </Panel>
      <div aria-live="polite" className={styles.answer}>
        {found && <ListAnswer {...found} />}
      </div>
    </>
  );
}
