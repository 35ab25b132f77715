/** Text in pieces: as it is read, or as it is typed (`isCode`). */
export type Text = readonly { readonly text: string; readonly isCode: boolean }[];

/** A text without any markup. */
export function literal(text: string): Text {
  return text === '' ? [] : [{ text, isCode: false }];
}

/** A text in which what is typed stands in backquotes. */
export function rich(text: string): Text {
  return text
    .split('`')
    .map((piece, i) => ({ text: piece, isCode: i % 2 === 1 }))
    .filter((piece) => piece.text !== '');
}
