/** The connection ended before everything was sent, in one direction or the other. Nobody is there to be told. */
export class ClientGone extends Error {
  constructor() {
    super('The client went away before everything was sent.');
  }
}
