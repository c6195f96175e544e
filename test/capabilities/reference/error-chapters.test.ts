import { expect, test } from "vitest";
import { ErrorInfoSchema } from "../../../gen/byond/v1/error_pb.ts";
import { readChapter } from "./guide-chapter.ts";

test.each(["errors", "grpc"])("the chapter %s names every field that an error can have", (chapter) => {
  const text = readChapter(chapter);
  expect(ErrorInfoSchema.fields.map(({ name }) => name).filter((name) => !text.includes(`\`${name}\``))).toEqual([]);
});
