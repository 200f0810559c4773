// What most visits do not need at once comes as one file: many small ones would be larger. Styles beside each other
// are smaller when they are compressed.
import { late } from "./styles/late.ts"
import { panel } from "./styles/panel.ts"
import { extras } from "./styles/extras.ts"
import { adopt } from "./styles/css.ts"

export { dataTable } from "./charts/data-table.ts"
export { takeLate, takeNews } from "./controllers/news.ts"
export { drawer } from "./drawer/drawer.ts"
export { columnsOf } from "./model/all-columns.ts"
export { columnMenu } from "./parts/column-menu.ts"
export { customRange } from "./parts/custom-range.ts"
export { empty } from "./parts/empty.ts"
export { errorList } from "./parts/error-list.ts"
export { exportMenu } from "./parts/export-menu.ts"
export { firstRun } from "./parts/first-run.ts"
export { help } from "./parts/help.ts"
export { aloneView, prepare } from "./parts/late-views.ts"
export { ongoing } from "./parts/ongoing.ts"
export { savedViews } from "./parts/saved-views.ts"
export { focusSecret, signIn } from "./parts/sign-in.ts"

adopt(late, panel, extras)
