import { describe } from 'node:test';
import { brokering } from './keycloak/brokering.ts';
import { disabledPeople } from './keycloak/disabled-people.ts';
import { keyRotation } from './keycloak/key-rotation.ts';
import { leftBehind } from './keycloak/left-behind.ts';
import { serviceAccounts } from './keycloak/service-accounts.ts';
import { tokenExchange } from './keycloak/token-exchange.ts';
import { issuerSuite } from './suite.ts';
import { keycloakWorld } from './world.ts';

issuerSuite('a Keycloak', keycloakWorld, (world) => {
  disabledPeople(world);
  serviceAccounts(world);
  tokenExchange(world);
  leftBehind(world);
  keyRotation(world);
  describe('that brokers', () => brokering(world));
});
