// Refusing something for good: a reason is asked for before it happens.
import { useState } from 'preact/hooks';
import { t } from '../text/messages';
import { Button } from './basics';
import { Dialog } from './dialog';
import { AreaField, SendButton } from './fields';
import { FormBox, useForm } from './form';

interface RejectProps {
  title: string;
  /** On both buttons. */
  text: string;
  sure: string;
  label: string;
  hint: string;
  /** On the button that leaves everything as it is. */
  keep: string;
  reject: (reason: string) => Promise<void>;
}

export function RejectButton({ title, text, sure, label, hint, keep, reject }: RejectProps) {
  const [open, setOpen] = useState(false);
  const form = useForm({ reject_reason: '' }, ({ reject_reason }) =>
    reject_reason.trim() ? {} : { reject_reason: t('must_fill', { field: label }) },
  );
  // On the page two fields may ask for a reason, so this one has a longer id than the request's name.
  const error = form.errors['reject_reason'] ?? form.errors['reason'];
  return (
    <>
      <Button look="danger" onClick={() => setOpen(true)}>
        {text}…
      </Button>
      {open && (
        <Dialog title={title} onClose={() => setOpen(false)}>
          <p>{sure}</p>
          <FormBox
            form={form}
            send={async ({ reject_reason }) => {
              await reject(reject_reason.trim());
              setOpen(false);
            }}
          >
            <AreaField
              id="reject_reason"
              need
              label={label}
              hint={hint}
              max={500}
              value={form.values.reject_reason}
              error={error}
              onValue={(value) => form.set('reject_reason', value)}
            />
            <div class="row">
              <SendButton look="danger" busy={form.busy}>
                {text}
              </SendButton>
              <Button look="text" onClick={() => setOpen(false)}>
                {keep}
              </Button>
            </div>
          </FormBox>
        </Dialog>
      )}
    </>
  );
}
