import { buildConnector } from 'undici';
import { openChannel } from '../channel/channel.ts';
import type { Target } from './client/pool.ts';

/** How undici connects to a target, whatever its URLs say. */
export function connectorTo(
  target: Target,
  options: { readonly timeout?: number; readonly allowHalfOpen?: boolean } = {},
): buildConnector.connector {
  if ('socketPath' in target)
    return buildConnector({ allowH2: false, ...options, socketPath: target.socketPath });
  if (!('channel' in target)) return buildConnector({ allowH2: false, ...options });
  return (_asked, told) => {
    const socket = openChannel(target, { noDelay: true, ...options });
    const { timeout } = options;
    const timer =
      timeout === undefined
        ? undefined
        : setTimeout(() => socket.destroy(new Error(`no answer in ${timeout} ms`)), timeout);
    const failed = (error: Error) => {
      clearTimeout(timer);
      told(error, null);
    };
    socket.once('error', failed).once('secureConnect', () => {
      clearTimeout(timer);
      socket.off('error', failed);
      told(null, socket);
    });
  };
}
