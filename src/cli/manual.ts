/** The kinds of words that the names on a machine can complete. */
export type WordKind =
  /** Interfaces that a daemon answers for. */
  | 'running'
  /** Interfaces that have a file in /etc/wireguard. */
  | 'configured'
  /** Configuration files. */
  | 'config-file'
  | 'file'
  /** Public keys of the peers of the running interface that the first word names. */
  | 'peer-key'
  /** Names and public keys of the peers in the file that the first word names. */
  | 'peer-name';

/** The words that are possible in one place of a command line. Absent: anything. */
export interface Completed {
  readonly kinds?: readonly WordKind[];
  /** Literal words. */
  readonly choices?: readonly string[];
}

/** A word of a command line, by its place. */
export interface WordManual extends Completed {
  readonly name: string;
  /** Absent: the surrounding text is enough. */
  readonly about?: string;
}

/** A word that is written as it is, with what follows it. */
export interface KeywordManual extends Completed {
  /** Stands for the value in the help; absent: there is none. */
  readonly value?: string;
  readonly about: string;
}

/** An option, in a form that `parseArgs` of `node:util` also accepts. */
export interface OptionManual extends KeywordManual {
  readonly type: 'boolean' | 'string';
  readonly short?: string;
  /** The option may be given several times. */
  readonly multiple?: boolean;
  /** Values have spaces: in a variable, commas and ends of lines alone separate them. */
  readonly hasSpaces?: boolean;
}

/** Options by their names without dashes, in the order in which they are shown. */
export type OptionManuals = Readonly<Record<string, OptionManual>>;

/** The options that the environment sets as well, by variables of their names. */
export interface Settings {
  readonly options: readonly string[];
  /** The actions that read these variables; the first is that of a command line without one. Absent: there are no actions. */
  readonly actions?: readonly string[];
  /** Options whose variables every action reads. */
  readonly always?: readonly string[];
}

/**
 * The complete description of a program or command: `--help`, the manual pages and the completion in the shells are
 * made from it, and the command reads its options with it.
 */
export interface Manual {
  /** The usage after the name; further lines are indented below the first. */
  readonly usage: string;
  /** Paragraphs, with empty lines between them. Lines are joined and wrapped anew. */
  readonly about: string;
  readonly words: readonly WordManual[];
  readonly options: OptionManuals;
  /** Keywords that follow the words of `set`: about the interface, and from the first `peer` on about a peer. */
  readonly keywords?: { readonly interface: Keywords; readonly peer: Keywords };
  readonly settings?: Settings;
  /** Further variables, with or without a value. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Paragraphs after the lists. */
  readonly notes?: string;
  /** Command lines. */
  readonly examples: readonly string[];
}

export type Keywords = Readonly<Record<string, KeywordManual>>;

/** Returns the option of every command that writes JSON. @param schema The file in `schema/` that describes it. */
export function jsonOption(schema: string): { readonly json: { readonly type: 'boolean'; readonly about: string } } {
  return { json: { type: 'boolean', about: `as JSON; schema/${schema}.json in the package describes it` } };
}

/** An interface that has a file, or a file. */
export const TARGET = {
  name: 'INTERFACE|FILE',
  kinds: ['configured', 'config-file'],
} as const satisfies WordManual;

/** A peer in the file that the first word names. */
export const PEER = { name: 'NAME|KEY', kinds: ['peer-name'] } as const satisfies WordManual;

/** An interface that runs. */
export const RUNNING = { name: 'INTERFACE', kinds: ['running'] } as const satisfies WordManual;
