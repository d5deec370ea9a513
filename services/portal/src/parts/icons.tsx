// Small drawings beside words; never alone, so hidden from assistive technology.
import type { ComponentChildren } from 'preact';

function Icon({ children, size = 24 }: { children: ComponentChildren; size?: number }) {
  return (
    <svg
      width={size}
      height={size}
      viewBox="0 0 24 24"
      fill="none"
      stroke="currentColor"
      stroke-width="2"
      stroke-linecap="round"
      stroke-linejoin="round"
      aria-hidden="true"
      focusable="false"
    >
      {children}
    </svg>
  );
}

export const InfoIcon = () => (
  <Icon>
    <circle cx="12" cy="12" r="9" />
    <path d="M12 11v5M12 7.5v.1" />
  </Icon>
);
export const GoodIcon = ({ size = 24 }: { size?: number }) => (
  <Icon size={size}>
    <circle cx="12" cy="12" r="9" />
    <path d="m8 12.5 2.8 2.8L16 9.5" />
  </Icon>
);
export const WarnIcon = () => (
  <Icon>
    <path d="M12 4 2.8 20h18.4z" />
    <path d="M12 10v5M12 17.5v.1" />
  </Icon>
);
export const BadIcon = () => (
  <Icon>
    <path d="M8 3h8l5 5v8l-5 5H8l-5-5V8z" />
    <path d="M12 8v5M12 16v.1" />
  </Icon>
);
export const DownIcon = () => (
  <Icon size={20}>
    <path d="M12 4v11m-5-4.5 5 5 5-5M5 20h14" />
  </Icon>
);
export const MarkIcon = () => (
  <svg width="36" height="36" viewBox="0 0 32 32" aria-hidden="true" focusable="false">
    <rect width="32" height="32" rx="7" fill="#0017c1" />
    <path d="M7 24V9h3.6l5.4 8.6L21.4 9H25v15h-3.6v-9.2L16.7 22h-1.4l-4.7-7.2V24z" fill="#fff" />
  </svg>
);
