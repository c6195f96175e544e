import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { FieldMaskSchema } from "@bufbuild/protobuf/wkt";
import { expect, test } from "vitest";
import { ApiKeyChangesSchema } from "../../gen/byond/v1/api_key_pb.ts";
import { namedChanges, updateMaskProblems } from "../../src/rpc/update-mask.ts";

function update(changes: MessageInitShape<typeof ApiKeyChangesSchema> | undefined, paths?: string[]) {
  return {
    schema: ApiKeyChangesSchema,
    changes: changes === undefined ? undefined : create(ApiKeyChangesSchema, changes),
    mask: paths === undefined ? undefined : create(FieldMaskSchema, { paths }),
  };
}

test("without a mask, all given fields change", () => {
  const changes = { name: "a", requireSignature: false };
  expect(namedChanges(update(changes))).toEqual(create(ApiKeyChangesSchema, changes));
  expect(updateMaskProblems(update(changes), "api_key")).toEqual({});
});

test("with a mask, only the fields that it names change", () => {
  const both = update({ name: "a", requestsPerMinute: 3 }, ["requests_per_minute"]);
  expect(namedChanges(both)).toEqual(create(ApiKeyChangesSchema, { requestsPerMinute: 3 }));
  expect(updateMaskProblems(both, "api_key")).toEqual({});
});

test("an empty mask, and no changes at all, change nothing", () => {
  expect(namedChanges(update({ name: "a" }, []))).toEqual(create(ApiKeyChangesSchema));
  expect(namedChanges(update(undefined))).toEqual(create(ApiKeyChangesSchema));
});

test("the request itself is not modified", () => {
  const asked = update({ name: "a" }, []);
  namedChanges(asked);
  expect(asked.changes?.name).toBe("a");
});

test("a named field must have a value and be changeable", () => {
  expect(
    updateMaskProblems(update({ name: "a" }, ["scopes", "name", "mode"]), "api_key", { scopes: "write *" }),
  ).toEqual({
    "api_key.scopes": "must not be null: write *",
    update_mask:
      "must name only what can be changed: name, scopes, ip_allowlist, requests_per_minute, expires_at, require_signature, min_signature_version, origins",
  });
  expect(updateMaskProblems(update(undefined, ["name"]), "api_key")).toEqual({ "api_key.name": "must not be null" });
});
