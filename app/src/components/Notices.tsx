import { useSession, type Notice } from '../hooks/session';
import { explorerLink } from '../lib/cluster';

const WORDS: Record<Notice['stage'], string> = {
  checking: 'Trying it out',
  signing: 'Waiting for the wallet',
  sending: 'Sending',
  confirming: 'Waiting for confirmation',
  done: 'Confirmed',
  failed: 'Did not happen',
  unknown: 'Nobody knows whether it happened',
  info: '',
  forced: '',
};

/** What is under way and what became of it. */
export function Notices() {
  const { notices, dismiss, cluster } = useSession();
  return (
    <div role="status" aria-live="polite" className="pointer-events-none fixed inset-x-2 bottom-2 z-20 grid max-h-[80dvh] justify-items-end gap-2 overflow-y-auto sm:left-auto">
      {notices.map(({ id, title, detail, stage, signature, href }) => (
        <div
          key={id}
          data-stage={stage}
          className={`pointer-events-auto w-full max-w-sm rounded border-l-4 bg-raised p-3 shadow-lg ring-1 ring-line ${
            stage === 'failed' || stage === 'forced' ? 'border-down' : stage === 'done' || stage === 'info' ? 'border-up' : 'border-warn'
          }`}
        >
          <div className="flex items-start justify-between gap-3">
            <div className="min-w-0">
              <p className="font-medium">{title}</p>
              {WORDS[stage] && <p className="text-muted">{WORDS[stage]}</p>}
              {detail && <p className={stage === 'failed' ? 'text-down' : 'text-muted'}>{detail}</p>}
              {href && <a className="link" href={href}>Why?</a>}
              {signature && (
                <p className="truncate font-mono text-2xs text-muted">
                  <a className="link" href={explorerLink(cluster, signature)} target="_blank" rel="noreferrer">{signature}</a>
                </p>
              )}
            </div>
            <button type="button" className="text-muted hover:text-text" aria-label="Dismiss" onClick={() => dismiss(id)}>
              ✕
            </button>
          </div>
        </div>
      ))}
    </div>
  );
}
