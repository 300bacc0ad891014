import { signal } from '@preact/signals';

import { en, type Messages } from './messages/en.js';

export type Language = 'en' | 'zh-CN';

const KEY = 'language';

/** The texts of the page in the language of its reader. */
export const messages = signal<Messages>(en);
export const language = signal<Language>('en');

/** Chooses a language, and remembers it in this browser. */
export async function chooseLanguage(chosen: Language): Promise<void> {
  messages.value = chosen === 'en' ? en : (await import('./messages/zh-CN.js')).zhCN;
  language.value = chosen;
  document.documentElement.lang = chosen;
  document.title = messages.value.title;
  localStorage.setItem(KEY, chosen);
}

/** The language that was chosen before, else the browser's. */
export function preferredLanguage(): Language {
  const stored = localStorage.getItem(KEY);
  return (stored ?? navigator.language).startsWith('zh') ? 'zh-CN' : 'en';
}
