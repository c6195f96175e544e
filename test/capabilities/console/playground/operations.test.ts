import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { operationGroups } from "../../../../src/capabilities/console/app/pages/playground/operations.ts";

/** Another path of the same RPC: `deleteAccount_2`. */
const isSecondPath = /_\d+$/;

test("the playground has every operation of the reference, in its order", () => {
  const path = new URL("../../../../gen/openapi.json", import.meta.url);
  const document: OpenApi = JSON.parse(readFileSync(path, "utf8"));
  const documented = Object.values(document.paths)
    .flatMap((methods) => Object.values(methods))
    .flatMap(({ operationId, tags }) =>
      operationId === undefined || isSecondPath.test(operationId) ? [] : [{ operationId, tag: tags?.[0] }],
    );
  const idsOf = (tag: string) => documented.filter((one) => one.tag === tag).map(({ operationId }) => operationId);
  const inReference = document.tags.map(({ name }) => idsOf(name).toSorted());
  const inPlayground = operationGroups.map(({ operations }) =>
    operations.map(({ method }) => method.localName).toSorted(),
  );
  expect(inPlayground).toEqual(inReference);
});

interface OpenApi {
  readonly tags: readonly { readonly name: string }[];
  readonly paths: Readonly<
    Record<string, Readonly<Record<string, { readonly operationId?: string; readonly tags?: readonly string[] }>>>
  >;
}
