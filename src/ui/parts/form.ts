/** What stands in the fields of a form; it is not sent anywhere. */
export const fieldsOf = (event: SubmitEvent): ((name: string) => string) => {
  event.preventDefault()
  const fields = new FormData(event.target instanceof HTMLFormElement ? event.target : undefined)
  return (name) => String(fields.get(name)).trim()
}
