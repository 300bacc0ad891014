import type { NodeBody } from '../../server/operations/mesh-schemas.js';
import type { CommandIo } from '../command.js';

/** A stock node with its file, as the hub's API hands it over. */
export interface StockBody {
  readonly node: NodeBody;
  /** Without the private key, which the hub does not have. */
  readonly file: string;
  /** Sections that the files of other stock nodes lack. */
  readonly introductions: readonly { readonly name: string; readonly section: string }[];
}

/** Says what other stock nodes need in their files, whose private keys nobody but they have. */
export function tellIntroductions({ node, introductions }: StockBody, io: CommandIo): void {
  for (const { name, section } of introductions)
    io.writeError(`Add this to the file of ${name}, so that it knows ${node.name}:\n\n${section}\n\n`);
}
