import { readConfig } from '@haic/kit/config.ts';
import { sleep } from '@haic/kit/deadline.ts';
import { messageOf } from '@haic/kit/errors.ts';
import { LaunchFailure } from './failure.ts';
import { InstanceLog } from './instance-log.ts';
import { launch, type Owned } from './launch.ts';
import { launcherPaths } from './paths.ts';
import { readPreviousFailure, writePreviousFailure } from './previous-failure.ts';
import { type LauncherSettings, launcherSettings } from './settings.ts';
import { LaunchStatus } from './status.ts';
import { startStatusServer } from './status-server.ts';

/** Of the runtime's 20 s between SIGTERM and SIGKILL. */
const appGraceMs = 13_000;
const wavedGraceMs = 3_000;

/** HAIC Launcher: the main process of an app instance. Ends with 0 when it was asked to stop, else with 1: the runtime starts it again. */
async function main(): Promise<number> {
  // Nobody reads any more: the app's work goes on all the same.
  process.stdout.on('error', () => {});
  const log = new InstanceLog();
  let settings: LauncherSettings;
  try {
    settings = readConfig(launcherSettings, process.env);
  } catch (error) {
    log.line('launcher', messageOf(error));
    return 2;
  }
  try {
    return await runWith(settings, log);
  } catch (error) {
    log.line('launcher', `FAILED: The launcher itself failed: ${messageOf(error)}`);
    return 1;
  }
}

async function runWith(settings: LauncherSettings, log: InstanceLog): Promise<number> {
  const stop = new AbortController();
  const status = new LaunchStatus(log);
  const { notes } = launcherPaths(settings.root);
  // Before anybody can look: a page without it would say that nothing had happened.
  status.remember(await readPreviousFailure(notes));
  let facts = { appName: 'App instance', appVersion: '' };
  const server = await startStatusServer({
    host: settings.listen,
    port: settings.portStatus,
    facts: () => facts,
    status,
    log,
  });
  log.line('launcher', `Status page on ${settings.listen}:${server.port}`);
  const owned: Owned = { waved: undefined, app: undefined, tokenEndpoint: undefined };
  const asked = (signal: string) => {
    if (!stop.signal.aborted) log.line('launcher', `${signal}: stopping the app, then waved.`);
    status.stopping();
    stop.abort(new Error(`asked to stop by ${signal}`));
  };
  process.on('uncaughtException', (error) => {
    log.line('launcher', `FAILED: The launcher itself failed: ${messageOf(error)}`);
    for (const child of [owned.app, owned.waved]) child?.killGroup();
    process.exit(1);
  });
  process.on('SIGTERM', () => asked('SIGTERM'));
  process.on('SIGINT', () => asked('SIGINT'));

  try {
    await launch({
      settings,
      inherited: process.env,
      log,
      status,
      owned,
      onConfig: (config) => {
        facts = { appName: config.appName, appVersion: config.appVersion };
      },
      signal: stop.signal,
    });
  } catch (error) {
    if (!stop.signal.aborted) await tellFailure(error, { log, status, notes });
  }
  await stopAll(owned);
  if (stop.signal.aborted) {
    log.line('launcher', 'Stopped.');
    await server.close();
    return 0;
  }
  await sleep(settings.failureLinger * 1000, stop.signal).catch(() => {});
  await server.close();
  return 1;
}

async function tellFailure(
  error: unknown,
  { log, status, notes }: { log: InstanceLog; status: LaunchStatus; notes: string },
): Promise<void> {
  const known = error instanceof LaunchFailure;
  const message = known ? error.message : `The launcher itself failed: ${messageOf(error)}`;
  const failure = status.fail(message, known ? error.lines : []);
  for (const line of message.split('\n')) log.line('launcher', `FAILED: ${line}`);
  // The next start shows it; a full disk must not hide the failure that it caused.
  await writePreviousFailure(notes, failure).catch(() => {});
}

/** The app first: it unregisters and saves while waved is still there to hear it. */
async function stopAll(owned: Owned): Promise<void> {
  await owned.app?.stop(appGraceMs);
  await owned.waved?.stop(wavedGraceMs);
  owned.tokenEndpoint?.close();
}

process.exitCode = await main();
// Nothing that is left open may keep an instance alive that has no app any more.
process.exit();
