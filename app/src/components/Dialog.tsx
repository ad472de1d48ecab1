import { useEffect, useId, useRef, type ReactNode } from 'react';

/** A modal dialog: the browser's own, so that focus, Escape and screen readers behave. */
export function Dialog({ title, onClose, children }: { title: string; onClose: () => void; children: ReactNode }) {
  const element = useRef<HTMLDialogElement>(null);
  const heading = useId();
  useEffect(() => {
    const dialog = element.current;
    if (dialog && !dialog.open) dialog.showModal();
  }, []);
  return (
    <dialog
      ref={element}
      aria-labelledby={heading}
      onClose={onClose}
      onClick={(event) => {
        // The backdrop belongs to the dialog's element, its content does not.
        if (event.target === element.current) element.current.close();
      }}
      className="m-auto w-[min(26rem,calc(100vw-2rem))] rounded-lg border border-line bg-surface p-0 text-text backdrop:bg-black/55"
    >
      <div className="p-4">
        <div className="mb-3 flex items-center justify-between">
          <h2 id={heading} className="text-sm font-semibold">{title}</h2>
          <button type="button" className="plain px-2 py-0.5" aria-label="Close" onClick={() => element.current?.close()}>
            ✕
          </button>
        </div>
        {children}
      </div>
    </dialog>
  );
}
