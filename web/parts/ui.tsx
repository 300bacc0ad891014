import { signal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { useEffect, useId, useRef } from 'preact/hooks';

import { messages } from '../language.js';

/** A labelled control with a hint below it. */
export function Field({
  label,
  hint,
  children,
}: {
  label: string;
  hint?: string;
  children: (id: string) => ComponentChildren;
}) {
  const id = useId();
  return (
    <div class="field">
      <label for={id}>{label}</label>
      {children(id)}
      {hint !== undefined && <div class="hint">{hint}</div>}
    </div>
  );
}

export interface TextFieldProps {
  readonly label: string;
  readonly value: string;
  readonly onInput: (value: string) => void;
  readonly hint?: string;
  readonly type?: 'text' | 'password' | 'number' | 'datetime-local';
  readonly isRequired?: boolean;
  readonly autoComplete?: string;
  readonly placeholder?: string;
}

export function TextField({
  label,
  value,
  onInput,
  hint,
  type = 'text',
  isRequired = false,
  autoComplete = 'off',
  placeholder,
}: TextFieldProps) {
  return (
    <Field label={label} {...(hint === undefined ? {} : { hint })}>
      {(id) => (
        <input
          id={id}
          {...({ type } as { type: 'text' })}
          value={value}
          required={isRequired}
          autocomplete={autoComplete}
          placeholder={placeholder}
          onInput={(event) => onInput(event.currentTarget.value)}
        />
      )}
    </Field>
  );
}

export function Check({ label, isOn, onChange }: { label: string; isOn: boolean; onChange: (isOn: boolean) => void }) {
  return (
    <label class="check">
      <input type="checkbox" checked={isOn} onChange={(event) => onChange(event.currentTarget.checked)} />
      {label}
    </label>
  );
}

/** A modal dialog, open as long as it is there. */
export function Dialog({
  title,
  onClose,
  children,
}: {
  title: string;
  onClose: () => void;
  children: ComponentChildren;
}) {
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    dialog.current?.showModal();
  }, []);
  return (
    <dialog ref={dialog} aria-labelledby={id} onClose={onClose} class="fade">
      <div class="stack">
        <h2 id={id}>{title}</h2>
        {children}
      </div>
    </dialog>
  );
}

export function ErrorText({ error }: { error: string }) {
  return error === '' ? null : (
    <p class="error" role="alert">
      {error}
    </p>
  );
}

interface Toast {
  readonly text: string;
  readonly undo?: () => void;
}

const TOAST_MS = 8_000;
const toast = signal<Toast | undefined>(undefined);
let toastTimer = 0;

/** Says what was done, and offers to undo it. */
export function say(text: string, undo?: (() => void) | undefined): void {
  clearTimeout(toastTimer);
  toast.value = undo === undefined ? { text } : { text, undo };
  toastTimer = window.setTimeout(() => {
    toast.value = undefined;
  }, TOAST_MS);
}

export function Toasts() {
  const shown = toast.value;
  return (
    <div role="status" aria-live="polite">
      {shown !== undefined && (
        <div class="toast fade">
          {shown.text}
          {shown.undo !== undefined && (
            <button
              type="button"
              class="button"
              onClick={() => {
                toast.value = undefined;
                shown.undo?.();
              }}
            >
              {messages.value.undo}
            </button>
          )}
        </div>
      )}
    </div>
  );
}

/** Copies a text where the browser allows it; over plain HTTP it cannot, and the text is selected instead. */
export function CopyText({ text, label }: { text: string; label: string }) {
  const field = useRef<HTMLInputElement>(null);
  const copy = (): void => {
    field.current?.select();
    void navigator.clipboard?.writeText(text).then(() => say(messages.value.copied));
  };
  return (
    <div class="row">
      <input ref={field} readOnly value={text} aria-label={label} class="code" />
      <button type="button" class="button" onClick={copy}>
        {messages.value.copy}
      </button>
    </div>
  );
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : messages.value.errors.unknown;
}

/** Does something for a person, and says why where it fails. */
export async function attempt(work: () => Promise<unknown>): Promise<void> {
  try {
    await work();
  } catch (failure) {
    say(messageOf(failure));
  }
}
