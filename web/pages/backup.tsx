import { useRef, useState } from 'preact/hooks';

import { call } from '../api.js';
import { messages } from '../language.js';
import { attempt, say } from '../parts/ui.js';

const RESTART_MS = 3_000;

/** The state as a file: to keep, and to go back to. */
export function Backup({ mayRestore }: { mayRestore: boolean }) {
  const [isRestoring, setRestoring] = useState(false);
  const file = useRef<HTMLInputElement>(null);
  const m = messages.value.settings;
  const download = () =>
    attempt(async () => {
      const { name, data } = await call<{ name: string; data: string }>('POST', '/backup/download', {});
      const link = document.createElement('a');
      link.href = URL.createObjectURL(new Blob([bytesOf(data)], { type: 'application/vnd.sqlite3' }));
      link.download = name;
      link.click();
      URL.revokeObjectURL(link.href);
    });
  const restore = () =>
    attempt(async () => {
      const chosen = file.current?.files?.[0];
      if (chosen === undefined) return;
      await call('POST', '/backup/restore', { data: base64Of(new Uint8Array(await chosen.arrayBuffer())) });
      setRestoring(true);
      say(m.restored);
      setTimeout(() => location.reload(), RESTART_MS);
    });
  return (
    <section class="card stack">
      <h2>{m.backup}</h2>
      <p class="hint">{m.backupText}</p>
      <div>
        <button type="button" class="button" onClick={() => void download()}>
          {m.download}
        </button>
      </div>
      {mayRestore && (
        <div class="row">
          <label>
            {m.restoreFrom} <input ref={file} type="file" accept=".db" />
          </label>
          <button type="button" class="button danger" disabled={isRestoring} onClick={() => void restore()}>
            {m.restore}
          </button>
        </div>
      )}
    </section>
  );
}

function bytesOf(base64: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
}

function base64Of(bytes: Uint8Array): string {
  const parts: string[] = [];
  for (let at = 0; at < bytes.length; at += 0x8000) parts.push(String.fromCharCode(...bytes.subarray(at, at + 0x8000)));
  return btoa(parts.join(''));
}
