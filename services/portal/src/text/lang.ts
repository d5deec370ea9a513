// The language of the pages, remembered in this browser.
export type Lang = 'ja' | 'en';

const KEY = 'mamis_lang';
let current: Lang = read();

function read(): Lang {
  try {
    return localStorage.getItem(KEY) === 'en' ? 'en' : 'ja';
  } catch {
    return 'ja'; // storage is closed in some private windows
  }
}

export function lang(): Lang {
  return current;
}

export function setLang(next: Lang): void {
  current = next;
  try {
    localStorage.setItem(KEY, next);
  } catch {
    // The choice then lasts until the page is left.
  }
}
