/**
 * Renders the artwork once: npm packages of free stickers to one file of trimmed RGBA squares.
 *
 *     npm install @iconify-json/twemoji@1.2.5 @iconify-json/noto@1.2.9 @iconify-json/emojione@1.2.3 \
 *       @lobehub/fluent-emoji-3d@1.1.0 sharp
 *     node pack-stickers.mjs NODE_MODULES OUT_DIR
 *
 * Writes stickers.bin (SIZE x SIZE x 4 bytes each, straight alpha) and stickers.json (hex, name, style, heldOut, in
 * the same order). Artwork is centred and keeps its proportions. A sticker that fails to render is listed and skipped.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';

const SIZE = 80;
const STYLES = { flat: 'twemoji', glossy: 'noto', '3d': 'fluent-3d', cartoon: 'emojione' };

const [modules, out] = process.argv.slice(2).map((path) => resolve(path));
const sharp = createRequire(join(modules, 'x.js'))('sharp');
const artwork = JSON.parse(readFileSync(new URL('./data/artwork.json', import.meta.url), 'utf8'));
const icons = {};

/** The picture file of one sticker: an SVG document or the bytes of a WebP file. */
function source(set, name) {
  if (set === 'fluent-3d') return readFileSync(join(modules, '@lobehub/fluent-emoji-3d/assets', name));
  icons[set] ??= JSON.parse(readFileSync(join(modules, '@iconify-json', set, 'icons.json'), 'utf8'));
  const { icons: all, aliases = {}, width = 16, height = 16 } = icons[set];
  const icon = all[name] ?? all[aliases[name].parent];
  const [w, h] = [icon.width ?? width, icon.height ?? height];
  const head = `<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"`;
  return Buffer.from(`${head} width="256" height="256" viewBox="0 0 ${w} ${h}">${icon.body}</svg>`);
}

/** Trims transparent margins and fits the sticker into a square; returns raw RGBA. */
async function render(set, name) {
  const trimmed = await sharp(source(set, name)).ensureAlpha().trim({ background: '#0000', threshold: 8 }).toBuffer();
  const fit = { fit: 'contain', background: '#0000', kernel: 'lanczos3' };
  return sharp(trimmed).resize(SIZE, SIZE, fit).ensureAlpha().raw().toBuffer();
}

const packed = [];
const rows = [];
for (const { hex, name, heldOut, styles } of artwork) {
  for (const [style, set] of Object.entries(STYLES)) {
    if (!(set in styles)) continue;
    try {
      packed.push(await render(set, styles[set]));
      rows.push({ hex, name, style, heldOut });
    } catch (error) {
      console.error(`skipped ${set}/${styles[set]}: ${error.message}`);
    }
  }
}
mkdirSync(out, { recursive: true });
writeFileSync(join(out, 'stickers.bin'), Buffer.concat(packed));
writeFileSync(join(out, 'stickers.json'), JSON.stringify({ size: SIZE, stickers: rows }));
console.log(`${rows.length} stickers`);
