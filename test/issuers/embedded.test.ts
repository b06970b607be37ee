import { issuerSuite } from './suite.ts';
import { embeddedWorld } from './world.ts';

issuerSuite("Haic's own issuer", embeddedWorld);
