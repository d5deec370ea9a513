// The kinds of credits that one wants of sessions that offer several of one programme.
import type { Answer, Body } from '../api/types';
import { unitText } from '../text/format';
import { tse } from '../text/seats';
import { SelectField } from './fields';
import type { Form } from './form';

type Seminar = Answer<'/api/v1/me/seminars', 'get'>['items'][number];
type KindChoice = Seminar['choices'][number];
export type SignUpInput = Body<'/api/v1/me/signups', 'post'>;
/** What is wanted of each choice, by its place; '': left to the certificate. */
export type Wanted = Record<string, string>;

const nameOf = (at: number): string => `kind-${at}`;

const kindText = ({ kind_name, half_units }: KindChoice['kinds'][number]): string =>
  tse('kind_units', { kind: kind_name, units: unitText(half_units) });

export function chosenText({ session_title, kinds, chosen }: KindChoice): string {
  const kind = kinds.find((item) => item.kind === chosen);
  return tse('kind_chosen', { session: session_title, kind: kind ? kindText(kind) : tse('kind_by_certificate') });
}

export const wantedOf = ({ choices }: Seminar): Wanted =>
  Object.fromEntries(choices.map(({ chosen }, at) => [nameOf(at), chosen ?? '']));

/** Nothing is said of kinds where there is no choice. */
export function inputOf({ seminar_no, choices }: Seminar, wanted: Wanted): SignUpInput {
  const asked = choices.map(({ session_no }, at) => ({ session_no, kind: wanted[nameOf(at)] ?? '' }));
  return choices.length === 0 ? { seminar_no } : { seminar_no, choices: asked.filter(({ kind }) => kind !== '') };
}

export function KindFields({ seminar, form }: { seminar: Seminar; form: Form<Wanted> }) {
  if (seminar.choices.length === 0) return null;
  return (
    <>
      <p>{tse('kinds_lead')}</p>
      {seminar.choices.map(({ session_title, kinds, posted }, at) =>
        posted ? null : (
          <SelectField
            key={nameOf(at)}
            id={nameOf(at)}
            label={tse('kind_of', { session: session_title })}
            value={form.values[nameOf(at)] ?? ''}
            options={[
              ['', tse('kind_by_certificate')],
              ...kinds.map((item): [string, string] => [item.kind, kindText(item)]),
            ]}
            onValue={(kind) => form.set(nameOf(at), kind)}
          />
        ),
      )}
    </>
  );
}
