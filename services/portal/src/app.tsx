// The whole: who is signed in, which page the address means, and the frame around it.
import { useEffect, useState } from 'preact/hooks';
import { call } from './api/client';
import { errorOf, type ApiError } from './api/problem';
import { Button } from './parts/basics';
import { IdleWarning } from './parts/idle';
import { Layout } from './parts/layout';
import { ProblemNotice } from './parts/load';
import { MaintenanceNow } from './parts/maintenance';
import { later } from './pages/later';
import { LoginAgain } from './pages/login';
import { pageAt } from './pages/table';
import { usePlace } from './router';
import { refresh, useSession } from './session';
import { SiteContext, type Site } from './site';
import { lang, setLang, type Lang } from './text/lang';
import { t } from './text/messages';

const ProveAgain = later(async () => (await import('./pages/group_security')).ProveAgain);

export function App() {
  const place = usePlace();
  const { me, expired, proving } = useSession();
  const [language, setLanguage] = useState<Lang>(lang);
  const [site, setSite] = useState<Site>();
  const [error, setError] = useState<ApiError>();

  useEffect(() => {
    document.documentElement.lang = language;
    call('get', '/api/v1/site', {}).then(setSite, () => undefined); // pages work without it
  }, [language]);
  const start = () => {
    setError(undefined);
    refresh().catch((cause) => setError(errorOf(cause)));
  };
  useEffect(start, []);

  const changeLanguage = (next: Lang) => {
    setLang(next);
    setLanguage(next);
  };

  return (
    <SiteContext.Provider value={site}>
      <Layout me={me ?? null} path={place.path} onLang={changeLanguage}>
        {me === undefined ? <Starting error={error} again={start} /> : pageAt(place, me)}
      </Layout>
      {expired && <LoginAgain />}
      {proving && !expired && <ProveAgain />}
      {me && !expired && <IdleWarning role={me.account.role} />}
    </SiteContext.Provider>
  );
}

function Starting({ error, again }: { error: ApiError | undefined; again: () => void }) {
  if (!error)
    return (
      <p class="soft" role="status">
        {t('loading')}
      </p>
    );
  if (error.problem.code === 'maintenance') return <MaintenanceNow error={error} again={again} />;
  return (
    <div class="stack">
      <ProblemNotice error={error} />
      <div>
        <Button onClick={again}>{t('try_again')}</Button>
      </div>
    </div>
  );
}
