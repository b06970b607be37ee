// `node apps/web/dev/serve-stand-in.ts [port]`: look at the built portal without a platform behind it (see stand-in/stand-in.ts).
import { StandIn } from './stand-in/stand-in.ts';

const standIn = new StandIn();
standIn.stageMilliseconds = 1500;
await standIn.start(Number(process.argv[2] ?? 8099));
process.stdout.write(`The portal on a stand-in of the platform: ${standIn.url}\n`);
