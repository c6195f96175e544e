/** Which fields of requests name something that belongs to a workspace, out of the schema: a new field that nobody has judged is an error. */
import { type DescField, type DescMessage, type DescMethod, getOption, ScalarType } from "@bufbuild/protobuf";
import { id_prefix } from "../../gen/byond/v1/access_pb.ts";

/** A field of a request that names something of a workspace, and what: the prefix of its ids, `page` or `recipient`. */
export interface ReferenceField {
  readonly method: DescMethod;
  readonly field: DescField;
  readonly kind: string;
}

/** Fields that take an id and, unlike those with `id_prefix`, something else as well, and fields that name a person. */
const others: Readonly<Record<string, string>> = {
  "ListEvents.subject": "vrf",
  "StreamEvents.after": "evt",
  "StreamEvents.subject": "vrf",
  "SetSpendCap.owner": "key",
  "DeleteSpendCap.owner": "key",
  // Only a key that has made calls is in a report.
  "GetVerificationReport.api_key_ids": "caller",
  "EraseRecipient.recipient": "recipient",
  "ExportRecipient.recipient": "recipient",
  "ListLookups.number": "recipient",
  "ListSuppressions.recipient": "recipient",
  "ListVerifications.recipient": "recipient",
};

/** Credentials, which are how a caller is known, and recipients that a call is about and finds nothing by. */
const notReferences = new Set([
  "RefreshSession.refresh_token",
  "SignOut.refresh_token",
  "CreateFixedCode.recipient",
  "StartVerification.recipient",
  "StartVerification.fallback.recipient",
  "CheckVerification.recipient",
  "ResendCode.recipient",
  "AddSafeListEntry.number",
  "LookupNumber.number",
  "BatchLookup.numbers.number",
  "StreamLookup.numbers.number",
]);

/** Names of fields that hold a value and name nothing. */
const values = new Set(
  `name scopes ranges origins reason email password code new_password current_password amount value currency description
   countries country url reference from until time_zone providers locale subject text html logo background_color text_color
   accent_color brand end_user_ip autofill_domain metadata device_id payee`.split(/\s+/),
);

const isText = (field: DescField) =>
  (field.fieldKind === "scalar" || (field.fieldKind === "list" && field.listKind === "scalar")) &&
  field.scalar === ScalarType.STRING;

function textFields(desc: DescMessage, path = ""): { path: string; field: DescField }[] {
  return desc.fields.flatMap((field) => {
    if (field.message !== undefined && !field.message.typeName.startsWith("google.")) {
      return textFields(field.message, `${path}.${field.name}`);
    }
    return isText(field) || field.fieldKind === "map" ? [{ path: `${path}.${field.name}`, field }] : [];
  });
}

/** The fields of an RPC's request that name something. Throws for one that is not known to, or not to. */
export function referenceFieldsOf(method: DescMethod): readonly ReferenceField[] {
  return textFields(method.input).flatMap(({ path, field }) => {
    const name = `${method.name}${path}`;
    const kind = field.name === "page_token" ? "page" : getOption(field, id_prefix) || others[name];
    if (kind !== undefined) {
      if (field.parent !== method.input) {
        throw new TypeError(`${name}: teach this test about references in messages`);
      }
      return [{ method, field, kind }];
    }
    if (notReferences.has(name) || values.has(field.name)) {
      return [];
    }
    throw new TypeError(
      `${name}: does it name something of a workspace? Give it (byond.v1.id_prefix), or say in reference-fields.ts what it is.`,
    );
  });
}
