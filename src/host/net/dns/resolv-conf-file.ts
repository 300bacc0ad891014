/**
 * /etc/resolv.conf without a program that manages it.
 *
 * The old file is moved aside, and moved back when the last tunnel goes down: a symbolic link stays a link.
 * The settings of each tunnel stand in comments, so no other record is needed:
 *
 * ```text
 * # Written by wiretype. The file that was here is /etc/resolv.conf.before-wiretype
 * # wg1: nameserver 10.1.0.1
 * # wg0: nameserver 10.0.0.1
 * nameserver 10.1.0.1                  the tunnel that came last counts
 * ```
 *
 * Source: resolv.conf(5).
 */
import {
  chmodSync,
  copyFileSync,
  existsSync,
  lstatSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';

import { WireGuardError } from '../../../core/errors.js';
import type { Commands } from '../commands.js';
import { isSystemError } from '../system-error.js';
import { type DnsBackend, type DnsSettings, resolvLines } from './dns-settings.js';

const FIRST_LINE = '# Written by wiretype.';
const NOTE = /^# ([^ :]+): (nameserver|search) (.*)$/;
const OPTIONS_LINE = /^\s*options\s.*$/gm;
const MODE = 0o644;

/** One line that a tunnel wants in the file. */
interface Note {
  readonly interfaceName: string;
  readonly line: string;
}

export class ResolvConfFile implements DnsBackend {
  readonly name = 'resolv.conf';
  readonly #commands: Commands;
  readonly #file: string;
  readonly #backup: string;

  constructor(commands: Commands, file = '/etc/resolv.conf') {
    this.#commands = commands;
    this.#file = file;
    this.#backup = `${file}.before-wiretype`;
  }

  isInUse(): boolean {
    return true;
  }

  async set(interfaceName: string, settings: DnsSettings): Promise<void> {
    this.#commands.echo(['write', this.#file]);
    const notes = resolvLines(plainSettings(settings)).map((line) => ({ interfaceName, line }));
    this.#attempt(() => {
      const others = this.#notes()?.filter((note) => note.interfaceName !== interfaceName);
      if (others === undefined) this.#takeOver(notes);
      else this.#write([...notes, ...others]);
    });
  }

  async unset(interfaceName: string): Promise<void> {
    this.#attempt(() => {
      const notes = this.#notes();
      if (notes === undefined) return this.#forgetBackup();

      const others = notes.filter((note) => note.interfaceName !== interfaceName);
      if (others.length === notes.length) return;
      this.#commands.echo([others.length === 0 ? 'restore' : 'write', this.#file]);
      if (others.length === 0) this.#restore();
      else this.#write(others);
    });
  }

  /** @returns The settings of the tunnels, newest first; `undefined` if the file is not ours. */
  #notes(): Note[] | undefined {
    const text = readIfPresent(this.#file);
    if (text === undefined || !text.startsWith(FIRST_LINE)) return undefined;
    const matches = text.split('\n').map((line) => NOTE.exec(line));
    return matches.flatMap((match) =>
      match === null ? [] : [{ interfaceName: match[1]!, line: `${match[2]} ${match[3]}` }],
    );
  }

  #write(notes: readonly Note[]): void {
    const before = readIfPresent(this.#backup);
    const newest = notes[0]?.interfaceName;
    const lines = [
      `${FIRST_LINE} ${before === undefined ? 'There was no file here' : `The file that was here is ${this.#backup}`}`,
      ...notes.map(({ interfaceName, line }) => `# ${interfaceName}: ${line}`),
      ...notes.filter(({ interfaceName }) => interfaceName === newest).map(({ line }) => line),
      ...((before ?? '').match(OPTIONS_LINE) ?? []),
    ];
    this.#replace(`${lines.join('\n')}\n`);
  }

  /** Replaces the file: readers see the old file or the new one. A file that is a mount point is overwritten instead. */
  #replace(text: string): void {
    const temporary = `${this.#file}.${process.pid}.wiretype`;
    try {
      writeFileSync(temporary, text, { flag: 'wx' });
      chmodSync(temporary, MODE); // regardless of the umask: every program reads the file
      renameSync(temporary, this.#file);
    } catch (error) {
      rmSync(temporary, { force: true });
      if (!isMountPoint(error)) throw error;
      writeFileSync(this.#file, text);
    }
  }

  #takeOver(notes: readonly Note[]): void {
    this.#moveAside();
    try {
      this.#write(notes);
    } catch (error) {
      this.#restore();
      throw error;
    }
  }

  #moveAside(): void {
    rmSync(this.#backup, { force: true });
    if (!isThere(this.#file)) return;
    try {
      renameSync(this.#file, this.#backup);
    } catch (error) {
      if (!isMountPoint(error)) throw error;
      copyFileSync(this.#file, this.#backup);
    }
  }

  #restore(): void {
    if (!isThere(this.#backup)) {
      rmSync(this.#file, { force: true });
      return;
    }
    try {
      renameSync(this.#backup, this.#file);
    } catch (error) {
      if (!isMountPoint(error)) throw error;
      copyFileSync(this.#backup, this.#file);
      rmSync(this.#backup);
    }
  }

  /** Discards the backup after another program has written the file, whose new content counts. */
  #forgetBackup(): void {
    if (!isThere(this.#backup)) return;
    this.#commands.warn(`${this.#file} was changed by another program: it is left as it is`);
    rmSync(this.#backup);
  }

  #attempt(action: () => void): void {
    try {
      action();
    } catch (error) {
      if (!isSystemError(error)) throw error;
      throw new WireGuardError('ERR_DNS', `${this.#file}: ${error.message}`, { cause: error });
    }
  }
}

/** Removes routing domains, which the C library does not support: `~corp.example` is for systemd-resolved alone. */
function plainSettings({ servers, searchDomains }: DnsSettings): DnsSettings {
  return { servers, searchDomains: searchDomains.filter((domain) => !domain.startsWith('~')) };
}

function isMountPoint(error: unknown): boolean {
  return isSystemError(error) && (error.code === 'EBUSY' || error.code === 'EXDEV');
}

/** Tests whether a file exists. A dangling link exists, too. */
function isThere(file: string): boolean {
  return lstatSync(file, { throwIfNoEntry: false }) !== undefined;
}

function readIfPresent(file: string): string | undefined {
  return existsSync(file) ? readFileSync(file, 'latin1') : undefined;
}
