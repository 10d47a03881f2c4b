/** The library: a slim strip of concepts, always one gesture away; find, choose, label, copy, export, delete, import. */
import { Menu } from '@base-ui/react/menu';
import { useId, useState } from 'react';
import { LIBRARY_ORDERS, viewed, type LibraryView } from '../store/libraryView.ts';
import { isUsable } from '../store/openBase.ts';
import type { ConceptRecord } from '../store/state.ts';
import { conceptFileName } from '../store/words.ts';
import type { ExportFormat } from '../worker/api.ts';
import { download } from './blobUrl.ts';
import { Icon } from './icons.tsx';
import { Problems } from './Problems.tsx';
import { optionsOf, Select } from './SelectField.tsx';
import { LabelDialog } from './Later.tsx';
import { useActions, useStudio } from './useStudio.ts';
import { BlobImage } from './BlobImage.tsx';

const exportConcept = ({ file, name }: ConceptRecord) => download(file, conceptFileName(name));

function ConceptMenu({ concept, rename }: { concept: ConceptRecord; rename: () => void }) {
  const actions = useActions();
  const training = useStudio((state) => state.training?.conceptId === concept.id);
  return (
    <Menu.Root>
      <Menu.Trigger className="icon-button concept-menu" aria-label={`Options for ${concept.name}`}>
        <Icon name="more" />
      </Menu.Trigger>
      <Menu.Portal>
        <Menu.Positioner sideOffset={4}>
          <Menu.Popup className="menu">
            <Menu.Item className="menu-item" onClick={rename}>
              Name and tags
            </Menu.Item>
            <Menu.Item
              className="menu-item"
              disabled={training}
              onClick={() => void actions().duplicateConcept(concept.id)}
            >
              Duplicate
            </Menu.Item>
            <Menu.Item className="menu-item" onClick={() => exportConcept(concept)}>
              Export
            </Menu.Item>
            <Exports concept={concept} />
            <Menu.Item
              className="menu-item"
              disabled={training}
              onClick={() => void actions().deleteConcept(concept.id)}
            >
              Delete
            </Menu.Item>
          </Menu.Popup>
        </Menu.Positioner>
      </Menu.Portal>
    </Menu.Root>
  );
}

/** A textual inversion leaves as it came. */
const formatsOf = ({ word }: ConceptRecord): readonly { format: ExportFormat; label: string }[] => [
  { format: 'official-neti', label: 'Export for the official NeTI code' },
  {
    format: 'textual-inversion',
    label: `Export as textual inversion${word?.plain ? '' : ' (lossy)'}`,
  },
];

async function save(made: Promise<File | null>): Promise<void> {
  const file = await made;
  if (file) download(file, file.name);
}

/** As a picture that carries it, and for other programs. */
function Exports({ concept }: { concept: ConceptRecord }) {
  const actions = useActions();
  return (
    <>
      <Menu.Item className="menu-item" onClick={() => void save(actions().exportCard(concept.id))}>
        Export as a picture card
      </Menu.Item>
      {formatsOf(concept).map(({ format, label }) => (
        <Menu.Item
          key={format}
          className="menu-item"
          onClick={() => void save(actions().exportConcept(concept.id, format))}
        >
          {label}
        </Menu.Item>
      ))}
    </>
  );
}

function state(concept: ConceptRecord, training: boolean, unsaved: boolean, usable: boolean): string {
  if (training) return 'learning…';
  if (!usable) return `for ${concept.baseId}`;
  if (unsaved) return 'not saved';
  if (concept.steps === 0) return 'imported';
  const { step, steps } = concept;
  return step < steps ? `${step} of ${steps} steps` : `${step} ${step === 1 ? 'step' : 'steps'}`;
}

function Concept({ concept, rename }: { concept: ConceptRecord; rename: () => void }) {
  const actions = useActions();
  const { id, name, thumbnail } = concept;
  const chosen = useStudio((studio) => studio.form.conceptId === id);
  const training = useStudio((studio) => studio.training?.conceptId === id);
  const unsaved = useStudio((studio) => studio.unsaved.includes(id));
  const usable = useStudio((studio) => isUsable(studio, concept));
  return (
    <li className="concept" data-chosen={chosen}>
      <button
        type="button"
        className="concept-choose"
        aria-pressed={chosen}
        disabled={!usable}
        title={usable ? undefined : `Open ${concept.baseId} to use it: it was learned there.`}
        onClick={() => actions().selectConcept(chosen ? null : id)}
      >
        {thumbnail ? <BlobImage blob={thumbnail} alt="" /> : <span className="concept-blank" />}
        <span className="concept-text">
          <bdi className="concept-name">{name}</bdi>
          <span className="quiet">{state(concept, training, unsaved, usable)}</span>
          {concept.tags.length > 0 && <span className="concept-tags">{concept.tags.join(', ')}</span>}
        </span>
      </button>
      <ConceptMenu concept={concept} rename={rename} />
    </li>
  );
}

function ImportButton() {
  const id = useId();
  const actions = useActions();
  return (
    <span className="file-button">
      <input
        id={id}
        type="file"
        className="sr-only"
        multiple
        aria-label="Import concept"
        onChange={(event) => {
          void actions().importConcepts([...(event.target.files ?? [])]);
          event.target.value = '';
        }}
      />
      <label htmlFor={id} className="button button-quiet">
        <Icon name="up" />
        Import
      </label>
    </span>
  );
}

function ExportButton() {
  const chosen = useStudio((studio) => studio.concepts.find((each) => each.id === studio.form.conceptId));
  return (
    <button
      type="button"
      className="button button-quiet"
      aria-label="Export concept"
      disabled={chosen === undefined}
      onClick={() => chosen && exportConcept(chosen)}
    >
      <Icon name="down" />
      Export
    </button>
  );
}

function ExportAllButton() {
  const actions = useActions();
  const count = useStudio((studio) => studio.concepts.length);
  return count < 2 ? null : (
    <button type="button" className="button button-quiet" onClick={() => void save(actions().exportAll())}>
      Export all
    </button>
  );
}

/** Fewer are seen at a glance. */
const FEWEST_TO_FIND = 4;

interface FinderProps {
  readonly view: LibraryView;
  readonly onView: (view: LibraryView) => void;
}

function Finder({ view, onView }: FinderProps) {
  return (
    <div className="library-finder">
      <input
        type="search"
        aria-label="Find a concept"
        placeholder="Find"
        value={view.query}
        onChange={(event) => onView({ ...view, query: event.target.value })}
      />
      <Select
        aria-label="Order of the concepts"
        value={view.order}
        options={optionsOf(LIBRARY_ORDERS)}
        onChoose={(order) => onView({ ...view, order })}
      />
    </div>
  );
}

function SaveAgain() {
  const actions = useActions();
  const count = useStudio((studio) => studio.unsaved.length);
  return count === 0 ? null : (
    <button type="button" className="button" onClick={() => void actions().saveAgain()}>
      Save again
    </button>
  );
}

export function Library() {
  const concepts = useStudio((studio) => studio.concepts);
  const [renaming, setRenaming] = useState<string | null>(null);
  const [view, setView] = useState<LibraryView>({ query: '', order: 'newest' });
  const renamed = concepts.find((each) => each.id === renaming);
  const shown = viewed(concepts, view);
  return (
    <nav className="library" aria-label="Library">
      <div className="library-row">
        {concepts.length >= FEWEST_TO_FIND && <Finder view={view} onView={setView} />}
        <ul className="concepts" aria-label="Concepts" tabIndex={concepts.length > 0 ? 0 : -1}>
          {shown.map((concept) => (
            <Concept key={concept.id} concept={concept} rename={() => setRenaming(concept.id)} />
          ))}
        </ul>
        {concepts.length === 0 && <p className="quiet library-empty">Concepts you teach are kept here.</p>}
        {concepts.length > 0 && shown.length === 0 && (
          <p className="quiet library-empty">No concept is called or tagged so.</p>
        )}
        <div className="library-actions">
          <ImportButton />
          <ExportButton />
          <ExportAllButton />
        </div>
      </div>
      <Problems place="library">
        <SaveAgain />
      </Problems>
      {renamed && <LabelDialog key={renamed.id} concept={renamed} onClose={() => setRenaming(null)} />}
    </nav>
  );
}
