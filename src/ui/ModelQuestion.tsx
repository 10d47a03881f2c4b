/** What must be told before a model can be looked at: which of several, or the file of the VAE that it lacks. */
import { useState, type ReactNode } from 'react';
import { fileSize } from '../lib/numbers.ts';
import { ChooseFiles } from './ChooseFiles.tsx';
import { useActions } from './useStudio.ts';
import type { ModelQuestion } from '../intake/plan.ts';

function Buttons({ children }: { children: ReactNode }) {
  const actions = useActions();
  return (
    <div className="dialog-buttons">
      <button type="button" className="button" onClick={() => void actions().dropIntake()}>
        Back
      </button>
      {children}
    </div>
  );
}

type Which = Extract<ModelQuestion, { readonly kind: 'which' }>;

function WhichModel({ title, choices }: Which) {
  const actions = useActions();
  const [chosen, choose] = useState(choices[0]!.name);
  return (
    <form
      className="model-form"
      onSubmit={(event) => {
        event.preventDefault();
        void actions().answerModel({ pick: chosen });
      }}
    >
      <fieldset>
        <legend className="model-title">{title}: which one?</legend>
        <ul className="model-list model-choices">
          {choices.map(({ name, bytes }) => (
            <li className="model-row" key={name}>
              <label className="model-choice">
                <input type="radio" name="which" checked={chosen === name} onChange={() => choose(name)} />
                <span className="model-name">
                  <bdi>{name.replace(/\/$/, '') || 'the folder itself'}</bdi>
                  <span className="quiet">{fileSize(bytes)}</span>
                </span>
              </label>
            </li>
          ))}
        </ul>
      </fieldset>
      <Buttons>
        <button type="submit" className="button button-primary">
          See what it takes
        </button>
      </Buttons>
    </form>
  );
}

function MissingVae({ title }: { title: string }) {
  const actions = useActions();
  return (
    <>
      <h3 className="model-title">
        <bdi>{title}</bdi> has no VAE
      </h3>
      <p>
        That is the part which makes pictures of what the model draws, and comes as a file of its own: a
        .safetensors such as vae-ft-mse-840000-ema-pruned, which suits nearly all models.
      </p>
      <Buttons>
        <ChooseFiles
          label="VAE file"
          primary
          onFiles={([vae]) => vae && void actions().answerModel({ vae })}
        />
      </Buttons>
    </>
  );
}

export function ModelQuestionView({ question }: { question: ModelQuestion }) {
  return question.kind === 'which' ? <WhichModel {...question} /> : <MissingVae title={question.title} />;
}
