/** Text in pieces: prose, or typed words (`isCode`). */
export type Text = readonly { readonly text: string; readonly isCode: boolean }[];

/** Prose without markup. */
export function literal(text: string): Text {
  return text === '' ? [] : [{ text, isCode: false }];
}

/** Prose in which typed words are in backquotes. */
export function rich(text: string): Text {
  return text
    .split('`')
    .map((piece, i) => ({ text: piece, isCode: i % 2 === 1 }))
    .filter((piece) => piece.text !== '');
}
