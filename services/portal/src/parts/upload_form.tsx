// Choosing an attendance file, by the ordinary file field or dropped on its box; a look at what is in
// it; sending it.
import { useRef, useState } from 'preact/hooks';
import { newKey } from '../api/client';
import { errorOf, type ApiError } from '../api/problem';
import { sendFile, type Accepted, type Sending } from '../api/send_file';
import { go } from '../router';
import type { Examined, Unreadable } from '../sheet/preview';
import { refresh } from '../session';
import { bytesText } from '../text/format';
import { t } from '../text/messages';
import { Announce, Button } from './basics';
import { CheckField } from './fields';
import { FilePreview, UnreadableNotice } from './file_preview';
import { ProblemNotice } from './load';
import { WaitNote } from './wait';

const BYTES_MAX = 64 * 1024 * 1024;

interface Chosen extends Examined {
  /** As it was chosen; a workbook is sent as another file. */
  from: File;
  /** One upload for one choice, however often it is sent. */
  key: string;
}

export function UploadForm({ seminarNo, severalSessions }: { seminarNo: string; severalSessions: boolean }) {
  const [chosen, setChosen] = useState<Chosen>();
  const [unreadable, setUnreadable] = useState<Unreadable>();
  const [looking, setLooking] = useState(false);
  const [wrong, setWrong] = useState('');
  const [over, setOver] = useState(false);
  const [dryRun, setDryRun] = useState(false);
  const [percent, setPercent] = useState<number>();
  const [error, setError] = useState<ApiError>();
  const sending = useRef<Sending>();
  const stopped = useRef(false);
  const input = useRef<HTMLInputElement>(null);
  const turn = useRef(0);
  const busy = percent !== undefined;

  function take(files: FileList | null | undefined): void {
    if (busy) return;
    setError(undefined);
    const file = files?.[0];
    const fault = files && files.length > 1 ? t('upload_one') : faultOf(file);
    setWrong(fault);
    setChosen(undefined);
    setUnreadable(undefined);
    if (file && !fault) void look(file);
  }

  /** A workbook becomes a CSV file here; of two choices the later one counts. */
  async function look(file: File): Promise<void> {
    const mine = ++turn.current;
    setLooking(true);
    try {
      const { examine, UnreadableFile } = await import('../sheet/preview');
      const examined = await examine(file, severalSessions).catch((cause) => {
        if (cause instanceof UnreadableFile && mine === turn.current) setUnreadable(cause.why);
        else throw cause;
      });
      if (examined && mine === turn.current) setChosen({ ...examined, from: file, key: newKey() });
    } catch {
      if (mine === turn.current) setWrong(t('part_failed')); // or the file is gone meanwhile
    } finally {
      if (mine === turn.current) setLooking(false);
    }
  }

  async function send(): Promise<void> {
    if (busy || looking) return;
    if (!chosen) {
      if (!unreadable) setWrong(wrong || t('upload_none'));
      input.current?.focus();
      return;
    }
    setError(undefined);
    setPercent(0);
    stopped.current = false;
    try {
      const { upload_id } = await sendOnce(chosen);
      go(`/uploads/${upload_id}`, { state: 'sent' });
    } catch (cause) {
      if (!stopped.current) setError(errorOf(cause));
    } finally {
      sending.current = undefined;
      setPercent(undefined);
    }
  }

  /** Where the session has ended, asks to sign in and sends the file again. */
  async function sendOnce({ file, key }: Chosen): Promise<Accepted> {
    for (let tried = 1; ; tried++) {
      sending.current = sendFile(seminarNo, file, key, dryRun, setPercent);
      try {
        return await sending.current.answer;
      } catch (cause) {
        const { status, code } = errorOf(cause).problem;
        const signedOut = status === 401 || code === 'csrf';
        if (!signedOut || tried > 1 || !(await refresh())) throw cause;
      }
    }
  }

  function stop(): void {
    stopped.current = true;
    sending.current?.stop();
  }

  return (
    <form
      class="stack"
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        void send();
      }}
    >
      <div
        class={`drop${over ? ' over' : ''}`}
        onDragOver={(event) => {
          event.preventDefault();
          setOver(true);
        }}
        onDragLeave={() => setOver(false)}
        onDrop={(event) => {
          event.preventDefault();
          setOver(false);
          take(event.dataTransfer?.files);
        }}
      >
        <p class="strong" id="file-name">
          {t('upload_choose')}
        </p>
        {/* The browser's own button would speak the browser's language; the label takes its place. */}
        <input
          ref={input}
          id="file"
          class="sr"
          type="file"
          aria-labelledby="file-name"
          accept=".xlsx,.xlsm,.csv,.tsv,.txt,.json,text/csv,application/json"
          aria-describedby={wrong ? 'file-error' : 'file-drop'}
          aria-invalid={wrong ? 'true' : undefined}
          onClick={(event) => {
            // So that the same file, corrected meanwhile, counts as a new choice.
            event.currentTarget.value = '';
          }}
          onChange={(event) => take(event.currentTarget.files)}
        />
        <label class="btn side" for="file">
          {t('upload_pick')}
        </label>
        <p id="file-drop" class={chosen ? 'strong' : 'soft'}>
          {chosen
            ? t('upload_chosen', { name: chosen.from.name, size: bytesText(chosen.from.size) })
            : t('upload_drop')}
        </p>
        {wrong && (
          <p class="error-text" id="file-error" role="alert">
            {wrong}
          </p>
        )}
      </div>
      {looking && <p role="status">{t('look_reading')}</p>}
      {unreadable && <UnreadableNotice why={unreadable} />}
      {chosen && <FilePreview examined={chosen} />}
      <div class="stack tight">
        <CheckField id="dry_run" label={t('dry_run_only')} value={dryRun} onValue={setDryRun} />
        <p class="soft">{t('dry_run_only_hint')}</p>
      </div>
      {error && (
        <div class="stack tight">
          <ProblemNotice error={error} />
          <WaitNote error={error} />
        </div>
      )}
      {busy && (
        <div class="stack tight">
          <progress aria-label={t('upload_send')} max={100} value={percent} />
          <p class="num">{t('upload_sending', { n: percent })}</p>
        </div>
      )}
      <Announce text={busy ? t('working') : ''} />
      <div class="row">
        <Button submit look="main" busy={busy}>
          {busy ? t('working') : t('upload_send')}
        </Button>
        {busy && (
          <Button look="text" onClick={stop}>
            {t('upload_stop')}
          </Button>
        )}
      </div>
    </form>
  );
}

function faultOf(file: File | undefined): string {
  if (!file) return '';
  if (file.size > BYTES_MAX) return t('upload_large');
  return file.size === 0 ? t('upload_empty') : '';
}
