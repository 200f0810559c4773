// Runs before anything is drawn, so that nothing is drawn in the wrong colours.
try {
  const theme: unknown = JSON.parse(localStorage.getItem("percept.theme") ?? "null")
  if (theme === "light" || theme === "dark") document.documentElement.dataset["theme"] = theme
} catch {
  // A browser that keeps nothing shows what the system prefers.
}
