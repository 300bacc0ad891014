/** A WireGuard interface of this host: of `wiretyped`, or of the kernel. */
export interface HostInterface {
  readonly name: string;
  readonly isRunning: boolean;
  /** Whether there is a file to change. Without one, the interface is only shown. */
  readonly hasFile: boolean;
}

/** A peer of an interface, by its file and by what runs. */
export interface HostPeer {
  /** Absent: the file has no name for it, or does not have it. */
  readonly name?: string;
  readonly publicKey: string;
  readonly state: 'online' | 'asleep' | 'never-seen' | 'disabled' | 'expired' | 'not-running';
  readonly allowedIps: readonly string[];
  readonly endpoint?: string;
  readonly lastHandshakeUnixMs?: number;
  readonly expiresAtUnixMs?: number;
  readonly receivedBytes: number;
  readonly sentBytes: number;
  /** Whether the file has it, so that it can be changed here. */
  readonly isInFile: boolean;
}

export interface HostInterfaceDetail extends HostInterface {
  readonly publicKey?: string;
  readonly listenPort?: number;
  readonly peers: readonly HostPeer[];
}

/** Why a peer has no session, and what to do about it, in sentences. */
export interface PeerExplanation {
  readonly reason: string;
  readonly advice: readonly { readonly problem: string; readonly nextStep: string }[];
}

/**
 * The interfaces of this host with their files: changes keep comments, and reach the running interface.
 *
 * @throws {ApiError} ERR_INTERFACE with the sentence that the command line has.
 */
export interface HostInterfaces {
  list(): Promise<readonly HostInterface[]>;
  get(name: string): Promise<HostInterfaceDetail>;
  explain(name: string, publicKey: string): Promise<PeerExplanation>;
  /** @returns The peer's file, with the line of the private key left empty. */
  addPeer(name: string, peer: { readonly name: string; readonly publicKey: string }): Promise<string>;
  renamePeer(name: string, publicKey: string, peerName: string): Promise<void>;
  setDisabled(name: string, publicKey: string, isDisabled: boolean): Promise<void>;
  removePeer(name: string, publicKey: string): Promise<void>;
}
