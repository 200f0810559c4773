/** What Lit has for others is left out: this page has no directives, and takes nothing in within comments, tags or raw text. */
const UNUSED = [
  [/(?<=function M\(t,i)[^)]*\)\{.+?\}(?=class R)/, "){return i}"],
  [/(?<=removeAttribute\(t\)\})else t\.startsWith.+?(?=\}else if\(8===)/, ""],
  [/else\{let t=-1;for.+?\}(?=l\+\+)/, ""],
  [/:6===r\.type&&.+?(?=,this\._\$AV)/, ":0"],
  [/"number"==typeof s\?.+?,s\)(?=;)/, "this._$AC(t)"],
  [
    /get (?:_\$AU|startNode|endNode|tagName)\(\)\{[^}]*\}|setConnected\(t\)\{[^}]*\}|(?<=for\()this\._\$AP[^;]*/g,
    ""
  ],
  [/,this\._\$Cv=e\?\.isConnected\?\?!0/, ""],
  [/\(t\?\.creationScope\?\?l\)/, "l"],
  [/\|\|t\.capture.+?(?=,h=)/, ""],
  [/"function"==typeof this\._\$AH\?.+?(?=\}\}class)/, "this._$AH(t)"],
  [/(?<=,d=)t=>u.+?(?=,f=)/, "u"],
  [
    /const D=.+?(?=;export)/,
    "const D=(t,i)=>(i._$litPart$??=new k(i.insertBefore(c(),null),null,void 0,{}))._$AI(t)"
  ],
  [/,B=t\.litHtmlPoly.+?(?=const D=)/, ";"]
]

/** Its own members are nobody else's, and need no long names. */
export const slimLit = (code) => {
  let slimmer = code
  for (const [pattern, instead] of UNUSED) {
    if (!pattern.test(slimmer))
      throw new Error(`This is another Lit than scripts/page/lit.mjs knows: ${pattern}`)
    slimmer = slimmer.replace(pattern, instead)
  }
  const names = Array.from(new Set(slimmer.match(/_\$\w+\$?/g)))
  return slimmer.replaceAll(/_\$\w+\$?/g, (name) => `_${names.indexOf(name).toString(36)}`)
}
