import type { InstanceLog } from './instance-log.ts';

export type StageName = 'fetching' | 'installing' | 'starting' | 'ready';
export type Phase = StageName | 'failed' | 'stopping';

export interface Stage {
  readonly name: StageName;
  /** What the visitor reads; the first two are the vendor's own words (contract wave-app §3). */
  readonly title: string;
  readonly state: 'waiting' | 'running' | 'done' | 'failed';
  readonly startedAt?: string;
  readonly finishedAt?: string;
}

export interface Failure {
  readonly message: string;
  readonly lines: readonly string[];
  readonly at: string;
}

export interface StatusSnapshot {
  readonly phase: Phase;
  readonly since: string;
  readonly message: string;
  readonly stages: readonly Stage[];
  readonly failure?: Failure;
  /** Why the launcher before this one ended; also when the app is ready again, since whoever asks why it restarted asks later. */
  readonly previousFailure?: Failure;
  readonly lines: readonly string[];
}

const titles: Record<StageName, string> = {
  fetching: 'Sourcing The Wave Application',
  installing: 'Installing Application Dependencies',
  starting: 'Starting The Application',
  ready: 'Ready',
};
const order: readonly StageName[] = ['fetching', 'installing', 'starting', 'ready'];

/** fetching → installing → starting → ready; any of them → failed or stopping. Nothing leads back: a restart is a new process. */
export class LaunchStatus {
  #phase: Phase = 'fetching';
  #since = new Date().toISOString();
  #message = '';
  #failure: Failure | undefined;
  #previousFailure: Failure | undefined;
  readonly #stages: Stage[];
  readonly #log: InstanceLog;
  readonly #listeners = new Set<() => void>();

  constructor(log: InstanceLog) {
    this.#log = log;
    this.#stages = order.map((name) => ({ name, title: titles[name], state: 'waiting' }));
    this.#set('fetching', { state: 'running', startedAt: this.#since });
  }

  get ready(): boolean {
    return this.#phase === 'ready';
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Marks every earlier stage done. Ignored once the instance failed or stops. */
  enter(stage: StageName): void {
    if (this.#phase === 'failed' || this.#phase === 'stopping') return;
    const now = new Date().toISOString();
    for (const current of [...this.#stages]) {
      if (current.state === 'running') this.#set(current.name, { state: 'done', finishedAt: now });
    }
    this.#set(stage, { state: stage === 'ready' ? 'done' : 'running', startedAt: now });
    this.#change(stage, '');
  }

  /** One sentence about what is being waited for. */
  say(message: string): void {
    if (message === this.#message) return;
    this.#message = message;
    this.#notify();
  }

  fail(message: string, lines: readonly string[]): Failure {
    const now = new Date().toISOString();
    this.#failure = { message, lines: lines.slice(-20).map((line) => line.slice(0, 500)), at: now };
    for (const current of [...this.#stages]) {
      const unfinished = current.state === 'running' || current.name === 'ready';
      if (unfinished && current.state !== 'waiting')
        this.#set(current.name, { state: 'failed', finishedAt: now });
    }
    this.#change('failed', message);
    return this.#failure;
  }

  stopping(): void {
    this.#change('stopping', 'The instance is being stopped.');
  }

  remember(previous: Failure | undefined): void {
    this.#previousFailure = previous;
  }

  snapshot(): StatusSnapshot {
    return {
      phase: this.#phase,
      since: this.#since,
      message: this.#message,
      stages: [...this.#stages],
      ...(this.#failure === undefined ? {} : { failure: this.#failure }),
      ...(this.#previousFailure === undefined ? {} : { previousFailure: this.#previousFailure }),
      // Readers of the JSON take a limited answer.
      lines: this.#log.last(20).map((line) => line.slice(0, 300)),
    };
  }

  #set(name: StageName, change: Partial<Stage>): void {
    const index = order.indexOf(name);
    const stage = this.#stages[index];
    if (stage !== undefined) this.#stages[index] = { ...stage, ...change };
  }

  #change(phase: Phase, message: string): void {
    this.#phase = phase;
    this.#since = new Date().toISOString();
    this.#message = message;
    this.#notify();
  }

  #notify(): void {
    for (const listener of this.#listeners) listener();
  }
}
