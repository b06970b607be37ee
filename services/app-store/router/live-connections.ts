/** An answer or a WebSocket that is under way and must end when the right to it ends. */
export interface LiveConnection {
  readonly portalSessionId: string | undefined;
  readonly subject: string | undefined;
  readonly instanceId: string | undefined;
  /** Whether whoever opened it still may, by what is known now. */
  readonly stillAllowed: () => boolean;
  readonly close: () => void;
}

/** What is open right now. */
export interface LiveConnections {
  /** Returns what forgets it again. */
  add(connection: LiveConnection): () => void;
  sessionIds(): string[];
  endSession(portalSessionId: string): void;
  endPerson(subject: string): void;
  endInstance(instanceId: string): void;
  /** Everything but what nobody signed in for. */
  endSignedIn(): void;
  recheckInstance(instanceId: string): void;
  recheckSession(portalSessionId: string): void;
  endAll(): void;
}

interface Link {
  readonly connection: LiveConnection | undefined;
  previous: Link | undefined;
  next: Link | undefined;
}

/**
 * A linked ring, and no Set or Map. Each request comes and goes here, and V8's hash tables keep, by a pointer from each table that was
 * outgrown to the next, all that has passed through a long-lived one until a full garbage collection: measured, a third of what a
 * request costs. Ending goes through all that is open, which is rare and takes a millisecond for some ten thousand.
 */
export function createLiveConnections(): LiveConnections {
  const ring: Link = { connection: undefined, previous: undefined, next: undefined };
  ring.previous = ring;
  ring.next = ring;

  const where = (wanted: (connection: LiveConnection) => boolean): LiveConnection[] => {
    const found: LiveConnection[] = [];
    for (let link = ring.next; link?.connection !== undefined; link = link.next)
      if (wanted(link.connection)) found.push(link.connection);
    return found;
  };
  const endWhere = (ends: (connection: LiveConnection) => boolean) => {
    for (const connection of where(ends)) connection.close();
  };
  return {
    add: (connection) => {
      const link: Link = { connection, previous: ring.previous, next: ring };
      if (ring.previous !== undefined) ring.previous.next = link;
      ring.previous = link;
      return () => {
        if (link.next === undefined) return;
        link.next.previous = link.previous;
        if (link.previous !== undefined) link.previous.next = link.next;
        // What has left points at nothing, or it would keep what came after it.
        link.next = undefined;
        link.previous = undefined;
      };
    },
    sessionIds: () => [...new Set(where(() => true).flatMap(({ portalSessionId }) => portalSessionId ?? []))],
    endSession: (id) => endWhere((connection) => connection.portalSessionId === id),
    endPerson: (subject) => endWhere((connection) => connection.subject === subject),
    endSignedIn: () => endWhere(({ subject }) => subject !== undefined),
    endInstance: (id) => endWhere((connection) => connection.instanceId === id),
    recheckInstance: (id) =>
      endWhere((connection) => connection.instanceId === id && !connection.stillAllowed()),
    recheckSession: (id) =>
      endWhere((connection) => connection.portalSessionId === id && !connection.stillAllowed()),
    endAll: () => endWhere(() => true),
  };
}
