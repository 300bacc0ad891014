import { useState } from 'preact/hooks';

import { messages } from '../language.js';
import { devices } from '../live.js';
import { go } from '../router.js';
import { Dialog } from './ui.js';

const MOST = 12;

interface Entry {
  readonly text: string;
  readonly hash: string;
}

/** Pages, actions and devices by a few letters, from the keyboard. */
export function Palette({ pages, onClose }: { pages: readonly Entry[]; onClose: () => void }) {
  const [search, setSearch] = useState('');
  const [at, setAt] = useState(0);
  const m = messages.value;
  const all = [
    ...pages,
    ...[...devices.value.values()].map(({ id, name }) => ({ text: name, hash: `#/devices/${id}` })),
  ];
  const found = all.filter(({ text }) => text.toLowerCase().includes(search.toLowerCase())).slice(0, MOST);
  const open = (entry: Entry | undefined): void => {
    if (entry === undefined) return;
    onClose();
    go(entry.hash);
  };
  const onKey = (event: KeyboardEvent): void => {
    if (event.key === 'Enter') open(found[at]);
    else if (event.key === 'ArrowDown') setAt(Math.max(0, Math.min(found.length - 1, at + 1)));
    else if (event.key === 'ArrowUp') setAt(Math.max(0, at - 1));
    else return;
    event.preventDefault();
  };
  return (
    <Dialog title={m.palette} onClose={onClose}>
      <input
        type="search"
        // biome-ignore lint/a11y/noRedundantRoles: without a list of its own it has no such role
        role="combobox"
        list={undefined}
        aria-expanded="true"
        aria-controls="palette"
        aria-activedescendant={`palette-${at}`}
        aria-label={m.palette}
        value={search}
        onInput={(event) => {
          setSearch(event.currentTarget.value);
          setAt(0);
        }}
        onKeyDown={onKey}
      />
      <div role="listbox" id="palette" aria-label={m.palette} class="palette">
        {found.map((entry, index) => (
          // biome-ignore lint/a11y/useKeyWithClickEvents: the keys are those of the field above
          <div
            key={entry.hash}
            id={`palette-${index}`}
            role="option"
            tabIndex={-1}
            aria-selected={index === at}
            onClick={() => open(entry)}
          >
            {entry.text}
          </div>
        ))}
      </div>
    </Dialog>
  );
}
