// What most visits do not need at once comes as one file: many small ones would be larger.
import "./charts/data-table.ts"
import "./drawer/drawer.ts"
import "./media/media.ts"
import "./parts/error-list.ts"
import "./parts/first-run.ts"
import "./parts/ongoing.ts"
import "./parts/sign-in.ts"
