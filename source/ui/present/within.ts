export { within } from '../../text/within.ts'
