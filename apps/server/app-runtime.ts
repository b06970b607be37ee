import type { Logger } from '@haic/kit/logging.ts';
import type { Runtime } from '@haic/platform/runtime/port.ts';
import type { SchedulerOptions } from '@haic/services/app-store/scheduler/scheduler.ts';
import type { Installation } from './installation.ts';
import { createLocalAppRuntime } from './local-app-runtime.ts';
import type { ServerSettings } from './settings.ts';

/** What apps run on, and what they are told of it. */
export interface AppRuntime
  extends Pick<SchedulerOptions, 'launcher' | 'installer' | 'network' | 'runtimeVersions'> {
  readonly runtime: Runtime;
  /** Starts what is to run, once instances are what they have to be for this installation. */
  begin(): void;
  /** Ends what it does by itself. It is stopped after the server, whose calls still ask it. */
  beginStop(): void;
  stop(): Promise<void>;
}

export interface AppRuntimeOptions {
  readonly settings: ServerSettings;
  readonly installation: Installation;
  readonly logger: Logger;
}

/** The one place that picks. What speaks to a cluster is not even loaded on a laptop. */
export async function createAppRuntime(options: AppRuntimeOptions): Promise<AppRuntime> {
  if (options.settings.runtime === 'kubernetes')
    return (await import('./kubernetes-app-runtime.ts')).createKubernetesAppRuntime(options);
  return createLocalAppRuntime(options);
}
