import { createConnectQueryKey, useMutation, useQuery } from "@connectrpc/connect-query";
import { useState } from "react";
import { GuardService, type GuardSettings as Settings } from "#gen/byond/v1/guard_pb.ts";
import { inBothModes } from "../../api/in-both-modes.ts";
import { queryClient } from "../../api/query-client.ts";
import { useSubmit } from "../../api/use-submit.ts";
import { Button } from "../../components/button.tsx";
import { ErrorNotice } from "../../components/error-notice.tsx";
import { HouseForm, SelectField, SwitchField, TextField } from "../../components/fields.tsx";
import { notify } from "../../components/notify.tsx";
import { Panel } from "../../components/panel.tsx";
import { SecretOnce } from "../../components/secret-once.tsx";
import { Skeleton } from "../../components/skeleton.tsx";
import styles from "./guard-page.module.css";
import { guardModes, hookFailures } from "./guard-words.ts";

/** What the guard judges by, of both modes together. */
export function GuardSettings() {
  const { data, error, refetch } = useQuery(GuardService.method.getGuard, {}, inBothModes);
  const [secret, setSecret] = useState<string>();
  const settings = data?.guard;
  if (settings === undefined) {
    return error ? (
      <ErrorNotice error={error} onRetry={() => void refetch()} />
    ) : (
      <Skeleton lines={8} label="Loading the settings of the guard" />
    );
  }
  return (
    <div className="stack">
      <RulesPanel key={JSON.stringify(valuesOf(settings))} settings={settings} />
      <HookPanel key={settings.hook?.url ?? ""} hook={settings.hook} onSecret={setSecret} />
      {secret !== undefined && <SecretOnce secret={secret} label="secret of the hook" />}
    </div>
  );
}

/** Changes the settings, and loads again what shows them. */
function useUpdateGuard() {
  const update = useMutation(GuardService.method.updateGuard, inBothModes);
  return async (guard: NonNullable<Parameters<typeof update.mutateAsync>[0]["guard"]>) => {
    const answer = await update.mutateAsync({ guard });
    await queryClient.invalidateQueries({
      queryKey: createConnectQueryKey({ schema: GuardService.method.getGuard, cardinality: undefined }),
    });
    return answer.guard;
  };
}

/** What the form of the rules holds. Countries by spaces; an empty number is no limit. */
interface Values {
  readonly mode: string;
  readonly allowed: string;
  readonly blocked: string;
  readonly perCountry: string;
  readonly perRange: string;
  readonly refusesInvalid: boolean;
}

function valuesOf(settings: Settings): Values {
  return {
    mode: guardModes.find(([, , value]) => value === settings.guardMode)?.[0] ?? "enforce",
    allowed: settings.allowedCountries.join(" "),
    blocked: settings.blockedCountries.join(" "),
    perCountry: String(settings.sendsPerHourPerCountry ?? ""),
    perRange: String(settings.sendsPerHourPerRange ?? ""),
    refusesInvalid: settings.refuseInvalidNumbers,
  };
}

const countriesOf = (text: string) =>
  text
    .toUpperCase()
    .split(/[\s,;]+/)
    .filter((country) => country !== "");

function RulesPanel({ settings }: { readonly settings: Settings }) {
  const before = valuesOf(settings);
  const [values, setValues] = useState(before);
  const update = useUpdateGuard();
  const set = (changes: Partial<Values>) => setValues({ ...values, ...changes });
  const isChanged = (name: keyof Values) => values[name] !== before[name];
  const { submit, isPending, error } = useSubmit(async () => {
    const guardMode = guardModes.find(([name]) => name === values.mode)?.[2];
    await update({
      ...(isChanged("mode") && guardMode !== undefined && { guardMode }),
      ...(isChanged("allowed") && { allowedCountries: { countries: countriesOf(values.allowed) } }),
      ...(isChanged("blocked") && { blockedCountries: { countries: countriesOf(values.blocked) } }),
      ...(isChanged("perCountry") && { sendsPerHourPerCountry: Number(values.perCountry) }),
      ...(isChanged("perRange") && { sendsPerHourPerRange: Number(values.perRange) }),
      ...(isChanged("refusesInvalid") && { refuseInvalidNumbers: values.refusesInvalid }),
    });
    notify("Settings changed. They hold on every server.");
  });
  return (
    <Panel
      title="Rules"
      description="For codes by text message, call and WhatsApp, in both modes. E-mail is not judged."
    >
      <div className={styles.form}>
        <HouseForm
          label="Rules of the guard"
          error={error}
          onSubmit={() => void submit()}
          actions={
            <Button
              type="submit"
              isPending={isPending}
              isDisabled={!Object.keys(before).some((name) => isChanged(name as keyof Values))}
            >
              Save rules
            </Button>
          }
        >
          <SelectField
            label="What it finds"
            name="guard.guard_mode"
            description="Only count: codes are sent, and the refusals that would have been are in the report."
            value={values.mode}
            onChange={(mode) => set({ mode })}
            options={guardModes.map(([name, text]) => [name, text] as const)}
          />
          <TextField
            label="Only these countries"
            name="guard.allowed_countries"
            autoComplete="off"
            placeholder="SG MY ID"
            description="Two-letter codes. Empty: all that are not blocked."
            value={values.allowed}
            onChange={(allowed) => set({ allowed })}
          />
          <TextField
            label="Not these countries"
            name="guard.blocked_countries"
            autoComplete="off"
            placeholder="KP CU"
            value={values.blocked}
            onChange={(blocked) => set({ blocked })}
          />
          <TextField
            label="Codes an hour to each country"
            name="guard.sends_per_hour_per_country"
            inputMode="numeric"
            autoComplete="off"
            placeholder="No limit"
            value={values.perCountry}
            onChange={(perCountry) => set({ perCountry: perCountry.replace(/\D/g, "") })}
          />
          <TextField
            label="Codes an hour to each range of numbers"
            name="guard.sends_per_hour_per_range"
            inputMode="numeric"
            autoComplete="off"
            placeholder="No limit"
            description="A range is the country’s code and the first four digits after it."
            value={values.perRange}
            onChange={(perRange) => set({ perRange: perRange.replace(/\D/g, "") })}
          />
          <SwitchField
            isSelected={values.refusesInvalid}
            onChange={(refusesInvalid) => set({ refusesInvalid })}
            description="Plans change: numbers of real people may be among them."
          >
            Refuse numbers that no country’s plan has
          </SwitchField>
        </HouseForm>
      </div>
    </Panel>
  );
}

interface HookPanelProps {
  readonly hook: Settings["hook"];
  readonly onSecret: (secret: string | undefined) => void;
}

function HookPanel({ hook, onSecret }: HookPanelProps) {
  const failureBefore = hookFailures.find(([, , value]) => value === hook?.onFailure)?.[0] ?? "allow";
  const [url, setUrl] = useState(hook?.url ?? "");
  const [failure, setFailure] = useState<string>(failureBefore);
  const update = useUpdateGuard();
  const { submit, isPending, error } = useSubmit(async () => {
    const onFailure = hookFailures.find(([name]) => name === failure)?.[2];
    const guard = await update({ hook: { url: url.trim(), ...(onFailure !== undefined && { onFailure }) } });
    onSecret(guard?.hook?.secret);
    notify(url.trim() === "" ? "No endpoint is asked any more." : "Hook changed.");
  });
  return (
    <Panel
      title="Hook"
      description="An endpoint of yours that is asked before each code, and can refuse it. It has 200 milliseconds to answer."
    >
      <div className={styles.form}>
        <HouseForm
          label="Hook of the guard"
          error={error}
          onSubmit={() => void submit()}
          actions={
            <Button
              type="submit"
              isPending={isPending}
              isDisabled={url.trim() === (hook?.url ?? "") && failure === failureBefore}
            >
              Save hook
            </Button>
          }
        >
          <TextField
            label="URL"
            name="guard.hook.url"
            type="url"
            isCode
            autoComplete="off"
            placeholder="https://example.com/byond/guard"
            description="An https address that the internet reaches. A new one gets a new secret. Empty: there is no hook."
            value={url}
            onChange={setUrl}
          />
          <SelectField
            label="If it does not answer"
            name="guard.hook.on_failure"
            value={failure}
            onChange={setFailure}
            options={hookFailures.map(([name, text]) => [name, text] as const)}
          />
        </HouseForm>
      </div>
    </Panel>
  );
}
