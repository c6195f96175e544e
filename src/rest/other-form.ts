import type { DescMethod } from "@bufbuild/protobuf";

/** Another form of an RPC's answers beside JSON, which a client gets that prefers its media type. */
export interface OtherForm {
  /** Without parameters, such as `text/csv`. */
  readonly mediaType: string;
  /** The answer in this form, from its JSON. */
  readonly render: (json: unknown) => string;
}

export type OtherFormOf = (method: DescMethod) => OtherForm | undefined;
