/** Reads the maps of concepts off their files; the vectors of the last few are kept, for maps share their axes. */
import type { Pipeline } from '../diffusion/pipeline.ts';
import { chunked } from '../lib/chunked.ts';
import { AppError } from '../lib/errors.ts';
import type { Bridge } from '../neti/bridge.ts';
import {
  MAP_TIMESTEPS,
  mapOf,
  nearestOf,
  nearestWords,
  wordVectors,
  type NearWord,
} from '../neti/spaceTime.ts';
import type { ConceptSource, NearWordsRequest, SpaceTimeMap, SpaceTimeRequest } from './api.ts';
import type { BaseModel } from './baseModel.ts';
import type { LearnedConcept, Painter } from './painter.ts';

const KEPT = 32;
const NEAREST = 4;
/** All of Stable Diffusion's 49,408 embeddings would take 150 MB. */
const WORDS_AT_ONCE = 4096;

interface ReadVectors {
  /** [T, L, D] at the map's timesteps. */
  readonly vectors: Float32Array;
  readonly category: string;
}

export class SpaceTimeReader {
  /** By the concepts' keys, the oldest first. */
  private readonly kept = new Map<string, ReadVectors>();
  private known: ReadonlyMap<string, number> | null = null;

  constructor(
    private readonly base: BaseModel,
    private readonly pipeline: Pipeline,
    private readonly bridge: Bridge,
    private readonly painter: Pick<Painter, 'load'>,
  ) {}

  /** Throws `map.vectors` for a concept of several vectors, and as `Painter.load`. */
  async map({ concept, axesOf }: SpaceTimeRequest): Promise<SpaceTimeMap> {
    const { contextWidth, positions } = this.pipeline.shape;
    const axes = await this.read(axesOf);
    const { vectors, category } = await this.read(concept);
    const embedding = await this.embeddingOf(category);
    return {
      ...mapOf(vectors, axes.vectors, contextWidth, embedding),
      category,
      sides: positions.map((count) => Math.round(Math.sqrt(count))),
    };
  }

  /** The vocabulary's words nearest to the concept's vector at a place; of a base that lists its words, those it was taught. */
  async nearest({ concept, timestep, layer }: NearWordsRequest): Promise<readonly NearWord[]> {
    const { mapper } = await this.painter.load(concept);
    const { layers, contextWidth } = mapper.config;
    if (!(layer >= 0 && layer < layers))
      throw new AppError('map.layer', `Expected a layer from 1 to ${layers}, found ${layer + 1}.`);
    const all = await wordVectors(this.bridge.backend, mapper, [timestep]);
    const vector = all.subarray(layer * contextWidth, (layer + 1) * contextWidth);
    let near: readonly NearWord[] = [];
    for (const part of chunked([...this.words()], WORDS_AT_ONCE)) {
      const embeddings = await this.pipeline.tokenEmbeddings(part.map(([, id]) => id));
      const names = part.map(([word]) => word);
      near = nearestOf([...near, ...nearestWords(vector, names, embeddings, NEAREST)], NEAREST);
    }
    return near;
  }

  /** Words and their tokens. */
  private words(): ReadonlyMap<string, number> {
    if (this.known) return this.known;
    const taught = this.base.words.words && new Set(this.base.words.words);
    const whole = [...this.pipeline.tokenizer.wholeWords()];
    this.known = new Map(whole.filter(([word]) => taught?.has(word) ?? true));
    return this.known;
  }

  private async read(source: ConceptSource): Promise<ReadVectors> {
    const known = this.kept.get(source.key) ?? (await this.vectorsOf(await this.painter.load(source)));
    this.kept.delete(source.key);
    this.kept.set(source.key, known);
    const [oldest] = this.kept.keys();
    if (this.kept.size > KEPT && oldest !== undefined) this.kept.delete(oldest);
    return known;
  }

  private async vectorsOf({ mapper, category }: LearnedConcept): Promise<ReadVectors> {
    const { vectors } = mapper.config;
    if (vectors > 1)
      throw new AppError('map.vectors', `A map shows concepts of one word vector, found one of ${vectors}.`);
    return { vectors: await wordVectors(this.bridge.backend, mapper, MAP_TIMESTEPS), category };
  }

  /** Null where the word is no single token, as another program's may be. */
  private async embeddingOf(category: string): Promise<Float32Array | null> {
    const { tokenizer } = this.pipeline;
    if (tokenizer.count(category) !== tokenizer.count('') + 1) return null;
    return this.pipeline.tokenEmbedding(tokenizer.singleToken(category));
  }
}
