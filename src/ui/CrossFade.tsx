/** A picture that fades into the next one in place. */
import { useState } from 'react';

export function CrossFade({ src, alt }: { src: string; alt: string }) {
  const [shown, setShown] = useState<{ now: string; before: string | null }>({ now: src, before: null });
  if (shown.now !== src) setShown({ now: src, before: shown.now });
  return (
    <>
      {shown.before !== null && <img className="fade-before" src={shown.before} alt="" />}
      <img className="fade-now" key={shown.now} src={shown.now} alt={alt} />
    </>
  );
}
