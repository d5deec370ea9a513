// Accounts of staff of one's own association, for its administrators.
import { useState } from 'preact/hooks';
import { call } from '../api/client';
import type { Answer } from '../api/types';
import { Button, Notice, PageTitle, Tag, type Tone } from '../parts/basics';
import { LoadBox, ListFoot, usePages } from '../parts/load';
import { InviteForm, StaffActions, type Staff } from '../parts/staff_forms';
import { Table, type Column } from '../parts/table';
import { timeText } from '../text/format';
import { t, tOf } from '../text/messages';

type StaffList = Answer<'/api/v1/staff', 'get'>;

const TONES: Record<Staff['status'], Tone> = {
  invited: 'info',
  active: 'good',
  suspended: 'warn',
  expired: 'warn',
  ended: 'plain',
};

const columns = (done: (staff: Staff) => void): Column<Staff>[] => [
  { id: 'name', label: t('name'), head: true, cell: (staff) => staff.name },
  {
    id: 'role',
    label: t('staff_role'),
    cell: (staff) => [tOf('role', staff.role), staff.administrator && t('staff_is_administrator')].filter(Boolean).join(t('comma')),
  },
  { id: 'office', label: t('staff_office'), cell: (staff) => staff.office_name },
  { id: 'login', label: t('login_id'), cell: (staff) => staff.login_id },
  { id: 'email', label: t('email'), cell: (staff) => staff.email },
  { id: 'used', label: t('staff_used'), kind: 'date', cell: (staff) => timeText(staff.used_at) },
  {
    id: 'status',
    label: t('status'),
    cell: (staff) => <Tag tone={TONES[staff.status]}>{tOf('staff_status', staff.status)}</Tag>,
  },
  { id: 'actions', label: t('actions'), cell: (staff) => <StaffActions staff={staff} done={done} /> },
];

export function StaffPage() {
  const [open, setOpen] = useState(false);
  const [said, setSaid] = useState('');
  const pages = usePages<Staff, StaffList>(
    (cursor, signal) => call('get', '/api/v1/staff', { query: { ...(cursor ? { cursor } : {}), limit: 100 }, signal }),
    [],
  );
  const changed = (staff: Staff) => {
    setSaid(t('staff_done', { name: staff.name, status: tOf('staff_status', staff.status) }));
    pages.reload();
  };
  return (
    <div class="stack wide">
      <PageTitle>{t('staff_title')}</PageTitle>
      <p>{t('staff_lead')}</p>
      {said && (
        <Notice tone="good" alert>
          <p>{said}</p>
        </Notice>
      )}
      <div>
        <Button look="side" expanded={open} onClick={() => setOpen(!open)}>
          {t('staff_invite')}
        </Button>
      </div>
      {open && (
        <div class="card read">
          <InviteForm
            done={(staff) => {
              setOpen(false);
              setSaid(t('staff_invited', { email: staff.email }));
              pages.reload();
            }}
          />
        </div>
      )}
      <LoadBox from={pages}>
        {() => (
          <>
            <Table
              caption={t('staff_title')}
              hideCaption
              columns={columns(changed)}
              rows={pages.items}
              keyOf={(staff) => staff.account_id}
              off={(staff) => staff.status === 'ended'}
              empty={t('staff_none')}
            />
            <ListFoot pages={pages} />
          </>
        )}
      </LoadBox>
    </div>
  );
}
