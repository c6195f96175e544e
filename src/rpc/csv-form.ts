import { type DescField, type DescMethod, getOption, hasOption } from "@bufbuild/protobuf";
import { jsonFieldName } from "@byond/rest/json/json-style";
import type { OtherForm } from "@byond/rest/other-form";
import { stringify } from "csv-stringify/sync";
import { rest } from "../../gen/byond/v1/access_pb.ts";
import { harmlessCell } from "../text/spreadsheet-cell.ts";
import { restStyle } from "./rest-style.ts";

/**
 * An answer as a table (RFC 4180), if the option `byond.v1.rest` names the list that has its rows: a column for each field of an item, by its name in
 * JSON. What JSON has as null is an empty cell.
 */
export function csvForm(method: DescMethod): OtherForm | undefined {
  const name = hasOption(method, rest) ? getOption(method, rest).csv : "";
  if (name === "") {
    return undefined;
  }
  const list = method.output.fields.find((field) => field.name === name);
  const item = list?.fieldKind === "list" ? list.message : undefined;
  if (list === undefined || item === undefined || !item.fields.every(isCell)) {
    throw new TypeError(`${method.name} has no list ${name} of what fits into the cells of a table`);
  }
  const nameOf = (field: DescField) => jsonFieldName(field, restStyle);
  const columns = item.fields.map(nameOf);
  return {
    mediaType: "text/csv",
    render: (json) => {
      const items = objectOf(json)[nameOf(list)];
      const rows = (Array.isArray(items) ? items : []).map(objectOf);
      const lines = rows.map((row) => columns.map((column) => cellOf(row[column])));
      return stringify([columns, ...lines], { record_delimiter: "windows" });
    },
  };
}

const isCell = ({ fieldKind }: DescField) => fieldKind === "scalar" || fieldKind === "enum";

function objectOf(json: unknown): Readonly<Record<string, unknown>> {
  return typeof json === "object" && json !== null ? { ...json } : {};
}

function cellOf(value: unknown): string {
  return typeof value === "string" ? harmlessCell(value) : String(value ?? "");
}
