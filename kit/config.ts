/**
 * Typed configuration: a service declares its settings once; they are read once, at start, and all errors are reported together.
 * The reference documentation (`./haic doctor --settings`) is generated from the same declarations.
 */
export interface Setting<T> {
  readonly env: string;
  readonly doc: string;
  readonly secret: boolean;
  /** Shown in the reference; undefined means required. */
  readonly defaultText: string | undefined;
  /** Returns the value or throws an Error whose message says what is expected. */
  readonly parse: (raw: string | undefined) => T;
}

export type Settings = Record<string, Setting<unknown>>;
export type ConfigOf<S extends Settings> = {
  readonly [K in keyof S]: S[K] extends Setting<infer T> ? T : never;
};

export class ConfigError extends Error {
  readonly problems: readonly string[];
  constructor(problems: readonly string[]) {
    super(`Haic cannot start with this configuration:\n${problems.map((p) => `  - ${p}`).join('\n')}`);
    this.name = 'ConfigError';
    this.problems = problems;
  }
}

/** Reads every setting from `environment`; throws one ConfigError that lists all problems. */
export function readConfig<S extends Settings>(settings: S, environment: NodeJS.ProcessEnv): ConfigOf<S> {
  const problems: string[] = [];
  const values: Record<string, unknown> = {};
  for (const [key, setting] of Object.entries(settings)) {
    try {
      values[key] = setting.parse(environment[setting.env]);
    } catch (error) {
      problems.push(`${setting.env}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  if (problems.length > 0) throw new ConfigError(problems);
  return values as ConfigOf<S>;
}

type Common = { env: string; doc: string; secret?: boolean };

function setting<T>(common: Common, fallback: T | undefined, parse: (raw: string) => T): Setting<T> {
  return {
    env: common.env,
    doc: common.doc,
    secret: common.secret ?? false,
    defaultText: fallback === undefined ? undefined : String(fallback),
    parse: (raw) => {
      if (raw === undefined || raw === '') {
        if (fallback === undefined) throw new Error('is required.');
        return fallback;
      }
      return parse(raw);
    },
  };
}

export const text = (common: Common, fallback?: string): Setting<string> =>
  setting(common, fallback, (raw) => raw);

export const optionalText = (common: Common): Setting<string | undefined> => ({
  ...setting<string>(common, '', (raw) => raw),
  parse: (raw) => (raw === undefined || raw === '' ? undefined : raw),
});

/** With a form of its own: `parse` returns the value or throws an Error that says all that is wrong. */
export const optional = <T>(common: Common, parse: (raw: string) => T): Setting<T | undefined> => ({
  ...optionalText(common),
  parse: (raw) => (raw === undefined || raw === '' ? undefined : parse(raw)),
});

export const integer = (
  common: Common,
  fallback?: number,
  range: { min?: number; max?: number } = {},
): Setting<number> =>
  setting(common, fallback, (raw) => {
    const value = Number(raw);
    if (!Number.isInteger(value)) throw new Error(`must be a whole number, not "${raw}".`);
    if (range.min !== undefined && value < range.min)
      throw new Error(`must be at least ${range.min}, not ${value}.`);
    if (range.max !== undefined && value > range.max)
      throw new Error(`must be at most ${range.max}, not ${value}.`);
    return value;
  });

export const flag = (common: Common, fallback: boolean): Setting<boolean> =>
  setting(common, fallback, (raw) => {
    if (raw === 'true' || raw === '1') return true;
    if (raw === 'false' || raw === '0') return false;
    throw new Error(`must be true or false, not "${raw}".`);
  });

export const oneOf = <const T extends string>(
  common: Common,
  values: readonly T[],
  fallback?: T,
): Setting<T> =>
  setting<T>(common, fallback, (raw) => {
    const found = values.find((value) => value === raw);
    if (found === undefined) throw new Error(`must be one of ${values.join(', ')}, not "${raw}".`);
    return found;
  });

/** An absolute http or https URL, returned without a trailing slash. */
export const url = (common: Common, fallback?: string): Setting<string> =>
  setting(common, fallback, (raw) => {
    const parsed = URL.canParse(raw) ? new URL(raw) : undefined;
    if (parsed === undefined || !/^https?:$/.test(parsed.protocol))
      throw new Error(`must be an http or https URL, not "${raw}".`);
    return raw.replace(/\/+$/, '');
  });
