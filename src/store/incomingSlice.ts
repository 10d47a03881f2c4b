/** Files and links that were dropped, pasted or chosen, whatever they are. */
import { AppError } from '../lib/errors.ts';
import type { Context } from './context.ts';
import { sortFiles } from './incoming.ts';
import type { IncomingSlice } from './state.ts';

export function createIncomingSlice(context: Context): IncomingSlice {
  return {
    offeredCards: [],
    takeFiles: (files) => takeFiles(context, files),
    takeLink: (address) => takeLink(context, address),
    answerCard: (card, use) => answerCard(context, card, use),
  };
}

async function takeFiles({ get, set, messages }: Context, files: readonly File[]): Promise<void> {
  const { concepts, pictures, cards, errors } = await sortFiles(files);
  if (cards.length > 0) set(({ offeredCards }) => ({ offeredCards: [...offeredCards, ...cards] }));
  const taking = [
    concepts.length > 0 ? get().importConcepts(concepts) : undefined,
    pictures.length > 0 ? get().addPictures(pictures) : undefined,
  ];
  await Promise.all(taking);
  for (const error of errors) messages.report('library', error);
}

/** A picture of another page, by its address. */
async function takeLink({ deps, get, messages }: Context, address: string): Promise<void> {
  let file: File;
  try {
    file = await deps.fetchLink(address);
  } catch (cause) {
    const why =
      'The picture’s host does not let other pages read it. Save the picture first, then drop the file here.';
    messages.report('pictures', new AppError('picture.link', why, { cause }));
    return;
  }
  await get().takeFiles([file]);
}

async function answerCard({ get, set }: Context, card: File, use: 'concept' | 'picture'): Promise<void> {
  set(({ offeredCards }) => ({ offeredCards: offeredCards.filter((each) => each !== card) }));
  await (use === 'concept' ? get().importConcepts([card]) : get().addPictures([card]));
}
