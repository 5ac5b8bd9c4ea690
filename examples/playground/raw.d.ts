// `import text from './file.ts?raw'` is the text of the file.
declare module '*?raw' {
  const text: string;
  export default text;
}
