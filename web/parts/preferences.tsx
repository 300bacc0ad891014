import { chooseLanguage, type Language, language, messages } from '../language.js';
import { chooseTheme, type Theme, theme } from '../theme.js';

/** Language and theme of this browser. */
export function Preferences() {
  const m = messages.value;
  return (
    <div class="foot">
      <label>
        {m.languageLabel}
        <select value={language.value} onChange={(event) => void chooseLanguage(event.currentTarget.value as Language)}>
          <option value="en">English</option>
          <option value="zh-CN" lang="zh-CN">
            简体中文
          </option>
        </select>
      </label>
      <label>
        {m.theme.label}
        <select value={theme.value} onChange={(event) => chooseTheme(event.currentTarget.value as Theme)}>
          <option value="system">{m.theme.system}</option>
          <option value="light">{m.theme.light}</option>
          <option value="dark">{m.theme.dark}</option>
        </select>
      </label>
    </div>
  );
}
