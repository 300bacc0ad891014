import { signal, useSignalEffect } from '@preact/signals';
import { type ComponentType, render } from 'preact';
import { useEffect, useState } from 'preact/hooks';

import type { SessionState } from '../src/server/operations/session-operations.js';
import { call } from './api.js';
import { chooseLanguage, messages, preferredLanguage } from './language.js';
import { devices, follow, isConnected, isLoaded, stopFollowing, storeProblem } from './live.js';
import { Devices, State } from './pages/devices.js';
import { Gate } from './pages/gate.js';
import { LastAction } from './parts/last-action.js';
import type { Palette } from './parts/palette.js';
import { Preferences } from './parts/preferences.js';
import { ProofDialog } from './parts/proof.js';
import { messageOf, Toasts } from './parts/ui.js';
import { route } from './router.js';
import { applyTheme } from './theme.js';

const session = signal<SessionState | undefined>(undefined);
const failure = signal('');
const isPaletteOpen = signal(false);

/** The pages that are loaded when they are opened. */
const PAGES = {
  device: () => import('./pages/device.js').then(({ Device }) => Device as ComponentType<PageProps>),
  rules: () => import('./pages/rules.js').then(({ Rules }) => Rules as ComponentType<PageProps>),
  settings: () => import('./pages/settings.js').then(({ SettingsPage }) => SettingsPage as ComponentType<PageProps>),
  people: () => import('./pages/people.js').then(({ People }) => People as ComponentType<PageProps>),
  'device-link': () =>
    import('./pages/device-link.js').then(({ DeviceLink }) => DeviceLink as ComponentType<PageProps>),
  interfaces: () => import('./pages/interfaces.js').then(({ Interfaces }) => Interfaces as ComponentType<PageProps>),
  mesh: () => import('./pages/mesh.js').then(({ Mesh }) => Mesh as ComponentType<PageProps>),
  audit: () => import('./pages/audit.js').then(({ Audit }) => Audit as ComponentType<PageProps>),
};

interface PageProps {
  readonly id: string;
  readonly mayWrite: boolean;
  readonly session: SessionState;
}

async function enter(): Promise<void> {
  try {
    session.value = await call<SessionState>('GET', '/session');
    failure.value = '';
    if (session.value.state === 'signed-in' || session.value.state === 'device') void follow();
  } catch (error) {
    failure.value = messageOf(error);
  }
}

function App() {
  const now = session.value;
  const { page, rest } = route.value;
  if (now === undefined)
    return (
      <main class="gate">{failure.value === '' ? messages.value.loading : <p role="alert">{failure.value}</p>}</main>
    );
  if (page === 'device-link') return <Lazy name="device-link" props={{ id: rest, mayWrite: false, session: now }} />;
  const isIn = now.state === 'signed-in';
  const isInvited = page === 'link' && !isIn;
  if (isInvited || (!isIn && now.state !== 'device') || page === 'sign-in')
    return (
      <Gate
        session={now}
        link={page === 'link' ? rest : ''}
        onSignedIn={() => {
          location.hash = '#/devices';
          void enter();
        }}
      />
    );
  return isIn ? <Shell session={now} /> : <Mine session={now} />;
}

function Shell({ session: now }: { session: SessionState }) {
  const m = messages.value;
  const may = (scope: string) => now.scopes.includes(scope);
  const { page, rest } = route.value;
  const links = [
    { page: 'devices', text: m.nav.devices, isShown: true },
    { page: 'rules', text: m.nav.rules, isShown: may('rules:read') },
    { page: 'settings', text: m.nav.settings, isShown: may('settings:read') },
    { page: 'interfaces', text: m.interfaces.title, isShown: now.hasInterfaces === true && may('devices:read') },
    { page: 'mesh', text: m.mesh.title, isShown: now.hasMesh === true && may('devices:read') },
    { page: 'people', text: m.nav.people, isShown: true },
    { page: 'audit', text: m.nav.audit, isShown: may('audit:read') },
  ];
  const isDevice = page === 'devices' && rest !== '' && rest !== 'new';
  return (
    <>
      <button type="button" class="skip" onClick={() => document.querySelector('main')?.focus()}>
        {m.skipToContent}
      </button>
      <div class="shell">
        <header class="side">
          <div class="brand">
            <img src="icon.svg" alt="" width="27" height="27" /> wiretype
          </div>
          <nav aria-label={m.nav.label}>
            <ul>
              {links
                .filter(({ isShown }) => isShown)
                .map((link) => (
                  <li key={link.page}>
                    <a href={`#/${link.page}`} {...(page === link.page ? { 'aria-current': 'page' as const } : {})}>
                      {link.text}
                    </a>
                  </li>
                ))}
            </ul>
          </nav>
          <LastAction />
          <Preferences />
          <button type="button" class="button plain" onClick={() => void signOut()}>
            {m.nav.signOut}
          </button>
        </header>
        <main id="content" tabIndex={-1}>
          {!isConnected.value && (
            <p class="banner" role="alert">
              {m.offline}
            </p>
          )}
          {storeProblem.value !== '' && (
            <p class="banner" role="alert">
              {storeProblem.value === 'ERR_STORE_FULL' ? m.diskFull : m.storeFails(storeProblem.value)}
            </p>
          )}
          {page === 'devices' && !isDevice ? (
            <Devices mayWrite={may('devices:write')} mayAddOwn={now.mayAddOwn === true} />
          ) : (
            <Lazy
              key={isDevice ? 'device' : page}
              name={isDevice ? 'device' : page}
              props={{
                id: rest,
                mayWrite: may(isDevice || page === 'interfaces' ? 'devices:write' : `${page}:write`),
                session: now,
              }}
            />
          )}
        </main>
      </div>
      {isPaletteOpen.value && (
        <LazyPalette
          pages={[
            ...links.filter(({ isShown }) => isShown).map(({ page: name, text }) => ({ text, hash: `#/${name}` })),
            ...(may('devices:write') ? [{ text: m.devices.add, hash: '#/devices/new' }] : []),
          ]}
        />
      )}
    </>
  );
}

/** Pages, actions and devices by Ctrl-K, loaded with the first. */
function LazyPalette({ pages }: { pages: readonly { text: string; hash: string }[] }) {
  const [Loaded, setLoaded] = useState<typeof Palette | undefined>(undefined);
  useEffect(() => void import('./parts/palette.js').then((module) => setLoaded(() => module.Palette)), []);
  const close = (): void => {
    isPaletteOpen.value = false;
  };
  return Loaded === undefined ? null : <Loaded pages={pages} onClose={close} />;
}

function Lazy({ name, props }: { name: string; props: PageProps }) {
  const [Page, setPage] = useState<ComponentType<PageProps> | undefined>(undefined);
  useEffect(() => {
    const load = PAGES[name as keyof typeof PAGES];
    if (load === undefined) location.hash = '#/devices';
    else void load().then((component) => setPage(() => component));
  }, [name]);
  return Page === undefined ? <p role="status">{messages.value.loading}</p> : <Page {...props} />;
}

/** What a device that comes through the tunnel sees of itself, without a password. */
function Mine({ session: now }: { session: SessionState }) {
  const m = messages.value;
  const device = devices.value.get(now.device?.id ?? '');
  return (
    <main class="gate" tabIndex={-1}>
      <div class="card stack">
        <h1>{m.mine.title}</h1>
        <p>
          {m.mine.text} <strong>{now.device?.name}</strong>.
        </p>
        {isLoaded.value && device !== undefined && (
          <>
            <p>
              <State device={device} />
            </p>
            <p>{m.reasons[device.reason.code]}</p>
          </>
        )}
        <a class="button" href="#/sign-in">
          {m.mine.signIn}
        </a>
        <Preferences />
      </div>
    </main>
  );
}

async function signOut(): Promise<void> {
  await call('POST', '/sign-out', {}).catch(() => {});
  stopFollowing();
  location.hash = '#/devices';
  await enter();
}

function Root() {
  useSignalEffect(() => {
    document.title = messages.value.title;
  });
  return (
    <>
      <App />
      <ProofDialog />
      <Toasts />
    </>
  );
}

addEventListener('keydown', (event) => {
  if (event.key === 'k' && (event.ctrlKey || event.metaKey) && session.value?.state === 'signed-in') {
    event.preventDefault();
    isPaletteOpen.value = true;
    return;
  }
  const isTyping = event.target instanceof HTMLElement && /^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName);
  if (event.key !== '/' || isTyping) return;
  event.preventDefault();
  document.querySelector<HTMLElement>('#search')?.focus();
});

applyTheme();
await chooseLanguage(preferredLanguage());
const root = document.querySelector('#app')!;
root.textContent = '';
render(<Root />, root);
await enter();
