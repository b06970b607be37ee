import { wrongEvent } from './refusals.ts';
import { workspaceIn } from './resource.ts';
import { redacted } from './source-address.ts';

export type EventType = 'unspecified' | 'api' | 'system';

export interface EventStatus {
  /** google.rpc.Code. */
  readonly code: number;
  readonly message: string;
}

/** Of an event: everything that was told of it, checked and put into its one form. */
export interface NewEvent {
  /** UUID of version 4, in lower case. */
  readonly id: string;
  /** Microseconds since the epoch. */
  readonly eventTime: bigint;
  readonly source: string;
  readonly action: string;
  readonly readOnly: boolean;
  readonly status: EventStatus | undefined;
  readonly principal: string;
  /** A public address, `private`, or empty for what no request caused. */
  readonly sourceAddress: string;
  readonly resource: string;
  readonly requestParameters: Readonly<Record<string, string>>;
  readonly userAgent: string;
  readonly metadata: Readonly<Record<string, string>>;
  /** `workspaces/<id>`, or empty. */
  readonly workspace: string;
  readonly type: EventType;
}

export interface AuditEvent extends NewEvent {
  /** Its place in the trail: 1, 2, 3, … */
  readonly seq: number;
  /** Microseconds since the epoch. */
  readonly receiveTime: bigint;
}

/** As it was told, before anybody looked at it. */
export type ToldEvent = Omit<NewEvent, 'workspace'> & {
  /** Empty for none, whatever the resource says; undefined for what the resource says. */
  readonly workspaceOverride: string | undefined;
};

export const limits = {
  /** Characters. */
  name: 255,
  resource: 2048,
  userAgent: 1024,
  statusMessage: 2048,
  key: 128,
  value: 4096,
  /** Pairs of a map. */
  pairs: 64,
} as const;

export const metadataKey = /^[a-z](?:[a-z0-9_]{0,61}[a-z0-9])?$/;
/** What the trail tells of itself (continuations.ts). */
const ownActions = 'actions/audittrail/trails/';
const eventId = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const principalForm = /^(?:users|services)\/[^\s/\p{C}]{1,200}$/u;
const workspaceForm = /^workspaces\/[^\s/\p{C}]{1,200}$/u;
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const control = /[\u0000-\u001f\u007f]/;
/** The years 1 to 9999, as google.protobuf.Timestamp has it. */
const earliest = -62_135_596_800_000_000n;
const latest = 253_402_300_799_999_999n;

/** Throws `invalid_event` with what is wrong, in the names of the API. */
export function checkEvent(told: ToldEvent): NewEvent {
  const { workspaceOverride, ...event } = told;
  const id = event.id.toLowerCase();
  if (!eventId.test(id)) throw wrongEvent('eventId has to be a UUID of version 4.');
  if (event.eventTime < earliest || event.eventTime > latest)
    throw wrongEvent('eventTime has to lie in the years 1 to 9999.');
  line('eventSource', event.source, 1, limits.name);
  line('action', event.action, 1, limits.name);
  if (event.action.startsWith(ownActions)) throw wrongEvent(`only the trail itself records ${ownActions}…`);
  if (!principalForm.test(event.principal))
    throw wrongEvent('principal has to be users/<id> or services/<name>.');
  line('resource', event.resource, 0, limits.resource);
  text('userAgent', event.userAgent, limits.userAgent);
  if (event.status !== undefined) text('status.message', event.status.message, limits.statusMessage);
  pairs('requestParameters', event.requestParameters);
  pairs('metadata', event.metadata);
  const badKey = Object.keys(event.metadata).find((key) => !metadataKey.test(key));
  if (badKey !== undefined)
    throw wrongEvent(
      `metadata: "${badKey.slice(0, 80)}" is no key: 1 to 63 of a–z, 0–9 and _, a letter first, a letter or digit last.`,
    );
  const sourceAddress = redacted(event.sourceAddress);
  if (sourceAddress === undefined) throw wrongEvent('sourceIpAddress has to be an IP address, or "private".');
  const ofResource = workspaceIn(event.resource);
  return { ...event, id, sourceAddress, workspace: checkWorkspace(workspaceOverride) ?? ofResource };
}

function checkWorkspace(override: string | undefined): string | undefined {
  if (override === undefined || override === '') return override;
  if (!workspaceForm.test(override) || workspaceIn(`//any/${override}`) !== override)
    throw wrongEvent('workspaceOverride has to be workspaces/<id>.');
  return override;
}

function text(name: string, value: string, most: number): void {
  if (value.length > most) throw wrongEvent(`${name} has more than ${most} characters.`);
  if (!isStorable(value)) throw wrongEvent(`${name} has signs that are no text.`);
}

function line(name: string, value: string, least: number, most: number): void {
  if (value.length < least) throw wrongEvent(`${name} is missing.`);
  text(name, value, most);
  if (control.test(value)) throw wrongEvent(`${name} has control signs.`);
}

function pairs(name: string, map: Readonly<Record<string, string>>): void {
  const entries = Object.entries(map);
  if (entries.length > limits.pairs) throw wrongEvent(`${name} has more than ${limits.pairs} pairs.`);
  for (const [key, value] of entries) {
    if (key === '') throw wrongEvent(`${name} has a key that is empty.`);
    text(`A key of ${name}`, key, limits.key);
    text(`${name}.${key}`, value, limits.value);
  }
}

/** What PostgreSQL gives back as it was given: no NUL, and no half of a character. */
export const isStorable = (value: string): boolean => !value.includes('\0') && value.isWellFormed();
