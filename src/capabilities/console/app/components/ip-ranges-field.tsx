import { TextField } from "./fields.tsx";

export interface IpRangesFieldProps {
  /** Of the schema: `ip_allowlist`. */
  readonly name: string;
  readonly value: string;
  readonly onChange: (value: string) => void;
}

/** The addresses that something may be used from, one a line. */
export function IpRangesField(props: IpRangesFieldProps) {
  return (
    <TextField
      {...props}
      label="IP allowlist"
      rows={3}
      isCode
      autoComplete="off"
      spellCheck="false"
      placeholder={"203.0.113.7\n2001:db8::/32"}
      description="An address or a range (203.0.113.0/24) a line, at most 100. Empty: every address."
    />
  );
}
