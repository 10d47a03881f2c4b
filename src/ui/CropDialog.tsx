/** Choosing the square of a picture that is learned from: drag, zoom, arrow keys. */
import { Dialog } from '@base-ui/react/dialog';
import { useState } from 'react';
import Cropper from 'react-easy-crop';
import 'react-easy-crop/react-easy-crop.css';
import type { Crop, PictureItem } from '../store/state.ts';
import { useBlobUrl } from './blobUrl.ts';
import { Modal } from './Modal.tsx';
import { useActions } from './useStudio.ts';

interface CropDialogProps {
  readonly picture: PictureItem;
  readonly onClose: () => void;
}

/** Whole pixels that lie inside the picture. */
function clamp(area: Crop, { width, height }: PictureItem): Crop {
  const side = Math.max(1, Math.min(Math.round(area.width), width, height));
  const place = (at: number, size: number) => Math.min(Math.max(0, Math.round(at)), size - side);
  return { x: place(area.x, width), y: place(area.y, height), width: side, height: side };
}

interface CropStageProps {
  readonly picture: PictureItem;
  readonly zoom: number;
  readonly onZoom: (zoom: number) => void;
  readonly onArea: (area: Crop) => void;
}

function CropStage({ picture, zoom, onZoom, onArea }: CropStageProps) {
  const [place, setPlace] = useState({ x: 0, y: 0 });
  return (
    <div className="crop-stage">
      <Cropper
        image={useBlobUrl(picture.source)}
        crop={place}
        zoom={zoom}
        aspect={1}
        disableAutomaticStylesInjection
        maxZoom={8}
        {...(picture.crop && { initialCroppedAreaPixels: picture.crop })}
        onCropChange={setPlace}
        onZoomChange={onZoom}
        onCropComplete={(_, pixels) => onArea(pixels)}
      />
    </div>
  );
}

function Zoom({ zoom, onZoom }: Pick<CropStageProps, 'zoom' | 'onZoom'>) {
  return (
    <label className="crop-zoom">
      Zoom
      <input
        type="range"
        min={1}
        max={8}
        step={0.05}
        value={zoom}
        onChange={(event) => onZoom(Number(event.target.value))}
      />
    </label>
  );
}

export function CropDialog({ picture, onClose }: CropDialogProps) {
  const actions = useActions();
  const [zoom, setZoom] = useState(1);
  const [area, setArea] = useState<Crop | null>(picture.crop);
  const use = () => {
    if (area !== null) void actions().cropPicture(picture.id, clamp(area, picture));
    onClose();
  };
  return (
    <Modal onClose={onClose} className="dialog">
      <Dialog.Title className="dialog-title">Crop</Dialog.Title>
      <Dialog.Description className="quiet">The model learns from this square.</Dialog.Description>
      <CropStage picture={picture} zoom={zoom} onZoom={setZoom} onArea={setArea} />
      <Zoom zoom={zoom} onZoom={setZoom} />
      <div className="dialog-buttons">
        <Dialog.Close className="button">Cancel</Dialog.Close>
        <button type="button" className="button button-primary" onClick={use}>
          Use this square
        </button>
      </div>
    </Modal>
  );
}
