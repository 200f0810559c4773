// Runs before anything is drawn, so that nothing is drawn in the wrong colours.
try {
  const theme: unknown = JSON.parse(localStorage.getItem("percept.theme") ?? "null")
  document.documentElement.dataset["theme"] = String(theme)
} catch {
  // A browser that keeps nothing shows what the system prefers.
}
