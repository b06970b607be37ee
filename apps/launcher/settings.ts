import { type ConfigOf, integer, optionalText, text } from '@haic/kit/config.ts';
import { loopback } from './ports.ts';

/** What the sandbox tells the launcher; everything about the instance is in the file that HAIC_LAUNCHER_CONFIG names. */
export const launcherSettings = {
  portStatus: integer(
    { env: 'HAIC_PORT_STATUS', doc: "Port of the launcher's own web server: status page, probes." },
    undefined,
    { min: 0, max: 65_535 },
  ),
  portApp: integer(
    { env: 'HAIC_PORT_APP', doc: 'Port that the router sends traffic to once the instance is ready.' },
    undefined,
    { min: 1, max: 65_535 },
  ),
  configFile: text({ env: 'HAIC_LAUNCHER_CONFIG', doc: 'File with what this instance is (LauncherConfig).' }),
  root: text({ env: 'HAIC_ROOT', doc: 'Prefix of /app, /resources and /tmp; empty in a sandbox.' }, ''),
  uv: optionalText({ env: 'HAIC_UV', doc: 'Place of uv, for requirements that have to be built.' }),
  installer: optionalText({
    env: 'HAIC_INSTALLER',
    doc: 'The installer as one file, where there is none for the machine: in pods.',
  }),
  listen: text(
    {
      env: 'HAIC_LISTEN',
      doc: 'Address that the status page and the app are reached at; all addresses (0.0.0.0) in a pod, which has a network of its own.',
    },
    loopback,
  ),
  downloadTimeout: integer(
    { env: 'H2O_CLOUD_APP_DOWNLOAD_TIMEOUT', doc: 'Seconds until fetching the bundle is given up.' },
    300,
    { min: 1 },
  ),
  failureLinger: integer(
    {
      env: 'HAIC_FAILURE_LINGER',
      doc: 'Seconds for which the status page still shows a failure before the launcher ends.',
    },
    2,
    { min: 0, max: 600 },
  ),
};
export type LauncherSettings = ConfigOf<typeof launcherSettings>;
