// Problems that repeat, told once: how many rows, why, and what to do. Each is also a filter.
import { call } from '../api/client';
import type { Upload } from '../api/progress';
import type { Answer } from '../api/types';
import { setQuery } from '../router';
import { numberText } from '../text/format';
import { t } from '../text/messages';
import { Button } from './basics';
import { useLoad } from './load';

type Group = Answer<'/api/v1/uploads/{upload_id}/reasons', 'get'>['items'][number];

const SHOWN = 6;
/** What somebody has to do something about comes first. */
const toDo = (group: Group): number => (group.outcome === 'rejected' || group.outcome === 'unmatched' ? 0 : 1);

export const useReasons = (upload: Upload) =>
  useLoad(
    (signal) => call('get', '/api/v1/uploads/{upload_id}/reasons', { path: { upload_id: upload.upload_id }, signal }),
    [upload.upload_id, upload.counts.rejected, upload.counts.unmatched, upload.counts.waiting],
  );

export function ReasonGroups({ groups, reason, outcome }: { groups: Group[]; reason: string; outcome: string }) {
  if (groups.length === 0) return null;
  const sorted = [...groups].sort((a, b) => toDo(a) - toDo(b) || b.rows - a.rows);
  const list = (some: Group[]) => (
    <ul class="groups">
      {some.map((group) => (
        <GroupItem key={group.outcome + group.reason} group={group} shown={group.reason === reason && group.outcome === outcome} />
      ))}
    </ul>
  );
  return (
    <section class="card soft-ground stack tight" aria-labelledby="groups">
      <h3 id="groups">{t('groups_title')}</h3>
      {list(sorted.slice(0, SHOWN))}
      {sorted.length > SHOWN && (
        <details open={sorted.slice(SHOWN).some((group) => group.reason === reason)}>
          <summary>{t('group_more', { n: sorted.length - SHOWN })}</summary>
          {list(sorted.slice(SHOWN))}
        </details>
      )}
    </section>
  );
}

function GroupItem({ group, shown }: { group: Group; shown: boolean }) {
  const title = `${t('group_rows', { n: numberText(group.rows) })}: ${group.title}`;
  return (
    <li>
      <div>
        <p class="strong">{title}</p>
        <p>
          <span class="soft">{t('cure')}:</span> {group.cure}
        </p>
      </div>
      <Button
        pressed={shown}
        label={`${title} ${t('group_show')}`}
        onClick={() => setQuery({ outcome: group.outcome, reason: shown ? '' : group.reason, q: '' })}
      >
        {t(shown ? 'group_shown' : 'group_show')}
      </Button>
    </li>
  );
}
