import { issuerSuite } from './suite.ts';
import { keycloakWorld } from './world.ts';

issuerSuite('a Keycloak', keycloakWorld);
