/** `hooks` alone lists. */
export { run } from './hooks/list.ts'
