// A member's profile, asked for by number; that one looked is recorded, with the reason.
import { useState } from 'preact/hooks';
import { call, command } from '../api/client';
import type { Answer } from '../api/types';
import { may } from '../gen/access';
import { Button, Facts, PageTitle, Tag } from '../parts/basics';
import { AreaField, SendButton, TextField } from '../parts/fields';
import { FormBox, useForm } from '../parts/form';
import { NumberDialog } from '../parts/number_dialog';
import { go } from '../router';
import { session } from '../session';
import { dateText } from '../text/format';
import { t } from '../text/messages';
import { prefectureName } from '../text/prefectures';

type Member = Answer<'/api/v1/doctors/{mamis_no}', 'get'>;
type Proposal = Answer<'/api/v1/merges/{merge_id}', 'get'>;

const numberOf = (text: string): string => text.normalize('NFKC').replace(/\s/g, '');

export function MemberPage() {
  const [member, setMember] = useState<Member>();
  const [changing, setChanging] = useState(false);
  const form = useForm({ mamis_no: '', reason: '' }, ({ mamis_no }) => ({
    mamis_no: /^\d{10}$/.test(numberOf(mamis_no)) ? undefined : t('member_number_wrong'),
  }));
  return (
    <div class="stack wide read">
      <PageTitle>{t('member_title')}</PageTitle>
      <p>{t('member_lead')}</p>
      <FormBox
        form={form}
        label={t('member_title')}
        send={async ({ mamis_no, reason }) => {
          setMember(undefined);
          const headers: Record<string, string> = reason.trim() ? { 'X-Reason': encodeURIComponent(reason.trim()) } : {};
          setMember(await call('get', '/api/v1/doctors/{mamis_no}', { path: { mamis_no: numberOf(mamis_no) }, headers }));
        }}
      >
        <TextField
          id="mamis_no"
          label={t('mamis_no')}
          size="short"
          inputMode="numeric"
          need
          value={form.values.mamis_no}
          error={form.errors['mamis_no']}
          onValue={(value) => form.set('mamis_no', value)}
        />
        <AreaField
          id="reason"
          label={t('member_reason')}
          hint={t('member_reason_hint')}
          value={form.values.reason}
          error={form.errors['reason']}
          onValue={(value) => form.set('reason', value)}
        />
        <div>
          <SendButton busy={form.busy}>{t('member_find')}</SendButton>
        </div>
      </FormBox>
      {member && (
        <section class="stack" aria-labelledby="member">
          <h2 id="member">{member.name}</h2>
          <Facts
            rows={[
              [t('name_kana'), member.name_kana],
              [t('former_name'), member.former_name],
              [t('mamis_no'), member.mamis_no],
              [t('register_no'), member.register_no],
              [t('birth_on'), dateText(member.birth_on)],
              [t('workplace_name'), member.workplace_name],
              [t('workplace_address'), [member.workplace_postcode, member.workplace_address].filter(Boolean).join(' ')],
              [t('residence'), prefectureName(member.residence_prefecture) + member.residence_municipality],
              [t('phone_no'), member.phone],
              [t('email'), member.email],
              [t('member_codes'), [member.l2_code, member.l1_code].filter(Boolean).join(' / ')],
              [t('by_residence'), member.by_residence && <Tag tone="warn">{t('by_residence_yes')}</Tag>],
              [t('member_category'), member.l3_category],
            ]}
          />
          {may(session()?.account.role ?? '', 'merge_decide') && member.mamis_no && (
            <div>
              <Button onClick={() => setChanging(true)}>{t('number_change')}</Button>
            </div>
          )}
          {changing && (
            <NumberDialog
              close={() => setChanging(false)}
              send={async (body) => {
                const made = await command('post', '/api/v1/doctors/{mamis_no}/register-number', { path: { mamis_no: member.mamis_no }, body });
                go(`/merges/${(made as Proposal).merge_id}`);
              }}
            />
          )}
        </section>
      )}
    </div>
  );
}
