import { escapeText } from '../text.js';

/** Longest part of standard output that is shown, in characters. */
const MAX_LENGTH = 500;
/** Quotes, brackets and punctuation around a word. */
const WORD = /^([("'`[<]*)(.*?)([)"'`\]>.,;:!?]*)$/;
/** Words that are shown: of letters alone, short compounds, names with dots, numbers, programs. */
const HARMLESS: readonly RegExp[] = [
  /^\p{L}{1,20}$/u,
  /^(?=.{1,10}$)\p{L}+(?:['’-]\p{L}+)+$/u,
  /^[A-Za-z]{2,20}(?:[.:][A-Za-z]{2,20})+$/,
  /^[A-Za-z0-9]{1,3}$/,
  /^-?[0-9]{1,8}$/,
  /^0x[0-9a-fA-F]{1,8}$/,
  /^docker-credential-[a-z-]{1,30}$/,
  /^[^\p{L}\p{N}]{0,3}$/u,
];
/** What comes after such a word is hidden whatever it looks like. */
const ANNOUNCES = /^(?:password|passphrase|passwd|secret|token|credentials?|key|pin)[:=]+$/i;

/**
 * What a helper that failed says about it, on one line; empty if it says nothing. The protocol puts
 * the reason on standard output (docker-credential-helpers, credentials/credentials.go), where
 * secrets are as well: JSON, a single word, and every word that could be a secret are left out.
 */
export function helperMessage(stdout: string, stderr: string): string {
  const said = [cut(masked(oneLine(stdout))), escapeText(oneLine(stderr))];
  return [...new Set(said)].filter((text) => text !== '').join('; ');
}

function masked(text: string): string {
  const words = text.split(' ');
  if (words.length === 1 || /[{}]/.test(text)) return '';
  const shown = words.map((word, index) => {
    const isAnnounced = ANNOUNCES.test(words[index - 1] ?? '');
    return isAnnounced ? '…' : maskedWord(word);
  });
  return escapeText(shown.join(' '));
}

function maskedWord(word: string): string {
  const [, before = '', inside = '', after = ''] = WORD.exec(word) ?? [];
  return HARMLESS.some((pattern) => pattern.test(inside)) ? word : `${before}…${after}`;
}

function oneLine(text: string): string {
  return text.trim().replaceAll(/\s+/g, ' ');
}

function cut(text: string): string {
  return text.length > MAX_LENGTH ? `${text.slice(0, MAX_LENGTH)}…` : text;
}
