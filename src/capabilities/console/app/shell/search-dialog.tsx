import { useQuery } from "@connectrpc/connect-query";
import { useQuery as useTanstackQuery } from "@tanstack/react-query";
import { useId, useState } from "react";
import { Dialog, Modal, ModalOverlay } from "react-aria-components";
import { ApiKeyService } from "#gen/byond/v1/api_key_pb.ts";
import { serverPath } from "../api/server-address.ts";
import { classNames } from "../components/class-names.ts";
import { Icon, type IconName } from "../components/icon.tsx";
import { useGoTo } from "../components/page-link.tsx";
import { pages } from "./pages.ts";
import { readReferenceEntries } from "./reference-entries.ts";

interface Result {
  readonly id: string;
  readonly kind: string;
  readonly icon: IconName;
  readonly title: string;
  readonly detail: string;
  /** All in lower case that it is found by. */
  readonly words: string;
  readonly open: () => void;
}

const maxResults = 12;

/** One search over pages, keys, a verification's or an event's id, and the reference. */
export default function SearchDialog({ onClose }: { readonly onClose: () => void }) {
  const [text, setText] = useState("");
  const [selected, setSelected] = useState(0);
  const listId = useId();
  const results = useResults(text);
  const current = Math.min(selected, results.length - 1);
  const open = (result: Result | undefined) => {
    if (result !== undefined) {
      onClose();
      result.open();
    }
  };
  const onKeyDown = (event: React.KeyboardEvent) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step !== undefined && results.length > 0) {
      event.preventDefault();
      setSelected((current + step + results.length) % results.length);
    } else if (event.key === "Enter") {
      event.preventDefault();
      open(results[current]);
    }
  };
  return (
    <ModalOverlay className="overlay overlay-top" isOpen onOpenChange={(isOpen) => !isOpen && onClose()} isDismissable>
      <Modal className="search-modal">
        <Dialog aria-label="Search" className="search-dialog">
          <div className="search-field">
            <Icon name="search" />
            <input
              className="search-input"
              autoFocus
              role="combobox"
              aria-label="Search"
              aria-expanded="true"
              aria-controls={listId}
              aria-activedescendant={results[current] && `${listId}-${current}`}
              placeholder="Pages, keys, ids, reference"
              value={text}
              onChange={(event) => {
                setText(event.target.value);
                setSelected(0);
              }}
              onKeyDown={onKeyDown}
            />
            <kbd>Esc</kbd>
          </div>
          <div role="listbox" id={listId} className="search-results" aria-label="Results" tabIndex={-1}>
            {results.map((result, index) => (
              // biome-ignore lint/a11y/useFocusableInteractive lint/a11y/useKeyWithClickEvents: the field keeps the focus and has the keys (ARIA APG)
              <div
                key={result.id}
                id={`${listId}-${index}`}
                role="option"
                aria-selected={index === current}
                className={classNames("search-result", index === current && "search-selected")}
                onClick={() => open(result)}
                onPointerMove={() => setSelected(index)}
              >
                <Icon name={result.icon} />
                <span className="search-title">{result.title}</span>
                <span className="search-detail">{result.detail}</span>
                <span className="search-kind">{result.kind}</span>
              </div>
            ))}
          </div>
          <p className="search-none" role="status">
            {results.length === 0 ? "Nothing is called that." : ""}
          </p>
        </Dialog>
      </Modal>
    </ModalOverlay>
  );
}

function useResults(text: string): readonly Result[] {
  const goTo = useGoTo();
  const keys = useQuery(ApiKeyService.method.listApiKeys, {});
  const reference = useTanstackQuery({
    queryKey: ["reference"],
    queryFn: readReferenceEntries,
    staleTime: Number.POSITIVE_INFINITY,
  });
  const wanted = text.trim().toLowerCase();
  const words = wanted.split(/\s+/).filter((word) => word !== "");
  const all: readonly Result[] = [
    ...idResults(text.trim(), goTo),
    ...pages.map(({ title, path, icon, words: pageWords }) => ({
      id: `page ${path}`,
      kind: "Page",
      icon,
      title,
      detail: "",
      words: `${title} ${pageWords}`.toLowerCase(),
      open: () => goTo(path),
    })),
    ...(keys.data?.keys ?? []).map(({ id, name, keyPrefix }) => ({
      id: `key ${id}`,
      kind: "Key",
      icon: "key" as const,
      title: name,
      detail: keyPrefix,
      words: `${name} ${keyPrefix} ${id}`.toLowerCase(),
      open: () => goTo(`/keys/${id}`),
    })),
    ...(wanted === "" ? [] : (reference.data ?? [])).map(({ title, detail, location }) => ({
      id: `reference ${location}`,
      kind: "Reference",
      icon: "book" as const,
      title,
      detail,
      words: `${title} ${detail}`.toLowerCase(),
      open: () => window.location.assign(`${serverPath}/docs${location}`),
    })),
  ];
  return all.filter((result) => words.every((word) => result.words.includes(word))).slice(0, maxResults);
}

/** Ids have their own pages: what is pasted leads there without asking the server. */
function idResults(text: string, goTo: (to: string) => void): readonly Result[] {
  const [prefix = ""] = /^(?:vrf|evt|whk|key)(?=_\w+$)/.exec(text) ?? [];
  const kinds: Readonly<Record<string, readonly [path: string, kind: string, icon: IconName]>> = {
    vrf: ["/verifications", "Verification", "shield"],
    evt: ["/events", "Event", "events"],
    whk: ["/webhooks", "Webhook", "webhook"],
    key: ["/keys", "Key", "key"],
  };
  const found = kinds[prefix];
  if (found === undefined) {
    return [];
  }
  const [path, kind, icon] = found;
  return [
    {
      id: `id ${text}`,
      kind,
      icon,
      title: text,
      detail: "",
      words: text.toLowerCase(),
      open: () => goTo(`${path}/${text}`),
    },
  ];
}
