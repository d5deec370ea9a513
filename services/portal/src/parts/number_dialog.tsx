// Another register number for a doctor: proposed here, confirmed by a colleague.
import { t } from '../text/messages';
import { Button } from './basics';
import { Dialog } from './dialog';
import { AreaField, SendButton, TextField } from './fields';
import { FormBox, useForm } from './form';

interface NumberDialogProps {
  send: (body: { register_no: string; licensed_on?: string; reason: string }) => Promise<void>;
  close: () => void;
}

export function NumberDialog({ send, close }: NumberDialogProps) {
  const form = useForm({ register_no: '', licensed_on: '', number_reason: '' }, ({ register_no, number_reason }) => ({
    register_no: register_no.trim() ? undefined : t('number_must'),
    number_reason: number_reason.trim() ? undefined : t('number_reason_must'),
  }));
  // The page behind has a field of its own with the name `reason`.
  const field = (id: 'register_no' | 'licensed_on' | 'number_reason') => ({
    id,
    value: form.values[id],
    error: form.errors[id],
    onValue: (value: string) => form.set(id, value),
  });
  return (
    <Dialog title={t('number_change')} onClose={close}>
      <p>{t('number_lead')}</p>
      <FormBox
        form={form}
        send={({ register_no, licensed_on, number_reason }) =>
          send({ register_no: register_no.trim(), reason: number_reason.trim(), ...(licensed_on ? { licensed_on } : {}) })
        }
      >
        <TextField {...field('register_no')} need size="short" inputMode="numeric" max={30} label={t('number_new')} />
        <TextField {...field('licensed_on')} type="date" size="short" label={t('number_licensed_on')} hint={t('number_licensed_on_hint')} />
        <AreaField {...field('number_reason')} need max={500} label={t('number_reason')} hint={t('number_reason_hint')} />
        <div class="row">
          <SendButton busy={form.busy}>{t('number_propose')}</SendButton>
          <Button look="text" onClick={close}>
            {t('cancel')}
          </Button>
        </div>
      </FormBox>
    </Dialog>
  );
}
