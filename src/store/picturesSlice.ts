/** The concept's pictures: adding, removing, cropping, the ground under transparency, and how the model sees each. */
import { AppError } from '../lib/errors.ts';
import { plainName } from '../lib/plainName.ts';
import type { DraftPicture } from '../storage/records.ts';
import type { Context } from './context.ts';
import { encodePng } from '../pictures/png.ts';
import { MAX_TRAINING_PICTURES } from '../neti/limits.ts';
import type { PictureItem, PicturesSlice, SampleConcept } from './state.ts';
import type { Crop } from '../pictures/pixels.ts';

/** Below this the model's own picture of a thing is hard to recognise. */
export const POOR_PSNR = 17;

interface PicturesContext extends Context {
  readonly running: {
    /** Ends when everything given so far is added. */
    adding: Promise<void>;
    /** Whether the model is being asked how it sees the pictures. */
    looking: boolean;
  };
}

export function createPicturesSlice(context: Context): PicturesSlice {
  const running = { adding: Promise.resolve(), looking: false };
  const pictures: PicturesContext = { ...context, running };
  return {
    pictures: [],
    ground: '#ffffff',
    waiting: [],
    addPictures: (files) => addInTurn(pictures, files),
    addAgain: (files) => addLater(pictures, files),
    addSample: (sample) => addSample(pictures, sample),
    removePicture: (id) => remove(context, 'The picture', (item) => item.id !== id),
    clearPictures: () => remove(context, 'All pictures', () => false),
    cropPicture: (id, crop) => cropPicture(context, id, crop),
    setGround: (ground) => setGround(context, ground),
    lookAtPictures: () => lookAtPictures(pictures),
  };
}

/** A kept picture made ready to show: its square on the ground, not yet seen by the model. */
export async function presentPicture(
  images: Context['deps']['images'],
  kept: DraftPicture,
  ground: string,
): Promise<PictureItem> {
  const square = encodePng(await images.square(kept.source, kept.crop, ground));
  return { ...kept, square, seen: null };
}

function replace({ set }: Context, id: string, change: (item: PictureItem) => PictureItem): void {
  set(({ pictures }) => ({ pictures: pictures.map((each) => (each.id === id ? change(each) : each)) }));
}

function addInTurn(context: PicturesContext, files: readonly File[]): Promise<void> {
  const { get, set, messages } = context;
  const room = roomLeft(get());
  const taken = files.slice(0, room);
  messages.clear('pictures');
  if (files.length > room) messages.report('pictures', tooMany(files.length, room));
  set(({ waiting }) => ({ waiting: [...waiting, ...taken] }));
  return addLater(context, taken);
}

function addLater(context: PicturesContext, files: readonly File[]): Promise<void> {
  const { running } = context;
  running.adding = running.adding.then(() => addAll(context, files));
  return running.adding;
}

async function addAll(context: Context, files: readonly File[]): Promise<void> {
  const { get, set } = context;
  for (const file of files) {
    await addOne(context, file);
    set(({ waiting }) => ({ waiting: waiting.filter((each) => each !== file) }));
  }
  void get().lookAtPictures();
}

async function addOne({ deps, get, set, messages }: Context, file: File): Promise<void> {
  try {
    const { animated, ...decoded } = await deps.images.decode(file);
    const kept = { id: deps.newId(), fileName: plainName(file.name) || 'picture', crop: null, ...decoded };
    const item = await presentPicture(deps.images, kept, get().ground);
    set(({ pictures }) => ({ pictures: [...pictures, item] }));
    if (animated)
      messages.note('pictures', 'picture.animated', `“${file.name}” moves; its first frame was taken.`);
  } catch (error) {
    messages.report('pictures', error);
  }
}

/** How many more pictures the concept takes. */
export function roomLeft({ pictures, waiting }: Pick<PicturesSlice, 'pictures' | 'waiting'>): number {
  return MAX_TRAINING_PICTURES - pictures.length - waiting.length;
}

function tooMany(chosen: number, room: number): AppError {
  const taken = room === 0 ? 'none was added' : `the first ${room} were added`;
  return new AppError(
    'picture.many',
    `${chosen} pictures were chosen, but a concept takes at most ${MAX_TRAINING_PICTURES}: ${taken}. Four or five good ones are enough.`,
  );
}

async function addSample(context: PicturesContext, sample: SampleConcept): Promise<void> {
  const { deps, get, messages } = context;
  try {
    const files = await Promise.all(sample.pictures.map(deps.fetchFile));
    const { name, category, kind } = sample;
    get().edit({ name, category, kind });
    await addInTurn(context, files);
  } catch (error) {
    messages.report('pictures', error);
  }
}

function remove({ get, set, messages }: Context, label: string, keep: (item: PictureItem) => boolean): void {
  const { pictures } = get();
  messages.removed({ what: 'pictures', label, before: pictures });
  set({ pictures: pictures.filter(keep) });
}

async function cropPicture(context: Context, id: string, crop: Crop): Promise<void> {
  const { deps, get } = context;
  const item = get().pictures.find((each) => each.id === id);
  if (item === undefined) return;
  const cropped = await presentPicture(deps.images, { ...item, crop }, get().ground);
  replace(context, id, () => cropped);
  await get().lookAtPictures();
}

async function setGround(context: Context, ground: string): Promise<void> {
  const { deps, get, set } = context;
  set({ ground });
  const redrawn = await Promise.all(
    get().pictures.map((each) => (each.transparent ? presentPicture(deps.images, each, ground) : each)),
  );
  if (get().ground === ground) redrawn.forEach((item) => replace(context, item.id, () => item));
  await get().lookAtPictures();
}

async function lookAtPictures(context: PicturesContext): Promise<void> {
  const { get, running } = context;
  if (running.looking || get().status !== 'ready') return;
  running.looking = true;
  await lookAtAll(context).finally(() => (running.looking = false));
}

async function lookAtAll(context: Context): Promise<void> {
  const { get, messages } = context;
  const tried = new Set<Blob>();
  for (;;) {
    const next = get().pictures.find(({ seen, square }) => seen === null && !tried.has(square));
    if (next === undefined) return;
    tried.add(next.square);
    await lookAt(context, next).catch((error: unknown) => messages.report('pictures', error));
  }
}

async function lookAt(context: Context, { id, source, crop, square }: PictureItem): Promise<void> {
  const { deps, get } = context;
  const pixels = await deps.images.square(source, crop, get().ground);
  const { picture, psnr } = await deps.client.reconstruct(pixels);
  const seen = { picture: encodePng(picture), psnr };
  replace(context, id, (item) => (item.square === square ? { ...item, seen } : item));
}
