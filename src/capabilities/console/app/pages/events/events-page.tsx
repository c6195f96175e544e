import { useState } from "react";
import { Route, useParams } from "wouter";
import { eventTypes } from "../../api/event-types.ts";
import { useMode } from "../../api/mode.ts";
import type { StreamState } from "../../api/use-event-stream.ts";
import { Button } from "../../components/button.tsx";
import { SelectField, TextField } from "../../components/fields.tsx";
import { PageHeader } from "../../components/page-header.tsx";
import { useGoTo } from "../../components/page-link.tsx";
import { StatusBadge } from "../../components/status-badge.tsx";
import { useFilters } from "../../components/use-filters.ts";
import { EventDrawer } from "./event-drawer.tsx";
import { EventList } from "./event-list.tsx";

const allTypes = [["", "All types"], ...eventTypes.map(({ word }) => [word, word] as const)] as const;

/** What happened, as it happens. */
export default function EventsPage() {
  const [{ type, subject }, setFilters] = useFilters(["type", "subject"]);
  const [typed, setTyped] = useState(subject);
  const [isPaused, setPaused] = useState(false);
  const [state, setState] = useState<StreamState>("connecting");
  const mode = useMode();
  const known = eventTypes.find(({ word }) => word === type)?.type;
  return (
    <>
      <PageHeader
        title="Events"
        description="What happened to verifications, API keys and webhooks: the same that webhooks and the stream send."
        aside={<StreamBadge state={isPaused ? "paused" : state} />}
        actions={<Button onPress={() => setPaused(!isPaused)}>{isPaused ? "Resume" : "Pause"}</Button>}
      />
      <form
        className="filters"
        onSubmit={(event) => {
          event.preventDefault();
          setFilters({ subject: typed.trim() });
        }}
      >
        <SelectField
          label="Type"
          value={known === undefined ? "" : type}
          onChange={(value) => setFilters({ type: value })}
          options={allTypes}
        />
        <TextField
          label="Object"
          placeholder="vrf_…, key_… or whk_…"
          isCode
          value={typed}
          onChange={(text) => {
            setTyped(text);
            if (text === "") {
              setFilters({ subject: "" });
            }
          }}
        />
        <Button type="submit" icon="search" aria-label="Search object" />
      </form>
      <EventList
        key={`${mode} ${type} ${subject}`}
        type={known}
        subject={subject}
        isPaused={isPaused}
        onStateChange={setState}
      />
      <Route path="/events/:id" component={OpenedEvent} />
    </>
  );
}

function OpenedEvent() {
  const { id = "" } = useParams();
  const [filters] = useFilters(["type", "subject"]);
  const goTo = useGoTo();
  const query = new URLSearchParams(Object.entries(filters).filter(([, value]) => value !== "")).toString();
  return <EventDrawer id={id} onClose={() => goTo(`/events${query === "" ? "" : `?${query}`}`)} />;
}

const stateWords = {
  connecting: ["neutral", "Connecting"],
  live: ["good", "Live"],
  paused: ["neutral", "Paused"],
  interrupted: ["warn", "Reconnecting"],
} as const satisfies Record<StreamState, readonly [string, string]>;

function StreamBadge({ state }: { readonly state: StreamState }) {
  const [tone, text] = stateWords[state];
  return (
    <span role="status">
      <StatusBadge tone={tone}>{text}</StatusBadge>
    </span>
  );
}
