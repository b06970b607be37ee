import { randomUUID } from 'node:crypto';
import { EventEmitter } from 'node:events';
import type { App, Instance, Owner, Stage, StageName, Visibility } from '../../src/api/types.ts';
import { ada, pythonTraceback } from './samples.ts';

const stageNames: readonly StageName[] = ['queued', 'fetching', 'installing', 'starting', 'ready'];
const usual: Partial<Record<StageName, number>> = {
  queued: 0.2,
  fetching: 0.4,
  installing: 3.1,
  starting: 1.8,
};

const inEightHours = () => new Date(Date.now() + 8 * 3600_000).toISOString();

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };

export type InstanceChange = Partial<Pick<Instance, 'visibility' | 'suspendAfter'>>;

/** An instance as the stand-in runs it: its state, its log, and who listens. Nothing is behind it but timers. */
export class StandInInstance {
  readonly events = new EventEmitter().setMaxListeners(0);
  readonly data: Mutable<Instance>;
  log: string[] = [];
  previousLog: string[] = [];
  gone = false;
  private readonly timers = new Set<NodeJS.Timeout>();

  constructor(app: App, visibility: Visibility, owner: Owner, urlOf: (id: string) => string) {
    const id = randomUUID();
    const now = new Date().toISOString();
    this.data = {
      id,
      app: { id: app.id, name: app.name, version: app.version, title: app.title, icon: app.icon },
      owner,
      visibility,
      status: 'PENDING',
      reason: '',
      message: 'Waiting to be started.',
      since: now,
      url: urlOf(id),
      createdAt: now,
      updatedAt: now,
      suspendAfter: 8 * 3600,
      suspendAt: inEightHours(),
      restartCount: 0,
      stages: stageNames.map((name) => this.stage(name, 'waiting')),
      canManage: true,
      canSetSuspendAfter: true,
      canOpen: visibility !== 'PRIVATE' || owner.subject === ada.subject,
      canReadLogs: true,
    };
  }

  private stage(name: StageName, state: Stage['state']): Stage {
    const usualSeconds = usual[name];
    return { name, state, ...(usualSeconds === undefined ? {} : { usualSeconds }) };
  }

  /** Goes through the stages; `milliseconds` each. */
  start(options: { milliseconds: number; fails: boolean }): void {
    const texts = {
      queued: 'Waiting for a place.',
      fetching: 'Fetching the bundle.',
      installing: 'Installing what requirements.txt asks for.',
      starting: 'Starting the app.',
      ready: '',
    };
    stageNames.forEach((name, index) => {
      this.after(options.milliseconds * index, () => {
        const before = stageNames[index - 1];
        if (before !== undefined) this.setStage(before, 'done');
        if (name === 'ready') {
          if (options.fails) this.fail();
          else this.ready();
          return;
        }
        this.setStage(name, 'running');
        this.set({ status: name === 'queued' ? 'PENDING' : 'STARTING', reason: '', message: texts[name] });
        this.write(`[launcher] ${texts[name]}`);
        if (name === 'installing')
          for (let n = 1; n <= 12; n += 1) this.write(`[uv] + package-${n}==1.${n}.0`);
      });
    });
  }

  ready(): void {
    for (const name of stageNames) this.setStage(name, 'done');
    this.write('[waved] \u001b[32mlistening\u001b[0m on :10101');
    this.set({ status: 'DEPLOYED', reason: '', message: '', since: new Date().toISOString() });
  }

  fail(): void {
    const now = new Date().toISOString();
    for (const line of pythonTraceback) this.write(line);
    this.setStage('starting', 'failed');
    this.set({
      status: 'FAILED',
      reason: 'CrashLoopBackOff',
      message:
        'The app ended with exit code 1. It is started again after a pause that grows with each failure.',
      since: now,
      restartCount: this.data.restartCount + 1,
      lastFailure: {
        exitCode: 1,
        reason: 'Error',
        message: 'The app ended with exit code 1.',
        finishedAt: now,
      },
    });
  }

  pause(): void {
    this.stopTimers();
    const now = new Date().toISOString();
    this.set({
      status: 'SUSPENDED',
      reason: 'Pausing',
      message: 'It is being paused. Files in its data volume are kept.',
      since: now,
      updatedAt: now,
      suspendAt: null,
      stages: stageNames.map((name) => this.stage(name, 'waiting')),
    });
    this.after(100, () => {
      const message = 'Paused by its owner. Nothing runs; files in its data volume are kept.';
      this.set({ reason: 'PausedByOwner', message });
    });
  }

  resume(milliseconds: number): void {
    this.set({ status: 'PENDING', reason: '', message: 'Waiting to be started.' });
    this.extend();
    this.start({ milliseconds, fails: false });
  }

  change(change: InstanceChange): void {
    const suspendAt = change.suspendAfter === 'never' ? { suspendAt: null } : {};
    this.set({ ...change, ...suspendAt });
    if (typeof change.suspendAfter === 'number') this.extend();
  }

  extend(): void {
    this.set({ suspendAt: inEightHours(), updatedAt: new Date().toISOString() });
  }

  write(line: string): void {
    this.log.push(line);
    this.events.emit('line');
  }

  set(change: Partial<Mutable<Instance>>): void {
    Object.assign(this.data, change);
    this.events.emit('change');
  }

  end(): void {
    this.set({ status: 'TERMINATING', message: 'Being stopped and removed.' });
    this.stopTimers();
    this.after(150, () => {
      this.gone = true;
      this.events.emit('gone');
    });
  }

  stopTimers(): void {
    for (const timer of this.timers) clearTimeout(timer);
    this.timers.clear();
  }

  private setStage(name: StageName, state: Stage['state']): void {
    const now = new Date().toISOString();
    this.data.stages = this.data.stages.map((stage) => {
      if (stage.name !== name) return stage;
      if (state === 'running') return { ...this.stage(name, state), startedAt: now };
      return { ...stage, state, startedAt: stage.startedAt ?? now, finishedAt: stage.finishedAt ?? now };
    });
  }

  private after(milliseconds: number, then: () => void): void {
    const timer = setTimeout(() => {
      this.timers.delete(timer);
      then();
    }, milliseconds);
    this.timers.add(timer);
  }
}
