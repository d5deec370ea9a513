// What a chosen file holds: which columns are used, its first rows, and what would be refused.
import { columnName, type Header } from '../sheet/columns';
import type { Examined, Preview, Unreadable } from '../sheet/preview';
import { numberText } from '../text/format';
import { codeTitle, t } from '../text/messages';
import { Facts, Notice } from './basics';

export function FilePreview({ examined }: { examined: Examined }) {
  const { preview, file } = examined;
  if (!preview)
    return <p class="soft">{t(/\.json$/i.test(file.name) ? 'look_json' : 'look_unknown')}</p>;
  const { header } = preview;
  const ignored = header.names.filter((name, at) => header.columns[at] === null && name !== '');
  return (
    <section class="card stack tight" aria-labelledby="look">
      <h3 id="look">{t('look_title')}</h3>
      {header.fault && <Fault header={header} />}
      <Facts
        rows={[
          [t('look_encoding'), encodingText(preview.encoding)],
          [t('look_rows'), preview.rowsTotal !== null && t('rows_n', { n: numberText(preview.rowsTotal) })],
          [t('look_used'), <UsedColumns header={header} />],
          [t('look_ignored'), ignored.join(t('comma'))],
        ]}
      />
      {preview.dropped > 0 && <p>{t('look_dropped', { n: preview.dropped })}</p>}
      <FirstRows preview={preview} />
      {preview.encoding === 'xlsx' && <p class="soft">{t('look_converted')}</p>}
    </section>
  );
}

const encodingText = (encoding: Preview['encoding']): string =>
  encoding === 'xlsx' ? t('look_xlsx') : encoding === 'cp932' ? t('encoding_cp932') : 'UTF-8';

function Fault({ header }: { header: Header }) {
  const { fault, about } = header;
  if (!fault) return null;
  return (
    <Notice tone="warn" title={codeTitle(fault)} alert>
      <p>{t(`fault_${fault}`, { column: about ? columnName(about) : '' })}</p>
      <p>{t('fault_choose_again')}</p>
    </Notice>
  );
}

/** "回（→ セッション番号）" where the file uses another name. */
function UsedColumns({ header }: { header: Header }) {
  const used = header.columns.flatMap((column, at) => {
    if (column === null) return [];
    const [name, full] = [header.names[at] ?? '', columnName(column)];
    return [name === full ? name : t('look_column', { name, column: full })];
  });
  return used.length > 0 ? <>{used.join(t('comma'))}</> : null;
}

function FirstRows({ preview }: { preview: Preview }) {
  const { header, rows } = preview;
  if (rows.length === 0) return <p>{t('look_none')}</p>;
  return (
    <div class="table-box" tabIndex={0} role="region" aria-label={t('look_first', { n: rows.length })}>
      <table>
        <caption>{t('look_first', { n: rows.length })}</caption>
        <thead>
          <tr>
            {header.names.map((name, at) => (
              <th key={at} scope="col">
                {name || <span class="soft">{t('look_blank_name')}</span>}
                {header.columns[at] === null && name && <div class="soft">{t('look_not_used')}</div>}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row, line) => (
            <tr key={line} class={header.fault ? 'off' : undefined}>
              {header.names.map((_, at) => (
                <td key={at} class={header.columns[at] === null ? 'soft' : undefined}>
                  {row[at] ?? ''}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

export function UnreadableNotice({ why }: { why: Unreadable }) {
  return (
    <Notice tone="bad" title={t(`${why}_title`)} alert>
      <p>{t(`${why}_cure`)}</p>
    </Notice>
  );
}
