// Whether a transcript is genuine: its code, typed or after the # of the printed address, and what
// was issued under it. Everybody may ask.
import { useEffect, useState } from 'preact/hooks';
import { call } from '../api/client';
import { errorOf, type ApiError } from '../api/problem';
import type { Answer } from '../api/types';
import { Facts, Notice, PageTitle } from '../parts/basics';
import { CreditTotals, CreditYears } from '../parts/credit_sums';
import { SendButton, TextField } from '../parts/fields';
import { ProblemNotice } from '../parts/load';
import { dateText, timeText } from '../text/format';
import { t, tOf } from '../text/messages';

type Transcript = Answer<'/api/v1/transcripts/{code}', 'get'>;

/** Codes have letters, digits and hyphens only; whatever else stands there, the server refuses. */
const codeHere = (): string => location.hash.slice(1);

export function VerifyPage() {
  const [code, setCode] = useState(codeHere);
  const [found, setFound] = useState<Transcript>();
  const [error, setError] = useState<ApiError>();
  const [busy, setBusy] = useState(false);
  const [missing, setMissing] = useState(false);

  async function look(wanted: string): Promise<void> {
    setMissing(!wanted.trim());
    if (!wanted.trim()) document.getElementById('code')?.focus();
    if (!wanted.trim() || busy) return;
    setBusy(true);
    setFound(undefined);
    setError(undefined);
    try {
      setFound(await call('get', '/api/v1/transcripts/{code}', { path: { code: wanted.trim() } }));
    } catch (cause) {
      setError(errorOf(cause));
    } finally {
      setBusy(false);
    }
  }
  useEffect(() => {
    const again = () => {
      setCode(codeHere());
      if (location.hash) void look(codeHere());
    };
    again();
    addEventListener('hashchange', again);
    return () => removeEventListener('hashchange', again);
  }, []);

  return (
    <div class="stack wide">
      <div class="stack read">
        <PageTitle>{t('proof_title')}</PageTitle>
        <p>{t('proof_lead')}</p>
        <form
          class="search"
          role="search"
          aria-label={t('proof_title')}
          noValidate
          onSubmit={(event) => {
            event.preventDefault();
            void look(code);
          }}
        >
          <TextField
            id="code"
            max={60}
            size="middle"
            label={t('proof_code')}
            hint={t('proof_hint')}
            error={missing ? t('must_fill', { field: t('proof_code') }) : undefined}
            value={code}
            onValue={setCode}
          />
          <SendButton busy={busy}>{t('proof_send')}</SendButton>
        </form>
      </div>
      {error && <ProblemNotice error={error} />}
      {found && <Issued transcript={found} />}
    </div>
  );
}

function Issued({ transcript }: { transcript: Transcript }) {
  const { programme, from, to, totals, totals_by_year } = transcript;
  return (
    <section class="stack" aria-labelledby="issued">
      <Notice tone="good" title={t('proof_genuine')} alert>
        <p>{t('proof_compare')}</p>
      </Notice>
      <h2 id="issued">{t('proof_issued')}</h2>
      <Facts
        rows={[
          [t('proof_code'), <span class="num">{transcript.code}</span>],
          [t('proof_name'), transcript.name_masked],
          [t('proof_at'), <span class="num">{timeText(transcript.issued_at)}</span>],
          [t('programme'), programme ? tOf('programme', programme) : t('all')],
          [t('held_on'), from || to ? `${dateText(from)} ～ ${dateText(to)}` : t('all')],
          [t('proof_entries'), t('shown_all', { n: transcript.entries })],
          [t('proof_format'), transcript.format === 'pdf' ? t('transcript_pdf') : t('transcript_csv')],
          [t('proof_sha256'), <span class="code">{transcript.sha256}</span>],
        ]}
      />
      {totals.length > 0 && (
        <>
          <h2>{t('credits_totals')}</h2>
          <CreditTotals totals={totals} />
          <CreditYears years={totals_by_year} />
        </>
      )}
    </section>
  );
}
