/** An answer or a WebSocket that is under way and must end when the right to it ends. */
export interface LiveConnection {
  readonly portalSessionId: string | undefined;
  readonly subject: string | undefined;
  readonly instanceId: string | undefined;
  /** Whether whoever opened it still may, by what is known now. */
  readonly stillAllowed: () => boolean;
  readonly close: () => void;
}

/** What is open right now, by session, person and instance. */
export interface LiveConnections {
  add(connection: LiveConnection): void;
  remove(connection: LiveConnection): void;
  sessionIds(): string[];
  endSession(portalSessionId: string): void;
  endPerson(subject: string): void;
  endInstance(instanceId: string): void;
  recheckInstance(instanceId: string): void;
  recheckSession(portalSessionId: string): void;
  endAll(): void;
}

type Index = Map<string, Set<LiveConnection>>;

export function createLiveConnections(): LiveConnections {
  const bySession: Index = new Map();
  const byInstance: Index = new Map();
  const others = new Set<LiveConnection>();

  const every = function* () {
    for (const set of bySession.values()) yield* set;
    yield* others;
  };
  const endWhere = (candidates: Iterable<LiveConnection>, ends: (connection: LiveConnection) => boolean) => {
    for (const connection of [...candidates]) if (ends(connection)) connection.close();
  };
  return {
    add: (connection) => {
      if (connection.portalSessionId === undefined) others.add(connection);
      else put(bySession, connection.portalSessionId, connection);
      if (connection.instanceId !== undefined) put(byInstance, connection.instanceId, connection);
    },
    remove: (connection) => {
      if (connection.portalSessionId === undefined) others.delete(connection);
      else take(bySession, connection.portalSessionId, connection);
      if (connection.instanceId !== undefined) take(byInstance, connection.instanceId, connection);
    },
    sessionIds: () => [...bySession.keys()],
    endSession: (id) => endWhere(bySession.get(id) ?? [], () => true),
    endPerson: (subject) => endWhere(every(), (connection) => connection.subject === subject),
    endInstance: (id) => endWhere(byInstance.get(id) ?? [], () => true),
    recheckInstance: (id) => endWhere(byInstance.get(id) ?? [], (connection) => !connection.stillAllowed()),
    recheckSession: (id) => endWhere(bySession.get(id) ?? [], (connection) => !connection.stillAllowed()),
    endAll: () => endWhere(every(), () => true),
  };
}

function put(index: Index, key: string, connection: LiveConnection): void {
  const set = index.get(key);
  if (set === undefined) index.set(key, new Set([connection]));
  else set.add(connection);
}

function take(index: Index, key: string, connection: LiveConnection): void {
  const set = index.get(key);
  set?.delete(connection);
  if (set?.size === 0) index.delete(key);
}
