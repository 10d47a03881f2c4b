/** What can be told of a concept that another program saved, and how it becomes a concept file for the open base. */
import type { PredictionType } from '../../diffusion/schedulerConfig.ts';
import type { ConceptKind } from '../../lib/conceptKind.ts';
import { AppError } from '../../lib/errors.ts';
import { plainName } from '../../lib/plainName.ts';
import type { BaseIdentity } from '../conceptFile.ts';
import { writeConcept } from '../conceptFile.ts';
import type { ImportOrigin } from '../conceptMetadata.ts';
import type { MapperConfig } from '../mapperConfig.ts';
import type { MapperState } from '../mapper.ts';

export interface ForeignConcept {
  readonly config: MapperConfig;
  readonly state: MapperState;
  readonly name: string;
  readonly category: string;
  readonly kind: ConceptKind;
  readonly step: number;
  /** Null where the file does not say. */
  readonly seed: number | null;
  readonly learningRate: number | null;
  readonly origin: ImportOrigin;
}

/** The base that is open: what a concept has to fit. */
export interface OpenBase extends BaseIdentity {
  readonly layers: number;
  readonly contextWidth: number;
  /** Length of a prompt's row, start and end included. */
  readonly tokens: number;
  /** Side of the base's pictures in pixels. */
  readonly resolution: number;
  /** ModelSpec's name for the kind of base. */
  readonly architecture: string;
  readonly predictionType: PredictionType;
}

/** The official default, for files that name no super-category. */
export const DEFAULT_CATEGORY = 'object';

/** @param created ISO-8601. */
export function foreignToConcept(
  concept: ForeignConcept,
  base: OpenBase,
  created: string,
): Promise<Uint8Array<ArrayBuffer>> {
  const { config, state, name, category, kind, step, seed, learningRate, origin } = concept;
  const label = {
    name,
    category: plainName(category) || DEFAULT_CATEGORY,
    kind,
    step,
    created,
    thumbnail: '',
    imported: plainOrigin(origin),
  };
  return writeConcept({
    config,
    state,
    info: { ...label, baseId: base.id, baseHash: base.hash },
    training: { seed, learningRate, losses: [] },
    resolution: base.resolution,
    architecture: base.architecture,
    predictionType: base.predictionType,
  });
}

function plainOrigin({ format, files, base }: ImportOrigin): ImportOrigin {
  return { format, files: files.map((name) => plainName(name) || 'file'), base: base && plainName(base) };
}

/**
 * Throws `concept.width` unless a concept of this width, and of this number of layers if it has one, fits the open base.
 * @param namedBase the base as the file calls it
 */
export function checkFit(
  found: { readonly contextWidth: number; readonly layers?: number },
  base: OpenBase,
  namedBase: string | null,
): void {
  const layers = found.layers ?? base.layers;
  if (found.contextWidth === base.contextWidth && layers === base.layers) return;
  const says = namedBase === null ? '' : ` (its file names "${namedBase}")`;
  const layersFound = found.layers === undefined ? '' : ` and ${found.layers} cross-attention layers`;
  throw new AppError(
    'concept.width',
    `This concept was made for a model with word vectors of ${found.contextWidth} numbers${layersFound}` +
      `${familyOf(found.contextWidth)}${says}; the open model "${base.id}" has ${base.contextWidth} numbers ` +
      `and ${base.layers} layers. Open a model that it fits.`,
  );
}

/** Word vectors of these widths are those of text encoders that everybody uses. */
function familyOf(width: number): string {
  if (width === 768) return ', as Stable Diffusion 1.x has';
  if (width === 1024) return ', as Stable Diffusion 2.x has';
  if (width === 1280) return ', as the second text encoder of Stable Diffusion XL has';
  return '';
}

/** A placeholder token as a name: "<cat-toy>" is called cat-toy. */
export function nameOf(token: string, fallback: string): string {
  const name = plainName(token).replace(/^<+/, '').replace(/>+$/, '').trim().slice(0, 200).trim();
  return name === '' || name === '*' ? plainName(fallback) || 'word' : name;
}
