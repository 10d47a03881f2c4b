/** What every slice is made with: the state's get and set, and everything from outside, so that tests bring their own. */
import type { StudioStorage } from '../storage/storage.ts';
import type { ImageTools } from '../pictures/decode.ts';
import type { Messages, StudioState } from './state.ts';
import type { Updates } from '../offline/offline.ts';
import type { Notifier } from './notifier.ts';
import type { TrainingLock } from './trainingLock.ts';
import type { BaseDefaults } from '../neti/baseDefaults.ts';
import type { ConceptKind } from '../lib/conceptKind.ts';
import type { TrainSettings } from '../neti/settings.ts';
import type { StudioClient } from '../worker/studioClient.ts';

export interface StudioDeps {
  readonly client: StudioClient;
  readonly storage: StudioStorage;
  readonly images: ImageTools;
  readonly lock: TrainingLock;
  readonly notifier: Notifier;
  readonly updates: Updates;
  /** Address of the page's root, ending in a slash. */
  readonly root: string;
  /** Fetches a file of the page's own origin. */
  readonly fetchFile: (path: string) => Promise<File>;
  /** Fetches what lies at an address that was given, if its host allows it. */
  readonly fetchLink: (address: string) => Promise<File>;
  readonly trainSettings: (kind: ConceptKind, defaults: BaseDefaults) => TrainSettings;
  /** Calls the listener whenever the page is being hidden or left: it may not come back. */
  readonly onLeave: (listener: () => void) => void;
  readonly now: () => string;
  readonly newId: () => string;
  /** A seed for when none is given: an integer from 0 to 2³¹ − 1. */
  readonly randomSeed: () => number;
}

export interface Context {
  readonly deps: StudioDeps;
  readonly get: () => StudioState;
  readonly set: (patch: Partial<StudioState> | ((state: StudioState) => Partial<StudioState>)) => void;
  readonly messages: Messages;
}
