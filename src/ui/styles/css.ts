/** Marks styles for whoever formats and shortens them. */
export const css = ([styles = ""]: TemplateStringsArray): string => styles

/** They hold for the whole document from then on. */
export const adopt = (...styles: ReadonlyArray<string>): void => {
  const sheet = new CSSStyleSheet()
  sheet.replaceSync(styles.join(""))
  document.adoptedStyleSheets.push(sheet)
}
