/** Names that PHP does not allow, or that the SDK needs itself. */
import type { Model } from "./model.ts";

/** Words that cannot name a class. Methods, properties and constants may have them, except for `class`. */
const reserved = new Set(
  `abstract and array as bool break callable case catch class clone const continue declare default do echo else elseif empty enddeclare endfor
  endforeach endif endswitch endwhile enum eval exit extends false final finally float fn for foreach function global goto if implements include
  include_once instanceof insteadof int interface isset iterable list match mixed namespace never new null object or parent print private
  protected public readonly require require_once return self static string switch throw trait true try unset use var void while xor yield`.split(
    /\s+/,
  ),
);

/** Throws if a name of the schema cannot be one in PHP. */
export function checkNames({ services, messages, enums }: Model): void {
  const classes = [...services.map(({ typeName }) => typeName), ...[...messages, ...enums].map(({ name }) => name)];
  const parameters = services
    .flatMap(({ operations }) => operations)
    .flatMap((operation) => [...operation.pathParameters, ...operation.parameters].map(({ name }) => name));
  const problems = [
    ...classes.filter((name) => reserved.has(name.toLowerCase())).map((name) => `a class named ${name}`),
    ...parameters.filter((name) => name === "options" || name === "this").map((name) => `a parameter named ${name}`),
    ...enums
      .filter(({ values }) => values.some(({ constant }) => constant === "CLASS"))
      .map(({ name }) => `a value named CLASS in ${name}`),
  ];
  if (problems.length > 0) {
    throw new Error(`PHP cannot have ${problems.join(", ")}`);
  }
}
