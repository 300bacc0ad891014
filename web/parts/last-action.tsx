import { lastAction } from '../api.js';
import { commandOf, curlOf } from '../commands.js';
import { messages } from '../language.js';
import { devices } from '../live.js';
import { say } from './ui.js';

/** Offers what was done last for curl and for the command line. */
export function LastAction() {
  const action = lastAction.value;
  const m = messages.value;
  if (action === undefined) return null;
  const copy = (text: string): void => {
    const copied = navigator.clipboard?.writeText(text);
    if (copied === undefined) say(text);
    else void copied.then(() => say(m.copied));
  };
  const nameOf = (id: string): string => devices.value.get(id)?.name ?? id;
  return (
    <div class="row last-action">
      <button type="button" class="button plain" onClick={() => copy(curlOf(action))}>
        {m.copyCurl}
      </button>
      <button type="button" class="button plain" onClick={() => copy(commandOf(action, nameOf))}>
        {m.copyCommand}
      </button>
    </div>
  );
}
