export { oneLine } from '../../text/one-line.ts'
