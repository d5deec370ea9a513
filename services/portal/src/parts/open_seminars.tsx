// Seminars to sign up to, as their doctor and a delegate see them: a card each, and the question before
// a sign-up or its end. What is at the same time is shown, and in nobody's way. Where a session offers
// alternatives one says which kind is wanted, then or later.
import { useState } from 'preact/hooks';
import type { Answer } from '../api/types';
import { dateText, clockText, numberText, timeText } from '../text/format';
import { t, tOf } from '../text/messages';
import { tse } from '../text/seats';
import { Button, Facts, Notice, Tag, type Tone } from './basics';
import { Dialog } from './dialog';
import { SendButton } from './fields';
import { FormBox, useForm } from './form';
import { chosenText, KindFields, inputOf, wantedOf, type SignUpInput } from './kind_choice';
import { ListFoot, LoadBox, type Pages } from './load';

export type OpenSeminars = Answer<'/api/v1/me/seminars', 'get'>;
export type OpenSeminar = OpenSeminars['items'][number];
export type SignUp = Answer<'/api/v1/me/signups', 'post'>;

/** What was answered, and to what. */
export type Told = SignUp & { chosen?: boolean };

/** What a click asks for, of the doctor whom the page is about. */
export interface Deeds {
  signUp: (input: SignUpInput) => Promise<SignUp>;
  cancel: (seminarNo: string) => Promise<SignUp>;
  done: (told: Told) => void;
}

const TONES: Record<SignUp['state'], Tone> = { applied: 'good', waitlist: 'warn', cancelled_by_doctor: 'plain' };

const stands = ({ state }: OpenSeminar): boolean => state === 'applied' || state === 'waitlist';

export function OpenSeminarList(props: {
  id: string;
  title: string;
  pages: Pages<OpenSeminar, OpenSeminars>;
  empty: string;
  deeds: Deeds;
}) {
  const { id, title, pages, empty, deeds } = props;
  return (
    <section class="stack" aria-labelledby={id}>
      <h2 id={id}>{title}</h2>
      <LoadBox from={pages}>
        {() => (
          <>
            {pages.items.length === 0 && <p class="soft">{empty}</p>}
            {pages.items.map((seminar) => (
              <SeminarCard key={seminar.seminar_no} list={id} seminar={seminar} deeds={deeds} />
            ))}
            <ListFoot pages={pages} />
          </>
        )}
      </LoadBox>
    </section>
  );
}

/** What was answered, above the lists. */
export function SignUpNotice({ told }: { told: Told | undefined }) {
  if (!told) return null;
  return (
    <Notice tone={told.state === 'waitlist' ? 'warn' : 'good'} alert>
      <p>{tse(told.chosen ? 'done_chosen' : `done_${told.state}`, { n: numberText(told.waiting_before ?? 0) })}</p>
    </Notice>
  );
}

function SeminarCard({ list, seminar, deeds }: { list: string; seminar: OpenSeminar; deeds: Deeds }) {
  const [asking, setAsking] = useState<'place' | 'kinds'>();
  const id = `${list}-${seminar.seminar_no}`;
  const { state } = seminar;
  const full = seminar.places_left === 0;
  const label = tse(stands(seminar) ? 'cancel_of' : full ? 'wait_for' : 'sign_up_to', { title: seminar.title });
  return (
    <article class="card stack" aria-labelledby={id}>
      <div class="row between">
        <h3 id={id}>{seminar.title}</h3>
        {state && (
          <Tag tone={TONES[state]}>{tse(`state_${state}`, { n: numberText(seminar.waiting_before ?? 0) })}</Tag>
        )}
      </div>
      <Facts
        rows={[
          [t('seminar_no'), <span class="num">{seminar.seminar_no}</span>],
          [tse('begins'), timeText(seminar.starts_at)],
          [tse('organiser'), seminar.organiser_name],
          [tse('places'), seminar.open && placesText(seminar)],
          [tse('overlaps'), stands(seminar) && seminar.overlaps.map(({ title }) => title).join(t('comma'))],
          [tse('asked_at'), seminar.asked_at && timeText(seminar.asked_at)],
          [tse('kinds'), stands(seminar) && seminar.choices.map(chosenText).join(t('comma'))],
        ]}
      />
      {seminar.by_delegate && <p class="soft">{tse('by_delegate')}</p>}
      <details>
        <summary>{tse('sessions')}</summary>
        <ul>
          {seminar.sessions.map((item) => (
            <li key={item.session_no}>
              {item.title} <span class="num">{dateText(item.starts_at)}</span>{' '}
              {t('time_range', { from: clockText(item.starts_at), to: clockText(item.ends_at) })}{' '}
              {tOf('delivery', item.delivery)}
            </li>
          ))}
        </ul>
      </details>
      {stands(seminar) && seminar.choices.some(({ posted }) => !posted) && (
        <div>
          <Button look="side" label={tse('choose_of', { title: seminar.title })} onClick={() => setAsking('kinds')}>
            {`${tse('choose')}…`}
          </Button>
        </div>
      )}
      {seminar.open ? (
        <div>
          <Button look={stands(seminar) ? 'danger' : 'side'} label={label} onClick={() => setAsking('place')}>
            {`${tse(stands(seminar) ? 'cancel' : full ? 'wait' : 'sign_up')}…`}
          </Button>
        </div>
      ) : (
        <p class="soft">{tse('closed')}</p>
      )}
      {asking === 'place' && (
        <AskDialog title={label} seminar={seminar} deeds={deeds} close={() => setAsking(undefined)} />
      )}
      {asking === 'kinds' && <ChooseDialog seminar={seminar} deeds={deeds} close={() => setAsking(undefined)} />}
    </article>
  );
}

function placesText({ places_left, waiting }: OpenSeminar): string {
  if (places_left === null) return tse('places_open');
  return places_left > 0 ? tse('places_n', { n: numberText(places_left) }) : tse('places_none', { n: numberText(waiting) });
}

function ChooseDialog({ seminar, deeds, close }: { seminar: OpenSeminar; deeds: Deeds; close: () => void }) {
  const form = useForm(wantedOf(seminar));
  return (
    <Dialog title={tse('choose_of', { title: seminar.title })} onClose={close}>
      <FormBox
        form={form}
        send={async () => {
          const told = await deeds.signUp(inputOf(seminar, form.values));
          close();
          deeds.done({ ...told, chosen: true });
        }}
      >
        <KindFields seminar={seminar} form={form} />
        <div class="row">
          <SendButton busy={form.busy}>{tse('choose')}</SendButton>
          <Button look="text" onClick={close}>
            {tse('keep')}
          </Button>
        </div>
      </FormBox>
    </Dialog>
  );
}

function AskDialog(props: { title: string; seminar: OpenSeminar; deeds: Deeds; close: () => void }) {
  const { title, seminar, deeds, close } = props;
  const form = useForm(wantedOf(seminar));
  const ends = stands(seminar);
  const full = seminar.places_left === 0;
  return (
    <Dialog title={title} onClose={close}>
      <p class="num">{timeText(seminar.starts_at)}</p>
      {ends && <p>{tse('cancel_sure')}</p>}
      {!ends && seminar.overlaps.length > 0 && (
        <Notice tone="warn">
          <p>{tse('overlaps_lead')}</p>
          <ul>
            {seminar.overlaps.map((other) => (
              <li key={other.seminar_no}>{other.title}</li>
            ))}
          </ul>
        </Notice>
      )}
      <FormBox
        form={form}
        send={async () => {
          const told = ends
            ? await deeds.cancel(seminar.seminar_no)
            : await deeds.signUp(inputOf(seminar, form.values));
          close();
          deeds.done(told);
        }}
      >
        {!ends && <KindFields seminar={seminar} form={form} />}
        <div class="row">
          <SendButton look={ends ? 'danger' : 'main'} busy={form.busy}>
            {tse(ends ? 'cancel' : full ? 'wait' : 'sign_up')}
          </SendButton>
          <Button look="text" onClick={close}>
            {tse('keep')}
          </Button>
        </div>
      </FormBox>
    </Dialog>
  );
}
