/** An echo of a device on its way out. */
export interface OutgoingEcho {
  /** Address of the host to ask. */
  readonly target: string;
  readonly family: 4 | 6;
  readonly sequence: number;
  readonly data: Uint8Array;
}

/** A flow of echoes to one target: what is sent, and what comes back. */
export interface EchoFlow {
  send(echo: OutgoingEcho): void;
  close(): void;
}

/** A way to send echoes from this host. */
export interface EchoSender {
  /** Opens a flow. @param onReply Called with the sequence number and the data of each reply. */
  open(family: 4 | 6, onReply: (sequence: number, data: Uint8Array) => void): EchoFlow;
}
