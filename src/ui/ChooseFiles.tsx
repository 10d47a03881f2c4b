/** A button for a file or several; a browser's window for folders offers no files. */
import { useRef } from 'react';

interface ChooseFilesProps {
  readonly label: string;
  readonly multiple?: boolean;
  readonly primary?: boolean;
  readonly onFiles: (files: File[]) => void;
}

export function ChooseFiles({ label, multiple = false, primary = false, onFiles }: ChooseFilesProps) {
  const input = useRef<HTMLInputElement>(null);
  return (
    <>
      <input
        ref={input}
        type="file"
        hidden
        multiple={multiple}
        aria-label={label}
        onChange={({ target }) => {
          onFiles([...(target.files ?? [])]);
          target.value = '';
        }}
      />
      <button
        type="button"
        className={primary ? 'button button-primary' : 'button'}
        onClick={() => input.current?.click()}
      >
        Choose file
      </button>
    </>
  );
}
