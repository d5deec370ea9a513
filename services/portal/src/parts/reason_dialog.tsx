// A question above the page that wants a reason: what it does stands in the record with it.
import { useForm, FormBox } from './form';
import { td } from '../text/desk';
import { Button } from './basics';
import { Dialog } from './dialog';
import { AreaField, SendButton } from './fields';
import type { ComponentChildren } from 'preact';

interface ReasonDialogProps {
  title: string;
  children?: ComponentChildren;
  action: string;
  look?: 'main' | 'danger';
  send: (reason: string) => Promise<void>;
  close: () => void;
}

export function ReasonDialog({ title, children, action, look = 'main', send, close }: ReasonDialogProps) {
  const form = useForm({ reason: '' }, ({ reason }) => (reason.trim() ? {} : { reason: td('reason_must') }));
  return (
    <Dialog title={title} onClose={close}>
      {children}
      <FormBox form={form} send={({ reason }) => send(reason.trim())}>
        <AreaField
          id="reason"
          need
          max={500}
          label={td('reason')}
          hint={td('reason_hint')}
          value={form.values.reason}
          error={form.errors['reason']}
          onValue={(value) => form.set('reason', value)}
        />
        <div class="row">
          <SendButton look={look} busy={form.busy}>
            {action}
          </SendButton>
          <Button look="text" onClick={close}>
            {td('cancel')}
          </Button>
        </div>
      </FormBox>
    </Dialog>
  );
}
