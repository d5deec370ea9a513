// The smallest parts: buttons, links that look like buttons, tags, notices, facts.
import type { ComponentChildren, JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { hasMoved } from '../router';
import { BadIcon, GoodIcon, InfoIcon, WarnIcon } from './icons';

type Look = 'main' | 'side' | 'danger' | 'text';

interface ButtonProps {
  children: ComponentChildren;
  look?: Look;
  submit?: boolean;
  busy?: boolean;
  onClick?: (event: JSX.TargetedMouseEvent<HTMLButtonElement>) => void;
  label?: string;
  expanded?: boolean;
  pressed?: boolean;
}

/** Stays focusable while busy, so that the keyboard's place is not lost; a second press does nothing. */
export function Button({ children, look = 'side', submit, busy, onClick, label, ...state }: ButtonProps) {
  return (
    <button
      type={submit ? 'submit' : 'button'}
      class={`btn ${look}`}
      aria-disabled={busy ? 'true' : undefined}
      aria-label={label}
      aria-expanded={state.expanded}
      aria-pressed={state.pressed}
      onClick={(event) => {
        if (busy) event.preventDefault();
        else onClick?.(event);
      }}
    >
      {children}
    </button>
  );
}

export function LinkButton(props: { href: string; children: ComponentChildren; look?: Look; download?: boolean }) {
  return (
    <a class={`btn ${props.look ?? 'side'}`} href={props.href} download={props.download || undefined}>
      {props.children}
    </a>
  );
}

export type Tone = 'info' | 'good' | 'warn' | 'bad' | 'plain';

export function Tag({ tone = 'plain', children }: { tone?: Tone; children: ComponentChildren }) {
  return <span class={`tag ${tone}`}>{children}</span>;
}

interface NoticeProps {
  tone: Exclude<Tone, 'plain'>;
  title?: string;
  children?: ComponentChildren;
  /** Read out when it appears. */
  alert?: boolean;
}

export function Notice({ tone, title, children, alert }: NoticeProps) {
  const Icon = { info: InfoIcon, good: GoodIcon, warn: WarnIcon, bad: BadIcon }[tone];
  return (
    <div class={`notice ${tone}`} role={alert ? (tone === 'bad' ? 'alert' : 'status') : undefined}>
      <Icon />
      <div class="body">
        {title && <p class="strong">{title}</p>}
        {children}
      </div>
    </div>
  );
}

/** Pairs of term and value; what has no value is left out. */
export function Facts({ rows }: { rows: [term: string, value: ComponentChildren][] }) {
  return (
    <dl class="facts">
      {rows
        .filter(([, value]) => value !== undefined && value !== null && value !== '' && value !== false)
        .map(([term, value]) => (
          <div key={term}>
            <dt>{term}</dt>
            <dd>{value}</dd>
          </div>
        ))}
    </dl>
  );
}

/** A page's one h1: names the browser tab and takes the focus when the page is entered. */
export function PageTitle({ children, tag }: { children: string; tag?: ComponentChildren }) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = `${children} - MAMIS`;
  }, [children]);
  useEffect(() => {
    if (hasMoved()) heading.current?.focus({ preventScroll: true });
  }, []);
  return (
    <div class="row between">
      <h1 ref={heading} tabIndex={-1}>
        {children}
      </h1>
      {tag}
    </div>
  );
}

/** Speaks to screen readers without moving the focus. */
export function Announce({ text }: { text: string }) {
  return (
    <p class="sr" role="status">
      {text}
    </p>
  );
}
