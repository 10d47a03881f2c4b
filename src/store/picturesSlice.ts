/** The concept's pictures: adding, removing, cropping, the ground under transparency, and how the model sees each. */
import { AppError } from '../lib/errors.ts';
import type { Crop, DraftPicture } from '../storage/records.ts';
import type { Context } from './context.ts';
import { encodePng } from './png.ts';
import { MAX_PICTURES, type PictureItem, type PicturesSlice, type SampleConcept } from './state.ts';

/** Below this the model's own picture of a thing is hard to recognise. */
export const POOR_PSNR = 17;

/** A kept picture made ready to show: its square on the ground, not yet seen by the model. */
export async function presentPicture(
  images: Context['deps']['images'],
  kept: DraftPicture,
  ground: string,
): Promise<PictureItem> {
  const square = encodePng(await images.square(kept.source, kept.crop, ground));
  return { ...kept, square, seen: null };
}

export function createPicturesSlice({ deps, get, set, messages }: Context): PicturesSlice {
  let queue: Promise<void> = Promise.resolve();
  let looking = false;

  const replace = (id: string, change: (item: PictureItem) => PictureItem) =>
    set(({ pictures }) => ({ pictures: pictures.map((each) => (each.id === id ? change(each) : each)) }));

  async function addOne(file: File): Promise<void> {
    try {
      const { animated, ...decoded } = await deps.images.decode(file);
      const kept = { id: deps.newId(), fileName: file.name, crop: null, ...decoded };
      const item = await presentPicture(deps.images, kept, get().ground);
      set(({ pictures }) => ({ pictures: [...pictures, item] }));
      if (animated)
        messages.note('pictures', 'picture.animated', `“${file.name}” moves; its first frame was taken.`);
    } catch (error) {
      messages.report('pictures', error);
    }
  }

  async function addAll(files: readonly File[]): Promise<void> {
    messages.clear('pictures');
    const room = MAX_PICTURES - get().pictures.length;
    set({ addingPictures: true });
    for (const file of files.slice(0, room)) await addOne(file);
    set({ addingPictures: false });
    if (files.length > room) messages.report('pictures', tooMany(files.length, room));
    void get().lookAtPictures();
  }

  function addInTurn(files: readonly File[]): Promise<void> {
    queue = queue.then(() => addAll(files));
    return queue;
  }

  async function lookAt({ id, source, crop, square }: PictureItem): Promise<void> {
    const { picture, psnr } = await deps.client.reconstruct(
      await deps.images.square(source, crop, get().ground),
    );
    const seen = { picture: encodePng(picture), psnr };
    replace(id, (item) => (item.square === square ? { ...item, seen } : item));
  }

  async function lookAtAll(): Promise<void> {
    const failed = new Set<Blob>();
    for (;;) {
      const next = get().pictures.find(({ seen, square }) => seen === null && !failed.has(square));
      if (next === undefined) return;
      failed.add(next.square);
      await lookAt(next).catch((error: unknown) => messages.report('pictures', error));
    }
  }

  function remove(label: string, keep: (item: PictureItem) => boolean): void {
    const { pictures } = get();
    messages.removed({ what: 'pictures', label, before: pictures });
    set({ pictures: pictures.filter(keep) });
  }

  return {
    pictures: [],
    ground: '#ffffff',
    addingPictures: false,
    addPictures: addInTurn,
    async addSample(sample: SampleConcept) {
      try {
        const files = await Promise.all(sample.pictures.map(deps.fetchFile));
        const { name, category, kind } = sample;
        get().edit({ name, category, kind });
        await addInTurn(files);
      } catch (error) {
        messages.report('pictures', error);
      }
    },
    removePicture: (id) => remove('The picture', (item) => item.id !== id),
    clearPictures: () => remove('All pictures', () => false),
    async cropPicture(id, crop: Crop) {
      const item = get().pictures.find((each) => each.id === id);
      if (item === undefined) return;
      const cropped = await presentPicture(deps.images, { ...item, crop }, get().ground);
      replace(id, () => cropped);
      await get().lookAtPictures();
    },
    async setGround(ground) {
      set({ ground });
      const redrawn = await Promise.all(
        get().pictures.map((each) => (each.transparent ? presentPicture(deps.images, each, ground) : each)),
      );
      if (get().ground === ground) redrawn.forEach((item) => replace(item.id, () => item));
      await get().lookAtPictures();
    },
    async lookAtPictures() {
      if (looking || get().status !== 'ready') return;
      looking = true;
      await lookAtAll().finally(() => (looking = false));
    },
  };
}

function tooMany(chosen: number, room: number): AppError {
  const taken = room === 0 ? 'none was added' : `the first ${room} were added`;
  return new AppError(
    'picture.many',
    `${chosen} pictures were chosen, but a concept takes at most ${MAX_PICTURES}: ${taken}. Four or five good ones are enough.`,
  );
}
