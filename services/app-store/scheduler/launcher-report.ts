import type { Endpoint } from '@haic/platform/runtime/port.ts';
import { type StageName, type StageState, stageNames } from './model.ts';

/**
 * What the launcher says of its own progress (`GET /status` on the port `status`). The process behind that port runs a user's code:
 * whatever answers is taken as a stranger's word, small, in time and checked.
 */
export interface LauncherReport {
  readonly phase: string;
  readonly message: string;
  readonly stages: readonly ReportedStage[];
  readonly failure: ReportedFailure | undefined;
  /** Why the launcher before this one ended. */
  readonly previousFailure: ReportedFailure | undefined;
}

export interface ReportedFailure {
  readonly message: string;
  readonly lines: readonly string[];
}

export interface ReportedStage {
  readonly name: StageName;
  readonly state: StageState;
  readonly startedAt: string | undefined;
  readonly finishedAt: string | undefined;
}

const timeoutMs = 2_000;
/** Twenty lines of a log are part of it, and a line of a log may be long. */
const longestReport = 512 * 1024;
const longestText = 500;
const mostLines = 20;

/** Undefined when nothing useful was answered: a launcher that is busy, gone or not one. */
export async function readReport(
  endpoint: Endpoint,
  signal: AbortSignal,
): Promise<LauncherReport | undefined> {
  try {
    const host = endpoint.host.includes(':') ? `[${endpoint.host}]` : endpoint.host;
    const response = await fetch(`http://${host}:${endpoint.port}/status`, {
      redirect: 'error',
      headers: { accept: 'application/json' },
      signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
    });
    const text = await readCapped(response);
    return text === undefined ? undefined : parseReport(JSON.parse(text));
  } catch {
    return undefined;
  }
}

async function readCapped(response: Response): Promise<string | undefined> {
  if (!response.ok || response.body === null) {
    await response.body?.cancel();
    return undefined;
  }
  const chunks: Uint8Array[] = [];
  let size = 0;
  // Leaving the loop early cancels the body, which closes the connection.
  for await (const chunk of response.body) {
    size += chunk.byteLength;
    if (size > longestReport) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

export function parseReport(value: unknown): LauncherReport | undefined {
  if (!isRecord(value)) return undefined;
  return {
    phase: text(value.phase),
    message: text(value.message),
    stages: parseStages(value.stages),
    failure: parseFailure(value.failure),
    previousFailure: parseFailure(value.previousFailure),
  };
}

function parseFailure(value: unknown): ReportedFailure | undefined {
  if (!isRecord(value)) return undefined;
  return {
    message: text(value.message),
    lines: Array.isArray(value.lines) ? value.lines.slice(-mostLines).map(text) : [],
  };
}

function parseStages(value: unknown): ReportedStage[] {
  if (!Array.isArray(value)) return [];
  return stageNames.flatMap((name) => {
    const stage: unknown = value.find((candidate) => isRecord(candidate) && candidate.name === name);
    if (!isRecord(stage)) return [];
    const state = (['waiting', 'running', 'done', 'failed'] as const).find((s) => s === stage.state);
    if (state === undefined) return [];
    return [{ name, state, startedAt: time(stage.startedAt), finishedAt: time(stage.finishedAt) }];
  });
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Control characters could move the cursor of whoever prints the text. */
const text = (value: unknown): string =>
  typeof value === 'string' ? value.replaceAll(/\p{Cc}/gu, ' ').slice(0, longestText) : '';

const time = (value: unknown): string | undefined => {
  if (typeof value !== 'string' && typeof value !== 'number') return undefined;
  const date = new Date(value);
  return Number.isNaN(date.getTime()) ? undefined : date.toISOString();
};
