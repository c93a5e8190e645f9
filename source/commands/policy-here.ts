/** The policy of this machine, and what its rules are judged by. */
import { homedir } from 'node:os'
import type { Home } from '../config/paths.ts'
import type { Surroundings } from '../policy/part.ts'
import { PolicyFile, policyFile } from '../policy/policy-file.ts'
import type { Io } from './io.ts'

export function policyHere({ base, io }: { base: Home; io: Pick<Io, 'env'> }): {
	file: PolicyFile
	around: Omit<Surroundings, 'folder'>
} {
	return {
		file: new PolicyFile(policyFile(base)),
		around: {
			userHome: homedir(),
			// The folders of every sign-in lie in these.
			own: Object.values(base),
			shell: io.env.SHELL ?? null,
			platform: process.platform,
		},
	}
}
