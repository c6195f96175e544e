import { type ReactNode, useState } from "react";
import { Button } from "./button.tsx";
import { TextField } from "./fields.tsx";

export interface RecipientFilterProps {
  /** The recipient to search for; empty for all. */
  readonly onSearch: (recipient: string) => void;
  /** The other filters, before it. */
  readonly children: ReactNode;
}

/** Filters of a list, the last of them a recipient, which is not put into the address: it would stay in the browser's history. */
export function RecipientFilter({ onSearch, children }: RecipientFilterProps) {
  const [typed, setTyped] = useState("");
  return (
    <form
      className="filters"
      onSubmit={(event) => {
        event.preventDefault();
        onSearch(typed.trim());
      }}
    >
      {children}
      <TextField
        label="Recipient"
        placeholder="+6591234567 or ada@example.com"
        value={typed}
        onChange={(text) => {
          setTyped(text);
          if (text === "") {
            onSearch("");
          }
        }}
      />
      <Button type="submit" icon="search" aria-label="Search recipient" />
    </form>
  );
}
