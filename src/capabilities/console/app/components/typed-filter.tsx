import { type ReactNode, useState } from "react";
import { Button } from "./button.tsx";
import { TextField } from "./fields.tsx";

export interface TypedFilterProps {
  /** What is searched for: "Recipient". */
  readonly label: string;
  readonly placeholder: string;
  /** With an empty text for all. */
  readonly onSearch: (text: string) => void;
  /** The other filters, before it. */
  readonly children?: ReactNode;
}

/** Filters of a list, the last of them an address or a number, which is not put into the address of the page: it would stay in the browser's history. */
export function TypedFilter({ label, placeholder, onSearch, children }: TypedFilterProps) {
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
        label={label}
        placeholder={placeholder}
        value={typed}
        onChange={(text) => {
          setTyped(text);
          if (text === "") {
            onSearch("");
          }
        }}
      />
      <Button type="submit" icon="search" aria-label={`Search ${label.toLowerCase()}`} />
    </form>
  );
}
