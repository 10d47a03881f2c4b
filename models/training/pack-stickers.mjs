/**
 * Renders the artwork once: npm packages of free stickers to one file of trimmed squares, PNG each.
 *
 *     node pack-stickers.mjs world|artist NODE_MODULES OUT_DIR        (packages: see models/README.md)
 *
 * Writes stickers.bin (the pictures, one after the other, straight alpha) and stickers.json (hex, name, style, heldOut,
 * plain, bytes, in the same order). Artwork is centred and keeps its proportions. `plain`: the outline is nearly an
 * ellipse or a rectangle, so a silhouette says nothing. `artist` packs the set that is never trained: all held out. A
 * sticker that fails to render is listed and skipped.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';

const size = 120;
const PLAIN = 0.93;

const which = process.argv[2];
const [modules, out] = process.argv.slice(3).map((path) => resolve(path));
const sharp = createRequire(join(modules, 'x.js'))('sharp');
const data = (name) => JSON.parse(readFileSync(new URL(`./data/${name}.json`, import.meta.url), 'utf8'));
const styles = data('styles')[which];
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
  return sharp(trimmed).resize(size, size, fit).ensureAlpha().raw().toBuffer();
}

/** Whether the outline's overlap with the ellipse, or with the box, that bounds it exceeds PLAIN of their union. */
function plainOutline(rgba) {
  const inside = (x, y) => rgba[4 * (y * size + x) + 3] > 127;
  const every = Array.from({ length: size * size }, (_, i) => [i % size, Math.floor(i / size)]);
  const covered = every.filter(([x, y]) => inside(x, y));
  const [xs, ys] = [covered.map(([x]) => x), covered.map(([, y]) => y)];
  const [x0, x1, y0, y1] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
  const [w, h] = [x1 - x0 + 1, y1 - y0 + 1];
  const round = ([x, y]) => ((2 * (x - x0) + 1) / w - 1) ** 2 + ((2 * (y - y0) + 1) / h - 1) ** 2 <= 1;
  const both = covered.filter(round).length;
  const either = covered.length + every.filter(round).length - both;
  return both / either > PLAIN || covered.length / (w * h) > PLAIN;
}

const packed = [];
const rows = [];
for (const { hex, name, heldOut, styles: names } of data('artwork')) {
  for (const [style, set] of Object.entries(styles)) {
    if (!(set in names)) continue;
    try {
      const rgba = await render(set, names[set]);
      const raw = { width: size, height: size, channels: 4 };
      const file = await sharp(rgba, { raw }).png({ compressionLevel: 9 }).toBuffer();
      packed.push(file);
      rows.push({ hex, name, style, heldOut: heldOut || which === 'artist', plain: plainOutline(rgba), bytes: file.length });
    } catch (error) {
      console.error(`skipped ${set}/${names[set]}: ${error.message}`);
    }
  }
}
mkdirSync(out, { recursive: true });
writeFileSync(join(out, 'stickers.bin'), Buffer.concat(packed));
writeFileSync(join(out, 'stickers.json'), JSON.stringify({ size, stickers: rows }));
console.log(`${rows.length} stickers, ${(Buffer.concat(packed).length / 1e6).toFixed(1)} MB`);
