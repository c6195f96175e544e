import { useState } from "react";
import type { BatchLookupResponse, BatchLookupResult } from "#gen/byond/v1/lookup_pb.ts";
import { Button } from "../../components/button.tsx";
import { type Column, DataTable } from "../../components/data-table.tsx";
import { download } from "../../components/download.ts";
import { Facts } from "../../components/facts.tsx";
import { Panel } from "../../components/panel.tsx";
import { StatusBadge } from "../../components/status-badge.tsx";
import { lookupCsv, problemText } from "./lookup-csv.ts";
import { lineTypeText } from "./lookup-words.ts";
import { ValidityBadge } from "./validity-badge.tsx";

interface Row {
  readonly index: number;
  readonly input: string;
  readonly result: BatchLookupResult;
}

const columns: readonly Column<Row>[] = [
  { title: "Number", cell: ({ input }) => <span className="break-anywhere">{input}</span> },
  { title: "E.164", cell: ({ result }) => result.lookup?.numberE164 ?? "–" },
  { title: "Result", cell: ({ result }) => <ResultBadges result={result} /> },
  { title: "Country", cell: ({ result }) => result.lookup?.country ?? "–" },
  { title: "Line type", cell: ({ result }) => (result.lookup?.valid === true ? lineTypeText(result.lookup) : "–") },
  { title: "Carrier", cell: ({ result }) => result.lookup?.carrier ?? "–", isSecondary: true },
  { title: "Location", cell: ({ result }) => result.lookup?.location ?? "–", isSecondary: true },
];

/** Rows that are shown at first, and that "Load more" adds. */
const rowsAtOnce = 100;

/** What was found in a list: in numbers, line by line, and as a file. */
export function ListAnswer({
  numbers,
  answer,
}: {
  readonly numbers: readonly string[];
  readonly answer: BatchLookupResponse;
}) {
  const [rowCount, setRowCount] = useState(rowsAtOnce);
  const rows = answer.results.map((result, index) => ({ index, input: numbers[index] ?? "", result }));
  const { summary } = answer;
  return (
    <div className="stack">
      <Panel
        title="Summary"
        actions={
          <Button size="small" onPress={() => download("lookup.csv", lookupCsv(rows))}>
            Download CSV
          </Button>
        }
      >
        <Facts
          facts={{
            Numbers: summary?.numbers,
            Valid: summary?.valid,
            "Not valid": summary?.invalid,
            "Not looked up": summary?.problems,
            Duplicates: summary?.duplicates,
            Countries: countsText(summary?.countries),
            "Line types": countsText(summary?.lineTypes),
            "Written as": countsText(summary?.formats),
          }}
        />
      </Panel>
      <DataTable
        label="Results"
        columns={columns}
        rows={rows.slice(0, rowCount)}
        rowKey={({ index }) => String(index)}
        onLoadMore={rows.length > rowCount ? () => setRowCount(rowCount + rowsAtOnce) : undefined}
        empty={null}
      />
    </div>
  );
}

function ResultBadges({ result }: { readonly result: BatchLookupResult }) {
  const { lookup, duplicateOf } = result;
  if (lookup === undefined) {
    return <span className="break-anywhere">{problemText(result)}</span>;
  }
  return (
    <span className="row">
      <ValidityBadge lookup={lookup} />
      {duplicateOf !== undefined && <StatusBadge>Duplicate</StatusBadge>}
    </span>
  );
}

/** "SG 12, US 3": the most frequent first. */
function countsText(counts: Readonly<Record<string, number>> = {}): string {
  const entries = Object.entries(counts).toSorted(([, one], [, other]) => other - one);
  return (
    entries
      .map(([name, count]) => `${name === "e164" ? "E.164" : name.replaceAll("_", " ")} ${count.toLocaleString()}`)
      .join(", ") || "–"
  );
}
