/** Takes calls of hooks and answers none; says `ready`, then each call. To be killed. */
import { resolveHome } from '../../source/config/paths.ts'
import { HookCalls } from '../../source/host/hooks/hook-calls.ts'
import { callsFolder, takeCalls } from '../../source/host/hooks/host-process.ts'

const home = resolveHome({ STYRBY_HOME: process.argv[2] })
await HookCalls.start(callsFolder(home), () => void process.stdout.write('call\n'))
await takeCalls(home)
process.stdout.write('ready\n')
