// Labelled fields. The id is the field's name in the request, so problems find their place.
import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { t } from '../text/messages';
import { Button } from './basics';

interface Common {
  id: string;
  label: ComponentChildren;
  hint?: ComponentChildren;
  error?: string | undefined;
  need?: boolean;
}

const ids = (field: Common) =>
  [field.hint ? `${field.id}-hint` : '', field.error ? `${field.id}-error` : ''].filter(Boolean).join(' ') ||
  undefined;

function Frame({ field, children }: { field: Common; children: ComponentChildren }) {
  return (
    <div class="field">
      <label for={field.id}>
        {field.label}
        {field.need && <span class="need">{t('required')}</span>}
      </label>
      {field.hint && (
        <div class="hint" id={`${field.id}-hint`}>
          {field.hint}
        </div>
      )}
      {children}
      {field.error && (
        <p class="error" id={`${field.id}-error`}>
          {field.error}
        </p>
      )}
    </div>
  );
}

interface TextProps extends Common {
  value: string;
  onValue: (value: string) => void;
  type?: 'text' | 'email' | 'tel' | 'search' | 'date' | 'datetime-local' | 'password';
  autocomplete?: string;
  inputMode?: 'numeric' | 'decimal' | 'email' | 'tel';
  size?: 'short' | 'middle';
  max?: number;
  lang?: string;
  readOnly?: boolean;
}

export function TextField(field: TextProps) {
  return (
    <Frame field={field}>
      <input
        id={field.id}
        name={field.id}
        type={field.type ?? 'text'}
        class={field.size}
        value={field.value}
        autocomplete={field.autocomplete ?? 'off'}
        inputMode={field.inputMode}
        maxLength={field.max}
        lang={field.lang}
        readOnly={field.readOnly}
        spellcheck={false}
        autocapitalize="none"
        required={field.need}
        aria-invalid={field.error ? 'true' : undefined}
        aria-describedby={ids(field)}
        onInput={(event) => field.onValue(event.currentTarget.value)}
      />
    </Frame>
  );
}

interface PasswordProps extends Common {
  value: string;
  onValue: (value: string) => void;
  autocomplete: 'current-password' | 'new-password';
}

/** With show and hide; pasting and password managers work. */
export function PasswordField(field: PasswordProps) {
  const [shown, setShown] = useState(false);
  return (
    <div class="stack tight">
      <Frame field={field}>
        <input
          id={field.id}
          name={field.id}
          type={shown ? 'text' : 'password'}
          value={field.value}
          autocomplete={field.autocomplete}
          spellcheck={false}
          autocapitalize="none"
          required={field.need}
          aria-invalid={field.error ? 'true' : undefined}
          aria-describedby={ids(field)}
          onInput={(event) => field.onValue(event.currentTarget.value)}
        />
      </Frame>
      <label class="check">
        <input type="checkbox" checked={shown} onChange={(event) => setShown(event.currentTarget.checked)} />
        {t('show_password')}
      </label>
    </div>
  );
}

interface SelectProps extends Common {
  value: string;
  onValue: (value: string) => void;
  options: [value: string, text: string][];
}

export function SelectField(field: SelectProps) {
  return (
    <Frame field={field}>
      <select
        id={field.id}
        name={field.id}
        value={field.value}
        aria-invalid={field.error ? 'true' : undefined}
        aria-describedby={ids(field)}
        onChange={(event) => field.onValue(event.currentTarget.value)}
      >
        {field.options.map(([value, text]) => (
          <option key={value} value={value} selected={value === field.value}>
            {text}
          </option>
        ))}
      </select>
    </Frame>
  );
}

interface AreaProps extends Common {
  value: string;
  onValue: (value: string) => void;
  max?: number;
}

export function AreaField(field: AreaProps) {
  return (
    <Frame field={field}>
      <textarea
        id={field.id}
        name={field.id}
        value={field.value}
        maxLength={field.max}
        required={field.need}
        aria-invalid={field.error ? 'true' : undefined}
        aria-describedby={ids(field)}
        onInput={(event) => field.onValue(event.currentTarget.value)}
      />
    </Frame>
  );
}

interface ChoiceProps {
  id: string;
  legend: string;
  value: string;
  options: [value: string, text: string][];
  onValue: (value: string) => void;
  error?: string | undefined;
  need?: boolean;
}

export function ChoiceField(field: ChoiceProps) {
  return (
    <fieldset id={field.id} tabIndex={-1} aria-describedby={field.error ? `${field.id}-error` : undefined}>
      <legend>
        {field.legend}
        {field.need && <span class="need">{t('required')}</span>}
      </legend>
      <div class="choices">
        {field.options.map(([value, text]) => (
          <label class="check" key={value}>
            <input
              type="radio"
              name={field.id}
              value={value}
              checked={field.value === value}
              onChange={() => field.onValue(value)}
            />
            {text}
          </label>
        ))}
      </div>
      {field.error && (
        <p class="error-text" id={`${field.id}-error`}>
          {field.error}
        </p>
      )}
    </fieldset>
  );
}

export function CheckField(props: {
  id: string;
  label: string;
  value: boolean;
  onValue: (value: boolean) => void;
  error?: string | undefined;
}) {
  return (
    <div class="field">
      <span class="check">
        <input
          id={props.id}
          type="checkbox"
          checked={props.value}
          aria-invalid={props.error ? 'true' : undefined}
          aria-describedby={props.error ? `${props.id}-error` : undefined}
          onChange={(event) => props.onValue(event.currentTarget.checked)}
        />
        <label for={props.id}>{props.label}</label>
      </span>
      {props.error && (
        <p class="error" id={`${props.id}-error`}>
          {props.error}
        </p>
      )}
    </div>
  );
}

/** The button of a form, with what it says while it works. */
export function SendButton(props: { busy: boolean; children: string; look?: 'main' | 'danger' | 'side' }) {
  return (
    <Button submit look={props.look ?? 'main'} busy={props.busy}>
      {props.busy ? t('working') : props.children}
    </Button>
  );
}
