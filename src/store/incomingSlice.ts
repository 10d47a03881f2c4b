/** Files and links that were dropped, pasted or chosen, whatever they are. */
import { AppError } from '../lib/errors.ts';
import type { Context } from './context.ts';
import { sortFiles } from './incoming.ts';
import type { IncomingSlice } from './state.ts';

export function createIncomingSlice(context: Context): IncomingSlice {
  return {
    offeredCards: [],
    offeredAddress: null,
    takeFiles: (files) => takeFiles(context, files),
    takeLink: (address) => takeLink(context, address),
    offerAddress: (hash) => context.set({ offeredAddress: addressIn(hash) }),
    answerAddress: (fetchIt) => answerAddress(context, fetchIt),
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

/** What `#concept=ADDRESS` names; null where it is no address of the web. */
function addressIn(hash: string): string | null {
  const address = new URLSearchParams(hash.replace(/^#/, '')).get('concept');
  return address !== null && /^https?:\/\//i.test(address) && URL.canParse(address) ? address : null;
}

async function answerAddress({ deps, get, set, messages }: Context, fetchIt: boolean): Promise<void> {
  const address = get().offeredAddress;
  set({ offeredAddress: null });
  if (!fetchIt || address === null) return;
  try {
    await get().importConcepts([await deps.fetchLink(address)]);
  } catch (cause) {
    const why = `The concept could not be fetched from ${new URL(address).host}: it is not there, there is no connection, or its host does not let other pages read it. Download it there, then drop the file here.`;
    messages.report('library', new AppError('concept.link', why, { cause }));
  }
}
