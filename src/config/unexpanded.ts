/** Values in quotes, and references that a shell, a compose file, Kubernetes or a template should have replaced. */
const unexpanded = /^(["']).*\1$|\$\{[A-Za-z_]|\$\([A-Za-z_]\w*\)|^\$[A-Za-z_]\w*$|\{\{.*\}\}/s;

/** The problem of a variable with such a value. Undefined: it has none. */
export function unexpandedProblem(name: string, value: string | undefined): string | undefined {
  return unexpanded.test(value ?? "")
    ? `${name} contains quotes or an unexpanded reference to a variable: set the final value`
    : undefined;
}
