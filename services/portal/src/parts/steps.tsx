// Where one is in a procedure of several steps.
import { t } from '../text/messages';
import { GoodIcon } from './icons';

export function Steps({ label, steps, now }: { label: string; steps: string[]; now: number }) {
  return (
    <ol class="steps" aria-label={label}>
      {steps.map((step, index) => (
        <li
          key={step}
          class={index < now ? 'done' : undefined}
          aria-current={index === now ? 'step' : undefined}
        >
          {index < now && <GoodIcon size={20} />}
          <span>
            {index + 1}. {step}
            {index < now && <span class="sr"> {t('step_done')}</span>}
          </span>
        </li>
      ))}
    </ol>
  );
}
