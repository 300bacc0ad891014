import type { CandidateText, Report } from '../map/messages.js';
import type { PeerPaths } from '../paths/peer-paths.js';
import type { MappedAddress } from '../probes/stun-message.js';
import type { ControlClient } from './control-client.js';
import { localCandidates } from './local-candidates.js';

const DEBOUNCE_MS = 2_000;
const MAX_PATHS = 512;
const MAX_CANDIDATES = 16;

export interface AgentReportOptions {
  readonly control: ControlClient;
  readonly paths: PeerPaths;
  readonly port: () => number;
  readonly subnets: () => readonly string[];
}

/** Tells the hub where this host may be reached, and by which paths it reaches others: at once after it connects, then on change. */
export class AgentReport {
  readonly #options: AgentReportOptions;
  #timer: NodeJS.Timeout | undefined;
  #sent = '';
  #portMapping: MappedAddress | undefined;

  constructor(options: AgentReportOptions) {
    this.#options = options;
  }

  setPortMapping(mapping: MappedAddress | undefined): void {
    this.#portMapping = mapping;
    this.changed();
  }

  /** The connection is new: the hub knows nothing. */
  opened(): void {
    this.#sent = '';
    this.#send();
  }

  changed(): void {
    this.#timer ??= setTimeout(() => this.#send(), DEBOUNCE_MS).unref();
  }

  close(): void {
    clearTimeout(this.#timer);
  }

  #send(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const report = this.#make();
    const text = JSON.stringify({ ...report, rttMs: undefined });
    if (text === this.#sent || !this.#options.control.isOpen) return;
    this.#sent = text;
    this.#options.control.send(report);
  }

  #make(): Report {
    const { paths, port, subnets } = this.#options;
    const { mapped, mapping, rttMs } = paths.hub;
    const candidates: CandidateText[] = localCandidates({
      port: port(),
      subnets: subnets(),
      mapped,
      portMapping: this.#portMapping,
    });
    const kinds = [...paths.views()].map(([node, { kind }]) => [node, kind] as const);
    const told = [...kinds.filter(([, kind]) => kind === 'direct'), ...kinds.filter(([, kind]) => kind !== 'direct')];
    return {
      type: 'report',
      candidates: candidates.slice(0, MAX_CANDIDATES),
      mapping,
      ...(rttMs === undefined ? {} : { rttMs }),
      paths: Object.fromEntries(told.slice(0, MAX_PATHS)),
    };
  }
}
