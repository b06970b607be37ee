/**
 * Whether the environment can have a variable of this name, by the rule of Kubernetes (`IsEnvVarName`), whose apps ours are: with dots and dashes, as
 * Java's and Spring's tools read. A shell passes such a name on, and cannot name it.
 */
export const isVariableName = (name: string): boolean =>
  name.length <= 200 && /^(?!\.$|\.\.)[A-Za-z_.-][A-Za-z0-9_.-]*$/.test(name);
