/** A picture that lies in memory. */
import type { ComponentProps } from 'react';
import { useBlobUrl } from './blobUrl.ts';

interface BlobImageProps extends Omit<ComponentProps<'img'>, 'src'> {
  readonly blob: Blob;
  readonly alt: string;
}

export function BlobImage({ blob, alt, ...image }: BlobImageProps) {
  return <img src={useBlobUrl(blob)} alt={alt} {...image} />;
}
