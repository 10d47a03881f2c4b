/**
 * Training a concept: checks the form, holds the lock against other tabs, follows progress, and puts a checkpoint
 * into the library at every preview, so that a closed tab or a dead worker costs little.
 */
import { toPlainError } from '../lib/errors.ts';
import type { TrainEvent, TrainPreview, TrainProgress, TrainRequest, TrainResult } from '../worker/api.ts';
import type { Context } from './context.ts';
import { FieldError } from './formSlice.ts';
import { encodePng } from './png.ts';
import { saveConcept, withFile } from './saving.ts';
import type {
  ConceptRecord,
  CurvePoint,
  PreviewRecord,
  StudioState,
  TrainingSlice,
  TrainingState,
} from './state.ts';
import { planFurther, planNew, type TrainingPlan } from './trainingPlan.ts';

const MOST_POINTS = 600;

/** Appends a point; a long curve loses every second point, never its shape. */
export function extendCurve(curve: readonly CurvePoint[], point: CurvePoint): readonly CurvePoint[] {
  const kept = curve.length < MOST_POINTS ? curve : curve.filter((_, index) => index % 2 === 0);
  return [...kept, point];
}

const toBlob = (file: Uint8Array<ArrayBuffer>) => new Blob([file], { type: 'application/octet-stream' });

export function createTrainingSlice(context: Context): TrainingSlice {
  const { deps, get, set, messages } = context;
  let controller = new AbortController();
  let taken: number | null = null;

  const update = (change: (training: TrainingState) => Partial<TrainingState>) =>
    set(({ training }) => (training === null ? {} : { training: { ...training, ...change(training) } }));

  function onProgress(event: TrainProgress): void {
    const { step, steps, picturesPerSecond, secondsLeft } = event;
    const point = { step, loss: event.smoothedLoss, spread: event.spread };
    update(({ curve, phase }) => ({
      phase: phase === 'stopping' ? phase : 'running',
      step,
      steps,
      picturesPerSecond,
      secondsLeft,
      curve: extendCurve(curve, point),
    }));
    announceQuarter(step, steps);
  }

  function announceQuarter(step: number, steps: number): void {
    const quarter = Math.floor((4 * step) / steps);
    const text = `Training is ${quarter * 25}% done.`;
    if (quarter > 0 && quarter < 4 && get().announcement !== text) messages.announce(text);
  }

  function onPreview(plan: TrainingPlan, event: TrainPreview): void {
    const preview: PreviewRecord = {
      step: event.step,
      pictures: event.pictures.map((picture) => encodePng(picture)),
      file: toBlob(event.concept),
    };
    update(({ previews }) => ({ previews: [...previews, preview] }));
    void saveConcept(context, checkpoint(plan, event.step, preview.file));
  }

  function checkpoint(plan: TrainingPlan, step: number, file: Blob): ConceptRecord {
    const { previews, curve } = get().training ?? { previews: [], curve: [] };
    return { ...plan.record, file, step, previews, curve, updated: deps.now() };
  }

  async function run(plan: TrainingPlan): Promise<TrainResult> {
    const request: TrainRequest = await plan.request();
    if (controller.signal.aborted) throw new DOMException('Stopped before it began.', 'AbortError');
    await deps.client.checkCategory(request.category).catch((error: unknown) => {
      const { code, message } = toPlainError(error);
      throw code.startsWith('category.') ? new FieldError('category', code, message) : error;
    });
    const onEvent = (event: TrainEvent) =>
      event.type === 'progress' ? onProgress(event) : onPreview(plan, event);
    return deps.client.train(request, { signal: controller.signal, onEvent });
  }

  async function finish(plan: TrainingPlan, result: TrainResult): Promise<void> {
    const preview = get().training?.previews.find((each) => each.step === taken);
    const file = preview?.file ?? toBlob(result.concept);
    const step = preview?.step ?? result.step;
    const record = await withFile(deps.client, checkpoint(plan, step, file), file);
    await saveConcept(context, record);
    get().selectConcept(record.id);
    messages.announce(
      `${result.stopped ? 'Training stopped' : 'Training is done'} at step ${step}. Try it in Create.`,
    );
  }

  function reportFailure(error: unknown): void {
    const saved = get().training?.previews.at(-1)?.step;
    if (error instanceof FieldError) return set({ fieldProblems: { [error.field]: error.message } });
    messages.report('training', error);
    if (saved !== undefined)
      messages.note(
        'training',
        'training.kept',
        `What was learned up to step ${saved} is in the library. Choose it and continue from there.`,
      );
  }

  async function hold(plan: TrainingPlan): Promise<void> {
    controller = new AbortController();
    taken = null;
    set({ training: plan.initial, fieldProblems: {} });
    messages.clear('training');
    try {
      await deps.lock.hold(async () => finish(plan, await run(plan)));
    } catch (error) {
      reportFailure(error);
    } finally {
      set({ training: null });
      void get().measureUsage();
    }
  }

  async function begin(makePlan: (state: StudioState) => TrainingPlan): Promise<void> {
    if (get().training !== null) return;
    try {
      await hold(makePlan(get()));
    } catch (error) {
      reportFailure(error);
    }
  }

  return {
    training: null,
    train: () => begin((state) => planNew(deps, state)),
    trainFurther: (conceptId) => begin((state) => planFurther(deps, state, conceptId)),
    stopTraining() {
      update(() => ({ phase: 'stopping' }));
      controller.abort();
    },
    async takePreview(conceptId, step) {
      if (get().training?.conceptId === conceptId) {
        taken = step;
        return get().stopTraining();
      }
      const record = get().concepts.find((each) => each.id === conceptId);
      const preview = record?.previews.find((each) => each.step === step);
      if (record === undefined || preview === undefined) return;
      const taking = { ...record, step, updated: deps.now() };
      await saveConcept(context, await withFile(deps.client, taking, preview.file));
    },
    async checkCategory() {
      const category = get().form.category.trim();
      if (category === '' || get().status !== 'ready' || get().training !== null) return;
      const problem = await deps.client.checkCategory(category).then(() => null, toPlainError);
      if (problem !== null && get().form.category.trim() === category)
        set(({ fieldProblems }) => ({ fieldProblems: { ...fieldProblems, category: problem.message } }));
    },
  };
}
