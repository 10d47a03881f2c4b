/** Step 2: what the concept is called, and training it with progress, loss and previews in sight. */
import { Progress } from '@base-ui/react/progress';
import type { ConceptKind } from '../lib/conceptKind.ts';
import type { TrainingStart } from '../lib/trainingStart.ts';
import { isUsable } from '../store/openBase.ts';
import type { ConceptRecord, Interrupted, TrainingState } from '../store/state.ts';
import type { Permission } from '../store/notifier.ts';
import { methods, startHints, starts } from '../store/methods.ts';
import { duration } from '../store/words.ts';
import { Field } from './Field.tsx';
import { Fold } from './Fold.tsx';
import { LossChart } from './Later.tsx';
import { Previews } from './Previews.tsx';
import { Problems } from './Problems.tsx';
import { optionsOf, SelectField } from './SelectField.tsx';
import { GrowingSpaceTime, SpaceTime } from './SpaceTime.tsx';
import { useActions, useStudio } from './useStudio.ts';

const MOST_CHIPS = 6;

function Categories() {
  const actions = useActions();
  const typed = useStudio((state) => state.form.category.trim().toLowerCase());
  const categories = useStudio((state) => state.base?.vocabulary.categories ?? []);
  const fitting = categories.filter((word) => word !== typed && word.startsWith(typed));
  const shown = fitting.length > 0 ? fitting : categories.filter((word) => word !== typed);
  return categories.length === 0 ? null : (
    <div className="chips chips-line" role="group" aria-label="Suggested words">
      {shown.slice(0, MOST_CHIPS).map((word) => (
        <button
          type="button"
          className="suggestion"
          key={word}
          onClick={() => actions().edit({ category: word })}
        >
          {word}
        </button>
      ))}
    </div>
  );
}

const kinds: readonly { kind: ConceptKind; label: string; title: string }[] = [
  { kind: 'object', label: 'Object', title: 'A thing or a character' },
  { kind: 'style', label: 'Style', title: 'The way pictures are drawn' },
];

function Kind() {
  const actions = useActions();
  const chosen = useStudio((state) => state.form.kind);
  return (
    <fieldset className="field">
      <legend>It is an</legend>
      <div className="segments">
        {kinds.map(({ kind, label, title }) => (
          <label key={kind} title={title}>
            <input
              type="radio"
              name="kind"
              checked={chosen === kind}
              onChange={() => actions().edit({ kind })}
            />
            <span>{label}</span>
          </label>
        ))}
      </div>
    </fieldset>
  );
}

const OPTION_FIELDS = [
  'variant',
  'start',
  'learningRate',
  'batchSize',
  'nestedDropout',
  'trainSeed',
] as const;

function Method() {
  const actions = useActions();
  const chosen = useStudio((state) => state.form.variant);
  const choose = (variant: string) => actions().edit({ variant });
  return <SelectField label="Method" value={chosen} options={optionsOf(methods)} onChoose={choose} />;
}

/** Only where there is a choice. */
function Start() {
  const actions = useActions();
  const { variant, start } = useStudio((state) => state.form);
  const offered = useStudio((state) => state.base?.startingMapper === true);
  if (!offered || variant !== 'neti') return null;
  const choose = (chosen: TrainingStart) => actions().edit({ start: chosen });
  return (
    <>
      <SelectField label="Start" value={start} options={optionsOf(starts)} onChoose={choose} />
      <p className="field-hint">{startHints[start]}</p>
    </>
  );
}

function Options() {
  const actions = useActions();
  return (
    <>
      <Method />
      <Start />
      <div className="field-row">
        <Field field="learningRate" label="Learning rate" numeric />
        <Field field="batchSize" label="Pictures a step" numeric />
      </div>
      <div className="field-row">
        <Field field="nestedDropout" label="Nested dropout" numeric />
        <Field field="trainSeed" label="Seed of the training" numeric />
      </div>
      <p className="field-hint">The same numbers, seed and pictures give the same concept.</p>
      <button type="button" className="link-button" onClick={() => actions().resetTraining()}>
        Back to the defaults
      </button>
    </>
  );
}

function TrainForm() {
  const actions = useActions();
  return (
    <>
      <div className="field-row">
        <Field field="name" label="Concept name" placeholder="my teapot" />
        <Field
          field="category"
          label="Category word"
          placeholder="what it is: toy"
          onBlur={() => void actions().checkCategory()}
        />
      </div>
      <Categories />
      <div className="field-row">
        <Kind />
        <Field field="trainSteps" label="Training steps" numeric />
      </div>
      <Fold label="More training options" fields={OPTION_FIELDS}>
        <Options />
      </Fold>
    </>
  );
}

function timing({ phase, picturesPerSecond, secondsLeft, step }: TrainingState): string {
  if (phase === 'stopping') return 'Stopping, keeping what was learned…';
  if (step === 0 || secondsLeft === null) return 'Getting ready…';
  return `${picturesPerSecond.toFixed(1)} pictures a second, ${duration(secondsLeft)} left`;
}

const TOLD: Partial<Record<Permission, string>> = {
  granted: 'You will be told when it is done.',
  denied: 'The browser does not let this page tell you when it is done; the tab’s title shows how far it is.',
};

/** Asks for notifications where nobody was asked yet. */
function Notifying() {
  const actions = useActions();
  const mayNotify = useStudio((state) => state.mayNotify);
  if (mayNotify !== 'default') return <p className="field-hint">{TOLD[mayNotify]}</p>;
  return (
    <button type="button" className="link-button" onClick={() => void actions().askToNotify()}>
      Tell me when it is done
    </button>
  );
}

function Running({ training }: { training: TrainingState }) {
  const actions = useActions();
  return (
    <div className="running">
      <Progress.Root className="progress" value={training.step} max={training.steps} aria-label="Training">
        <span className="progress-text">
          Step {training.step} of {training.steps}
        </span>
        <span className="progress-text quiet">{timing(training)}</span>
        <Progress.Track className="progress-track">
          <Progress.Indicator className="progress-fill" />
        </Progress.Track>
      </Progress.Root>
      <button
        type="button"
        className="button button-wide"
        disabled={training.phase === 'stopping'}
        onClick={() => actions().stopTraining()}
      >
        Stop training
      </button>
      <Notifying />
    </div>
  );
}

interface Learned extends Pick<ConceptRecord, 'name' | 'curve' | 'previews'> {
  readonly conceptId: string;
  readonly step: number;
}

/** A textual inversion is the same word everywhere: it has no map. */
function LearnedMap({ conceptId }: Learned) {
  const concept = useStudio((state) => state.concepts.find((each) => each.id === conceptId));
  const usable = useStudio((state) => concept !== undefined && isUsable(state, concept));
  return concept && usable && concept.word?.plain !== true ? <SpaceTime concept={concept} /> : null;
}

function LiveMap({ previews }: Learned) {
  const newest = previews.at(-1);
  return newest ? <GrowingSpaceTime preview={newest} /> : null;
}

function LearnedView({ learned, live }: { learned: Learned; live: boolean }) {
  const actions = useActions();
  // An interrupted training has its own way on.
  const interrupted = useStudio((state) =>
    state.interrupted.some(({ conceptId }) => conceptId === learned.conceptId),
  );
  return (
    <div className="learned">
      {!live && (
        <div className="learned-title">
          <h3>
            <bdi>{learned.name}</bdi>
            <span className="quiet"> {learned.step} steps</span>
          </h3>
          {!interrupted && (
            <button
              type="button"
              className="link-button"
              title="Adds the number of steps above"
              onClick={() => void actions().trainFurther(learned.conceptId)}
            >
              Continue training
            </button>
          )}
        </div>
      )}
      {learned.curve.length > 1 && <LossChart curve={learned.curve} />}
      {live ? <LiveMap {...learned} /> : <LearnedMap {...learned} />}
      <Previews {...learned} />
    </div>
  );
}

/** A training that was cut short, and how to go on with it. */
function CutShort({ conceptId, name, step, steps }: Interrupted) {
  const actions = useActions();
  const ready = useStudio((state) => state.status === 'ready');
  return (
    <div className="interrupted" role="group" aria-label={`Interrupted training of ${name}`}>
      <p>
        The training of{' '}
        <strong>
          <bdi>{name}</bdi>
        </strong>{' '}
        was interrupted at step {step} of {steps}. It goes on from there as if nothing had happened.
      </p>
      <div className="dialog-buttons">
        <button
          type="button"
          className="button button-primary"
          disabled={!ready}
          onClick={() => void actions().resumeTraining(conceptId)}
        >
          Go on
        </button>
        <button type="button" className="button" onClick={() => void actions().leaveInterrupted(conceptId)}>
          Leave it there
        </button>
      </div>
    </div>
  );
}

function InterruptedTrainings() {
  const interrupted = useStudio((state) => state.interrupted);
  const training = useStudio((state) => state.training !== null);
  return training ? null : interrupted.map((each) => <CutShort key={each.conceptId} {...each} />);
}

function LearnedOrHint() {
  const training = useStudio((state) => state.training);
  const chosen = useStudio((state) => state.concepts.find((each) => each.id === state.form.conceptId));
  if (training !== null) return <LearnedView learned={training} live />;
  if (chosen !== undefined) return <LearnedView learned={{ ...chosen, conceptId: chosen.id }} live={false} />;
  return (
    <p className="quiet train-hint">
      Training shows here how well it goes: a curve that falls, and pictures that come closer to yours.
    </p>
  );
}

export function TrainPanel() {
  const actions = useActions();
  const ready = useStudio((state) => state.status === 'ready');
  const training = useStudio((state) => state.training);
  return (
    <section className="panel" aria-labelledby="train-heading">
      <h2 id="train-heading">
        <span className="step">2</span> Train
      </h2>
      <form
        className="train-form"
        onSubmit={(event) => {
          event.preventDefault();
          void actions().train();
        }}
      >
        <TrainForm />
        {training === null && (
          <button type="submit" className="button button-primary button-wide" disabled={!ready}>
            Train concept
          </button>
        )}
      </form>
      <InterruptedTrainings />
      {training !== null && <Running training={training} />}
      <Problems place="training" />
      <LearnedOrHint />
    </section>
  );
}
