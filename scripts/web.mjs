/**
 * Builds the page of the gateway: `web/` becomes `dist/web/`, with a manifest that the server reads into memory.
 *
 *     node scripts/web.mjs
 */
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { build } from 'esbuild';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const OUT = join(ROOT, 'dist/web');
const TYPES = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};

rmSync(OUT, { recursive: true, force: true });
mkdirSync(OUT, { recursive: true });
const { outputFiles } = await build({
  absWorkingDir: ROOT,
  entryPoints: ['web/main.tsx', 'web/styles.css'],
  bundle: true,
  splitting: true,
  minify: true,
  format: 'esm',
  target: 'es2022',
  jsx: 'automatic',
  jsxImportSource: 'preact',
  entryNames: '[name]-[hash]',
  chunkNames: 'part-[hash]',
  outdir: OUT,
  write: false,
  legalComments: 'none',
});
const manifest = {};
for (const { path, contents } of outputFiles) add(basename(path), contents, true);
const nameOf = (start) =>
  Object.keys(manifest)
    .find((path) => path.startsWith(`/${start}-`))
    .slice(1);
const html = readFileSync(join(ROOT, 'web/index.html'), 'utf8');
add('index.html', html.replace('STYLES', nameOf('styles')).replace('MAIN', nameOf('main')), false);
add('icon.svg', readFileSync(join(ROOT, 'web/icon.svg')), false);
writeFileSync(join(OUT, 'manifest.json'), JSON.stringify(manifest, undefined, 2));

function add(name, contents, isImmutable) {
  const bytes = Buffer.from(contents);
  const etag = `"${createHash('sha256').update(bytes).digest('base64url').slice(0, 16)}"`;
  writeFileSync(join(OUT, name), bytes);
  writeFileSync(join(OUT, `${name}.br`), brotliCompressSync(bytes));
  writeFileSync(join(OUT, `${name}.gz`), gzipSync(bytes, { level: 9 }));
  const type = TYPES[extname(name)];
  manifest[`/${name}`] = { file: name, br: `${name}.br`, gz: `${name}.gz`, type, etag, immutable: isImmutable };
}
