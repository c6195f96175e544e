import type { ReactNode } from "react";
import { CheckboxGroupField } from "../../components/checkbox-group-field.tsx";
import { SelectField, TextField } from "../../components/fields.tsx";
import { IpRangesField } from "../../components/ip-ranges-field.tsx";
import { type Access, type Expiry, type KeyDraft, type Kind, type Signature, toLocalInput } from "./key-draft.ts";
import { scopeWords } from "./key-texts.ts";

export interface KeyFieldsProps {
  readonly draft: KeyDraft;
  readonly onChange: (draft: KeyDraft) => void;
  /** The key as it is; undefined for a new one. What it is restricted by cannot be taken away again. */
  readonly before?: KeyDraft;
  /** A field after the name. */
  readonly children?: ReactNode;
}

/** Everything of a key that can be chosen, and can be changed later. */
export function KeyFields({ draft, onChange, before, children }: KeyFieldsProps) {
  const set = (changes: Partial<KeyDraft>) => onChange({ ...draft, ...changes });
  const nameOf = (field: string) => (before === undefined ? field : `api_key.${field}`);
  return (
    <>
      <TextField
        label="Name"
        name={nameOf("name")}
        description="What uses it, such as “checkout server”."
        autoComplete="off"
        maxLength={100}
        value={draft.name}
        onChange={(name) => set({ name })}
        autoFocus
      />
      {children}
      {before === undefined && (
        <SelectField<Kind>
          label="Kind"
          value={draft.kind}
          onChange={(kind) => set({ kind })}
          options={[
            ["secret", "Secret: for your servers"],
            ["publishable", "Publishable: for web pages, which check and resend codes"],
          ]}
        />
      )}
      {draft.kind === "publishable" && (
        <TextField
          label="Origins"
          name={nameOf("origins")}
          rows={3}
          isCode
          autoComplete="off"
          spellCheck="false"
          placeholder={"https://shop.example\nhttp://localhost:3000"}
          description="The origins of your pages, one a line, at most 20. Without a path."
          value={draft.origins}
          onChange={(origins) => set({ origins })}
        />
      )}
      {draft.kind === "secret" && (
        <SelectField<Access>
          label="Access"
          value={draft.access}
          onChange={(access) => set({ access })}
          options={accessOptions(before)}
        />
      )}
      {draft.kind === "secret" && draft.access === "some" && (
        <CheckboxGroupField
          label="Scopes"
          name={nameOf("scopes")}
          value={draft.scopes}
          onChange={(scopes) => set({ scopes: inOrder(scopes) })}
          options={scopeWords}
        />
      )}
      <SelectField<Expiry>
        label="Expires"
        value={draft.expiry}
        onChange={(expiry) =>
          set({ expiry, ...(expiry === "date" && draft.expiryDate === "" && { expiryDate: inThirtyDays() }) })
        }
        options={expiryOptions(before)}
      />
      {draft.expiry === "date" && (
        <TextField
          label="Date and time"
          name={nameOf("expires_at")}
          type="datetime-local"
          description={`In your time zone, ${Intl.DateTimeFormat().resolvedOptions().timeZone}.`}
          value={draft.expiryDate}
          onChange={(expiryDate) => set({ expiryDate })}
        />
      )}
      <IpRangesField name={nameOf("ip_allowlist")} value={draft.ipRanges} onChange={(ipRanges) => set({ ipRanges })} />
      <TextField
        label="Requests a minute"
        name={nameOf("requests_per_minute")}
        inputMode="numeric"
        autoComplete="off"
        maxLength={7}
        description={limitWords(draft, before)}
        value={draft.requestsPerMinute}
        onChange={(text) => set({ requestsPerMinute: text.replace(/\D/g, "") })}
      />
      {draft.kind === "secret" && (
        <SignatureField value={draft.signature} onChange={(signature) => set({ signature })} />
      )}
    </>
  );
}

interface SignatureFieldProps {
  readonly value: Signature;
  readonly onChange: (signature: Signature) => void;
}

function SignatureField(props: SignatureFieldProps) {
  return (
    <SelectField<Signature>
      {...props}
      label="Signature"
      options={[
        ["none", "Not required"],
        ["v1", "Required: v1 or v2"],
        ["v2", "Required: v2, which covers the whole request"],
      ]}
      description="Byond-Signature proves that a request was not changed on the way."
    />
  );
}

function limitWords({ kind }: KeyDraft, before: KeyDraft | undefined): string {
  if (before !== undefined && before.requestsPerMinute !== "") {
    return "Within the workspace’s limit. Empty: 1,000,000, the highest.";
  }
  return kind === "publishable"
    ? "Of all pages together. Empty: 600. Each address may make 60."
    : "Within the workspace’s limit. Empty: only that one.";
}

function accessOptions(before: KeyDraft | undefined): readonly (readonly [Access, string])[] {
  return [
    ...(before === undefined || before.access === "unnamed"
      ? ([["unnamed", "Every call that needs no named scope"]] as const)
      : []),
    ["all", "Everything"],
    ["some", "Only chosen scopes"],
  ];
}

function expiryOptions(before: KeyDraft | undefined): readonly (readonly [Expiry, string])[] {
  return [
    before?.expiry === "keep" ? ["keep", "As it is"] : ["never", "Never"],
    ["7", "In 7 days"],
    ["30", "In 30 days"],
    ["90", "In 90 days"],
    ["365", "In a year"],
    ["date", "On a date"],
  ];
}

function inThirtyDays(): string {
  return toLocalInput(new Date(Date.now() + 30 * 86_400_000));
}

/** Scopes in the order of the form, however they were chosen. */
function inOrder(scopes: readonly string[]): readonly string[] {
  return scopeWords.map(([scope]) => scope).filter((scope) => scopes.includes(scope));
}
