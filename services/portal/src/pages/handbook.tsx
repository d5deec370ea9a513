// Declaring the credits of the paper handbook, for each certificate and kind.
import { useState } from 'preact/hooks';
import { call, command } from '../api/client';
import type { Answer } from '../api/types';
import { Notice, PageTitle } from '../parts/basics';
import { SendButton, TextField } from '../parts/fields';
import { FormBox, useForm, type Errors } from '../parts/form';
import { LoadBox, useLoad } from '../parts/load';
import { dayOf } from '../text/days';
import { halfUnitsOf, periodText, unitNumber, unitText } from '../text/format';
import { t, tOf } from '../text/messages';
import type { Standing } from './overview';

type Declared = Answer<'/api/v1/me/handbook', 'get'>['items'][number];
type Fields = Record<string, string>;

async function read(signal: AbortSignal) {
  const [standing, handbook] = await Promise.all([
    call('get', '/api/v1/me/standing', { signal }),
    call('get', '/api/v1/me/handbook', { signal }),
  ]);
  return { standings: standing.items, declared: handbook.items };
}

export function HandbookPage() {
  const loaded = useLoad(read, []);
  return (
    <div class="stack wide read">
      <div class="stack tight">
        <PageTitle>{t('hand_title')}</PageTitle>
        <p>{t('hand_lead')}</p>
      </div>
      <LoadBox from={loaded}>
        {({ standings, declared }) =>
          standings.length === 0 ? (
            <p>{t('hand_none')}</p>
          ) : (
            standings.map((standing) => (
              <ProgrammeForm
                key={standing.programme}
                standing={standing}
                declared={declared.find((item) => item.programme === standing.programme)}
              />
            ))
          )
        }
      </LoadBox>
    </div>
  );
}

/** Fields are named as in the request (lines-0-half_units), so that its problems find them. */
const unitsId = (programme: string, index: number) => `${programme}-lines-${index}-half_units`;
const lastId = (programme: string, index: number) => `${programme}-lines-${index}-last_on`;

function ProgrammeForm({ standing, declared }: { standing: Standing; declared: Declared | undefined }) {
  const { programme, certificate } = standing;
  const lines = standing.lines;
  const [saved, setSaved] = useState(false);
  const initial: Fields = {};
  lines.forEach((line, index) => {
    const old = declared?.lines.find((item) => item.kind === line.kind);
    initial[unitsId(programme, index)] = old ? unitNumber(old.half_units) : '0';
    initial[lastId(programme, index)] = old?.last_on ?? '';
  });
  const form = useForm(initial, (values) => check(values, standing));

  async function send(values: Fields): Promise<void> {
    setSaved(false);
    const body = {
      programme,
      lines: lines.map((line, index) => ({
        kind: line.kind,
        half_units: halfUnitsOf(values[unitsId(programme, index)]!) ?? 0,
        last_on: dayOf(values[lastId(programme, index)]!),
      })),
    };
    await command('put', '/api/v1/me/handbook', { body });
    setSaved(true);
  }

  const prefixed: Errors = {};
  for (const [field, text] of Object.entries(form.errors))
    prefixed[field.startsWith('lines-') ? `${programme}-${field}` : field] = text;

  return (
    <section class="card stack" aria-labelledby={`hand-${programme}`}>
      <h2 id={`hand-${programme}`}>{tOf('programme', programme)}</h2>
      <p class="num">
        {t('valid')}: {periodText(certificate.valid_from, certificate.valid_to)}
      </p>
      {programme === 'OP' && <p>{t('hand_op_note')}</p>}
      <p>{t('hand_how')}</p>
      <FormBox form={{ ...form, errors: prefixed }} send={send} label={tOf('programme', programme)}>
        {lines.map((line, index) => (
          <fieldset key={line.kind}>
            <legend>{line.kind_name}</legend>
            <div class="pair">
              <TextField
                id={unitsId(programme, index)}
                size="short"
                inputMode="decimal"
                label={t('hand_units')}
                value={form.values[unitsId(programme, index)] ?? ''}
                error={prefixed[unitsId(programme, index)]}
                onValue={(value) => form.set(unitsId(programme, index), value)}
              />
              <TextField
                id={lastId(programme, index)}
                size="short"
                label={t('hand_last')}
                value={form.values[lastId(programme, index)] ?? ''}
                error={prefixed[lastId(programme, index)]}
                onValue={(value) => form.set(lastId(programme, index), value)}
              />
            </div>
            <Verified declared={declared} kind={line.kind} />
          </fieldset>
        ))}
        {saved && (
          <Notice tone="good" alert>
            <p>{t('hand_saved')}</p>
          </Notice>
        )}
        <div>
          <SendButton busy={form.busy}>{t('hand_save')}</SendButton>
        </div>
      </FormBox>
    </section>
  );
}

function Verified({ declared, kind }: { declared: Declared | undefined; kind: string }) {
  const units = declared?.lines.find((line) => line.kind === kind)?.verified_half_units;
  if (units === null || units === undefined) return null;
  return <p class="soft">{t('hand_verified', { units: unitText(units) })}</p>;
}

function check(values: Fields, { programme, lines }: Standing): Errors {
  const errors: Errors = {};
  lines.forEach((line, index) => {
    const units = halfUnitsOf(values[unitsId(programme, index)]!);
    const last = values[lastId(programme, index)]!;
    if (units === null) errors[unitsId(programme, index)] = t('hand_units_wrong', { kind: line.kind_name });
    else if (units > 0 && !last.trim())
      errors[lastId(programme, index)] = t('hand_last_missing', { kind: line.kind_name });
    else if (last.trim() && !dayOf(last)) errors[lastId(programme, index)] = t('day_wrong');
  });
  return errors;
}
