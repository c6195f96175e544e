import { type DescMethod, getOption, hasOption } from "@bufbuild/protobuf";
import type { EventStreamFields } from "@byond/rest/server-sent-events";
import { rest } from "../../gen/byond/v1/access_pb.ts";

/** The fields of a stream that server-sent events have a place for, as the option `byond.v1.rest` names them. */
export function eventStreamFields(method: DescMethod): EventStreamFields | undefined {
  const fields = hasOption(method, rest) ? getOption(method, rest).eventStream : undefined;
  return (
    fields && {
      ...(fields.id === "" ? {} : { id: fields.id }),
      ...(fields.lastEventId === "" ? {} : { lastEventId: fields.lastEventId }),
    }
  );
}
