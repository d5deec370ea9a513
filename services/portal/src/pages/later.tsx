// Pages that are loaded when somebody goes to them: they are rare, and the start stays small.
import type { FunctionComponent } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { Button, Notice, PageTitle } from '../parts/basics';
import { t } from '../text/messages';

/** A page of a part that `load` brings. Once it is here, it opens at once. */
export function later<P extends object>(load: () => Promise<FunctionComponent<P>>): FunctionComponent<P> {
  let Loaded: FunctionComponent<P> | undefined;
  return function Later(values: P) {
    const [Page, setPage] = useState(() => Loaded);
    const [failed, setFailed] = useState(false);
    useEffect(() => {
      let left = false;
      if (!Page)
        load().then(
          (page) => {
            Loaded = page;
            if (!left) setPage(() => page);
          },
          () => !left && setFailed(true),
        );
      return () => {
        left = true;
      };
    }, []);
    if (Page) return <Page {...values} />;
    if (failed) return <Failed />;
    return (
      <p class="soft" role="status">
        {t('loading')}
      </p>
    );
  };
}

/** The whole is read again: browsers keep a failed part, and a newer version has parts of other names. */
function Failed() {
  return (
    <div class="stack read">
      <PageTitle>{t('page_failed')}</PageTitle>
      <Notice tone="bad" alert>
        <p>{t('page_failed_detail')}</p>
      </Notice>
      <div>
        <Button onClick={() => location.reload()}>{t('try_again')}</Button>
      </div>
    </div>
  );
}
